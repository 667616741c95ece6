/**
 * Who a client certificate says it is.
 *
 * The subject is read from the certificate's own bytes (X.509, DER): Node gives it only as printed text, in which order,
 * escapes and several names of one kind are lost. The certificate was verified before; here every read is still checked.
 */

/** One `type = value` of a subject. */
interface Attribute {
  /** Object identifier in dotted form: `2.5.4.3`. */
  readonly type: string;
  /** DER tag of the value: how it is encoded. */
  readonly tag: number;
  readonly value: Buffer;
  /** The value with tag and length. */
  readonly encoded: Buffer;
}

/** The parts of a subject, outermost first; a part with several attributes is rare (`OU=a+OU=b`). */
type Subject = readonly (readonly Attribute[])[];

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly encoded: Buffer;
}

const sequenceTag = 0x30;
const setTag = 0x31;
const objectIdentifierTag = 0x06;
const versionTag = 0xa0;
const commonNameType = '2.5.4.3';

/** OpenSSL's short names, which RFC 2253 text uses. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.16', 'postalAddress'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.18', 'postOfficeBox'],
  ['2.5.4.20', 'telephoneNumber'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.45', 'x500UniqueIdentifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
  ['1.2.840.113549.1.9.2', 'unstructuredName'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
]);

/**
 * The user name in a client certificate.
 *
 * @param certificate - in DER, as `X509Certificate.raw` has it
 * @param use - `use_identity_as_username`: the first Common Name; `use_subject_as_username`: the subject as RFC 2253
 * text, such as `CN=c1,O=Org,C=GB`
 * @returns null when there is none or it cannot be a user name (empty, with control characters, not Unicode): such a client is refused
 */
export function certificateIdentity(certificate: Buffer, use: 'common-name' | 'subject'): string | null {
  const subject = readSubject(certificate);
  if (subject === null || subject.length === 0) return null;
  const name = use === 'subject' ? rfc2253(subject) : commonName(subject);
  return name === null || name === '' || /\p{Cc}/u.test(name) ? null : name;
}

function commonName(subject: Subject): string | null {
  for (const attributes of subject) {
    for (const attribute of attributes) if (attribute.type === commonNameType) return textOf(attribute);
  }
  return null;
}

/** The subject as OpenSSL prints it with XN_FLAG_RFC2253: innermost part first, non-ASCII bytes as `\C3`. */
function rfc2253(subject: Subject): string {
  const part = (attributes: readonly Attribute[]): string => attributes.toReversed().map(rfc2253Attribute).join('+');
  return subject.toReversed().map(part).join(',');
}

function rfc2253Attribute(attribute: Attribute): string {
  const name = shortNames.get(attribute.type);
  const text = name === undefined ? null : textOf(attribute);
  if (text === null) return `${name ?? attribute.type}=#${attribute.encoded.toString('hex').toUpperCase()}`;
  return `${name}=${escapeValue(text)}`;
}

function escapeValue(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  let escaped = '';
  for (const [index, byte] of bytes.entries()) {
    const character = String.fromCharCode(byte);
    const isFirst = index === 0;
    const isLast = index === bytes.length - 1;
    if (byte < 0x20 || byte >= 0x7f) escaped += `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    else if (',+"\\<>;'.includes(character) || (isFirst && character === '#')) escaped += `\\${character}`;
    else if (character === ' ' && (isFirst || isLast)) escaped += '\\ ';
    else escaped += character;
  }
  return escaped;
}

/** The value as Unicode, null when it is not text or not valid in its encoding. */
function textOf({ tag, value }: Attribute): string | null {
  switch (tag) {
    case 0x0c: // UTF8String
      return decodeUtf8(value);
    case 0x13: // PrintableString
    case 0x16: // IA5String
    case 0x12: // NumericString
    case 0x1a: // VisibleString
    case 0x14: // TeletexString, in practice Latin-1
      return value.toString('latin1');
    case 0x1e: // BMPString, two bytes per character, big endian
      return value.length % 2 === 0 ? wellFormed(Buffer.from(value).swap16().toString('utf16le')) : null;
    case 0x1c: // UniversalString, four bytes per character
      return decodeUtf32(value);
    default:
      return null;
  }
}

function decodeUtf8(value: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return null;
  }
}

function decodeUtf32(value: Buffer): string | null {
  if (value.length % 4 !== 0) return null;
  let text = '';
  for (let offset = 0; offset < value.length; offset += 4) {
    const codePoint = value.readUInt32BE(offset);
    if (codePoint > 0x10_ffff) return null;
    text += String.fromCodePoint(codePoint);
  }
  return wellFormed(text);
}

/** Null for text with half a surrogate pair. */
function wellFormed(text: string): string | null {
  return /\p{Surrogate}/u.test(text) ? null : text;
}

/** Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject … } … } */
function readSubject(certificate: Buffer): Subject | null {
  const outer = readElement(certificate, 0);
  if (outer === null || outer.tag !== sequenceTag) return null;
  const body = readElement(outer.content, 0);
  if (body === null || body.tag !== sequenceTag) return null;
  const fields = readElements(body.content);
  if (fields === null) return null;
  // The version is left out in the oldest certificates.
  const subject = fields[fields[0]?.tag === versionTag ? 5 : 4];
  if (subject === undefined || subject.tag !== sequenceTag) return null;
  return readParts(subject.content);
}

function readParts(content: Buffer): Subject | null {
  const sets = readElements(content);
  if (sets === null) return null;
  const subject: Attribute[][] = [];
  for (const set of sets) {
    const members = set.tag === setTag ? readElements(set.content) : null;
    if (members === null) return null;
    const attributes: Attribute[] = [];
    for (const member of members) {
      const [type, value] = readElements(member.content) ?? [];
      if (type === undefined || type.tag !== objectIdentifierTag || value === undefined) return null;
      attributes.push({
        type: dotted(type.content),
        tag: value.tag,
        value: value.content,
        encoded: value.encoded,
      });
    }
    subject.push(attributes);
  }
  return subject;
}

function readElements(bytes: Buffer): Element[] | null {
  const elements: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = readElement(bytes, offset);
    if (element === null) return null;
    elements.push(element);
    offset += element.encoded.length;
  }
  return elements;
}

/** Tag, length (short, or long form of up to four bytes) and content; null when they do not fit. */
function readElement(bytes: Buffer, start: number): Element | null {
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) return null;
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    const lengthBytes = first - 0x80;
    if (lengthBytes === 0 || lengthBytes > 4 || contentStart + lengthBytes > bytes.length) return null;
    length = bytes.readUIntBE(contentStart, lengthBytes);
    contentStart += lengthBytes;
  }
  const end = contentStart + length;
  if (end > bytes.length) return null;
  return { tag, content: bytes.subarray(contentStart, end), encoded: bytes.subarray(start, end) };
}

/** An object identifier: seven bits per byte, the first number holds two. */
function dotted(content: Buffer): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      numbers.push(first, value - first * 40);
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join('.');
}
