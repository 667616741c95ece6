/**
 * Client certificates whose dates do not count (`disable_client_cert_date_checks`), for devices without a clock.
 *
 * OpenSSL can be told so, Node cannot: it finds the certificate bad and tells the last fault it saw, behind which others may be
 * hidden. So where that is a date, everything else is looked at again here: the chain of signatures up to an authority, that
 * every link of it may sign, what the certificate is for, and whether it was revoked.
 */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** Links between a certificate and its authority. */
const chainMax = 10;
/** clientAuth and anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const usagesAllowed = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

export interface ClientTrust {
  /** Authorities in PEM form. */
  readonly authorities: readonly string[];
  /** Revocation lists in PEM form; null for none. */
  readonly revocations: string | null;
}

/** Whether the client's certificate is good but for its dates. */
export function isGoodButForDates(socket: TLSSocket, trust: ClientTrust): boolean {
  if (socket.authorized) return true;
  // Its type says Error; in truth it is a code, or null.
  const fault = socket.authorizationError as unknown;
  if (fault !== 'CERT_HAS_EXPIRED' && fault !== 'CERT_NOT_YET_VALID') return false;
  const chain = chainOf(socket);
  const [leaf] = chain;
  return leaf !== undefined && isTrusted(leaf, chain.slice(1), trust);
}

/** @param others - certificates that the client sent with it */
export function isTrusted(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  { authorities, revocations }: ClientTrust,
): boolean {
  const usages: readonly string[] | undefined = leaf.keyUsage;
  if (usages !== undefined && !usages.some((usage) => usagesAllowed.includes(usage))) return false;
  const roots = authorities.map((pem) => new X509Certificate(pem));
  const revoked = revocations === null ? new Set<string>() : revokedSerials(revocations);
  let current = leaf;
  for (let links = 0; links < chainMax; links++) {
    if (revoked.has(serialOf(current.serialNumber))) return false;
    const subject = current;
    if (roots.some((root) => isSignedBy(subject, root))) return true;
    const next = others.find((other) => other.fingerprint256 !== subject.fingerprint256 && isSignedBy(subject, other));
    if (next === undefined) return false;
    current = next;
  }
  return false;
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let sent: { raw?: Buffer; issuerCertificate?: typeof sent } | undefined = socket.getPeerCertificate(true);
  while (sent?.raw !== undefined && chain.length < chainMax) {
    const { raw } = sent;
    if (chain.some((known) => known.raw.equals(raw))) break;
    chain.push(new X509Certificate(raw));
    sent = sent.issuerCertificate;
  }
  return chain;
}

/**
 * Serial numbers in revocation lists, of whatever issuer: a number that somebody else revoked is refused too, which is the safe
 * side to err on.
 */
export function revokedSerials(pem: string): ReadonlySet<string> {
  const serials = new Set<string>();
  for (const [, base64 = ''] of pem.matchAll(/-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g)) {
    const list = element(Buffer.from(base64, 'base64'), 0);
    const body = list === undefined ? undefined : element(list.content, 0);
    if (body === undefined) continue;
    const parts = elements(body.content);
    // [version], algorithm, issuer, date of this list, [date of the next one], [revoked certificates]
    const dateAt = parts.findIndex(({ tag }) => isDate(tag));
    const after = parts.slice(dateAt + 1).filter(({ tag }) => !isDate(tag));
    const [revoked] = after;
    if (dateAt < 0 || revoked?.tag !== 0x30) continue;
    for (const entry of elements(revoked.content)) {
      const [serial] = elements(entry.content);
      if (serial?.tag === 0x02) serials.add(serialOf(serial.content.toString('hex')));
    }
  }
  return serials;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly end: number;
}

/** The DER element at an offset; undefined when it is cut off. */
function element(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  const end = start + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

function elements(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let next = element(bytes, 0); next !== undefined; next = element(bytes, next.end)) found.push(next);
  return found;
}

/** UTCTime or GeneralizedTime. */
function isDate(tag: number): boolean {
  return tag === 0x17 || tag === 0x18;
}

/** Hexadecimal without leading zeros, in capitals. */
function serialOf(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, '');
}
