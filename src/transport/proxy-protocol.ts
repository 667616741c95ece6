/**
 * The header that a load balancer puts before the bytes of a client, so that the broker knows whom it serves (PROXY protocol of
 * HAProxy, versions 1 and 2). Which version is expected is a matter of the listener; the header is never optional.
 */
import { isIP } from 'node:net';

/** What the header says about the client. */
export interface ProxyHeader {
  /** Address and port of the client, or the path of its Unix socket and 0; null: those of the connection itself. */
  readonly source: { readonly address: string; readonly port: number } | null;
  /** How the client is connected to the load balancer; null without TLS, and always in version 1. */
  readonly tls: ProxyTls | null;
}

export interface ProxyTls {
  /** As the load balancer names them; '' when it does not. */
  readonly version: string;
  readonly cipher: string;
  /** Whether the client showed a certificate and the load balancer found it good. */
  readonly hasVerifiedCertificate: boolean;
  /** Common Name of that certificate; null when it was not told. */
  readonly commonName: string | null;
}

/** What the first bytes of a connection are. */
export type ProxyParsing =
  /** Not all of it is here yet. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly length: number }
  /** The load balancer asks for itself whether we are there: to be closed. */
  | { readonly kind: 'local' }
  | { readonly kind: 'corrupt' }
  /** More than anybody needs to say. */
  | { readonly kind: 'too-long' };

const incomplete: ProxyParsing = { kind: 'incomplete' };
const corrupt: ProxyParsing = { kind: 'corrupt' };

/** Bytes of the longest line of version 1, its end included. */
const lineBytesMax = 107;
/** Bytes of addresses and TLVs in version 2. Mosquitto. */
const blockBytesMax = 500;
/** Bytes before addresses and TLVs in version 2. */
const fixedBytes = 16;

/** No header is longer. */
export const proxyHeaderBytesMax = fixedBytes + blockBytesMax;

/** @param bytes - everything received so far; what follows the header is not looked at */
export function parseProxyHeader(version: 1 | 2, bytes: Buffer): ProxyParsing {
  return version === 1 ? parseLine(bytes) : parseBinary(bytes);
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 56324 1883` CR LF, or `PROXY UNKNOWN` and anything. */
function parseLine(bytes: Buffer): ProxyParsing {
  const start = 'PROXY ';
  const begin = bytes.toString('latin1', 0, Math.min(bytes.length, start.length));
  if (!start.startsWith(begin)) return corrupt;
  const end = bytes.indexOf('\r\n');
  if (end < 0) return bytes.length >= lineBytesMax ? corrupt : incomplete;
  const length = end + 2;
  if (length > lineBytesMax) return corrupt;
  const line = bytes.toString('latin1', 0, end);
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) {
    return { kind: 'header', header: { source: null, tls: null }, length };
  }
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = line.split(' ');
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  if (version === 0 || rest.length > 0) return corrupt;
  if (isIP(source) !== version || isIP(destination) !== version) return corrupt;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return corrupt;
  return { kind: 'header', header: { source: { address: source, port: Number(sourcePort) }, tls: null }, length };
}

function isPort(text: string): boolean {
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Bytes of both addresses and ports, by address family and protocol. */
const addressBytes: Readonly<Record<number, number>> = { 0x11: 12, 0x21: 36, 0x31: 216 };

function parseBinary(bytes: Buffer): ProxyParsing {
  const begin = Math.min(bytes.length, signature.length);
  if (!signature.subarray(0, begin).equals(bytes.subarray(0, begin))) return corrupt;
  if (bytes.length < fixedBytes) return incomplete;
  const command = bytes[12] as number;
  const family = bytes[13] as number;
  if (command !== 0x20 && command !== 0x21) return corrupt;
  const blockLength = bytes.readUInt16BE(14);
  if (blockLength > blockBytesMax) return { kind: 'too-long' };
  const length = fixedBytes + blockLength;
  if (bytes.length < length) return incomplete;
  if (command === 0x20) return { kind: 'local' };
  // UNSPEC: the load balancer does not know; everything behind is to be passed over.
  if (family === 0x00) return { kind: 'header', header: { source: null, tls: null }, length };
  const addresses = addressBytes[family];
  if (addresses === undefined || blockLength < addresses) return corrupt;
  const block = bytes.subarray(fixedBytes, length);
  const source = sourceOf(family, block);
  const tls = tlsOf(block.subarray(addresses));
  if (source === null || tls === undefined) return corrupt;
  return { kind: 'header', header: { source, tls }, length };
}

function sourceOf(family: number, block: Buffer): ProxyHeader['source'] {
  if (family === 0x11) return { address: [...block.subarray(0, 4)].join('.'), port: block.readUInt16BE(8) };
  if (family === 0x21) return { address: ipv6Text(block.subarray(0, 16)), port: block.readUInt16BE(32) };
  const end = block.indexOf(0);
  const path = block.toString('utf8', 0, end < 0 || end > 108 ? 108 : end);
  return path === '' ? null : { address: path, port: 0 };
}

/** In the usual form: no leading zeros, the longest run of zeros left out. */
function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

const tlvSsl = 0x20;
const tlvVersion = 0x21;
const tlvCommonName = 0x22;
const tlvCipher = 0x23;
const flagSsl = 0x01;
/** A certificate was shown on this connection, or earlier in the TLS session that it resumes. */
const flagCertificate = 0x04;

/** @returns undefined when a TLV is cut off */
function tlsOf(block: Buffer): ProxyTls | null | undefined {
  const outer = readTlvs(block);
  if (outer === undefined) return undefined;
  const ssl = outer.get(tlvSsl);
  if (ssl === undefined) return null;
  if (ssl.length < 5) return undefined;
  const client = ssl[0] as number;
  if ((client & flagSsl) === 0) return null;
  const inner = readTlvs(ssl.subarray(5));
  if (inner === undefined) return undefined;
  const hasVerifiedCertificate = (client & flagCertificate) !== 0 && ssl.readUInt32BE(1) === 0;
  return {
    version: inner.get(tlvVersion)?.toString('latin1') ?? '',
    cipher: inner.get(tlvCipher)?.toString('latin1') ?? '',
    hasVerifiedCertificate,
    commonName: hasVerifiedCertificate ? (inner.get(tlvCommonName)?.toString('utf8') ?? null) : null,
  };
}

/** Type → value; of several with one type the first counts. */
function readTlvs(block: Buffer): Map<number, Buffer> | undefined {
  const values = new Map<number, Buffer>();
  let at = 0;
  while (at < block.length) {
    if (at + 3 > block.length) return undefined;
    const type = block[at] as number;
    const end = at + 3 + block.readUInt16BE(at + 1);
    if (end > block.length) return undefined;
    if (!values.has(type)) values.set(type, block.subarray(at + 3, end));
    at = end;
  }
  return values;
}
