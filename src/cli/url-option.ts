/** `-L`/`--url` and `--proxy`. */

import { atol } from './c-numbers.ts';
import type { Carrier, ProxyOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';

/** A broker and a topic in one word. */
export interface BrokerUrl {
  readonly carrier: Carrier;
  readonly isTls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly host: string;
  readonly port: number;
  /** Empty only for a tool that needs none. */
  readonly topic: string;
}

const SCHEMES: Readonly<Record<string, { readonly carrier: Carrier; readonly isTls: boolean; readonly port: number }>> =
  {
    mqtt: { carrier: 'tcp', isTls: false, port: 1883 },
    mqtts: { carrier: 'tcp', isTls: true, port: 8883 },
    ws: { carrier: 'websocket', isTls: false, port: 1883 },
    wss: { carrier: 'websocket', isTls: true, port: 8883 },
  };

/**
 * Takes `scheme://[user[:password]@]host[:port]/topic` apart.
 *
 * An IPv6 address stands in brackets; `%XX` stands for a byte in user, password, host and topic.
 *
 * @param needsTopic - false for ctrl, which has none
 * @throws UsageError - in Mosquitto's words
 */
export function parseBrokerUrl(url: string, needsTopic: boolean): BrokerUrl {
  const schemeEnd = url.indexOf('://');
  const scheme = SCHEMES[schemeEnd < 0 ? '' : url.slice(0, schemeEnd).toLowerCase()];
  if (scheme === undefined) throw new UsageError('Error: Unsupported URL scheme.', 'spaced');
  const rest = url.slice(schemeEnd + 3);
  const slash = rest.indexOf('/');
  if (slash < 0 && needsTopic) {
    throw new UsageError('Error: Invalid URL for -L argument specified - topic missing.');
  }
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const at = authority.indexOf('@');
  const { host, port } = splitHostPort(authority.slice(at + 1));
  const portNumber = port === undefined ? scheme.port : atol(port);
  if (portNumber < 0 || portNumber > 65_535) throw new UsageError(`Error: Invalid port given: ${portNumber}`);
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  const colon = credentials?.indexOf(':') ?? -1;
  return {
    carrier: scheme.carrier,
    isTls: scheme.isTls,
    ...(credentials !== undefined && {
      username: decodePercent(colon < 0 ? credentials : credentials.slice(0, colon)),
    }),
    ...(credentials !== undefined && colon >= 0 && { password: decodePercent(credentials.slice(colon + 1)) }),
    host: decodePercent(host),
    port: portNumber,
    topic: slash < 0 ? '' : decodePercent(rest.slice(slash + 1)),
  };
}

const PROXY_PORT = 1080;

/**
 * Takes `socks5h://[user[:password]@]host[:port]` apart.
 *
 * @throws UsageError - in Mosquitto's words
 */
export function parseProxyUrl(url: string): ProxyOptions {
  const prefix = 'socks5h://';
  if (!url.startsWith(prefix)) throw new UsageError(`Error: Unsupported proxy protocol: ${url}`);
  const rest = url.slice(prefix.length);
  const at = rest.indexOf('@');
  const credentials = at < 0 ? undefined : rest.slice(0, at);
  const colon = credentials?.indexOf(':') ?? -1;
  const { host, port } = splitHostPort(rest.slice(at + 1).replace(/\/$/, ''));
  if (host === '') throw new UsageError('Error: Invalid proxy.');
  const portNumber = port === undefined ? PROXY_PORT : atol(port);
  if (portNumber < 1 || portNumber > 65_535) throw new UsageError(`Error: Invalid proxy port ${portNumber}`);
  return {
    host,
    port: portNumber,
    ...(credentials !== undefined && {
      username: decodePercent(colon < 0 ? credentials : credentials.slice(0, colon)),
    }),
    ...(credentials !== undefined && colon >= 0 && { password: decodePercent(credentials.slice(colon + 1)) }),
  };
}

function splitHostPort(text: string): { readonly host: string; readonly port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) {
    const port = bracketed[2];
    return { host: bracketed[1] ?? '', ...(port !== undefined && { port }) };
  }
  const colon = text.indexOf(':');
  if (colon < 0) return { host: text };
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

/** `%XX` becomes the byte it names; anything else, also a lonely `%`, stays. Bytes that are no UTF-8 leave the text as it was. */
function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(text);
  const out = Buffer.alloc(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    const digits = bytes.toString('latin1', index + 1, index + 3);
    if (bytes[index] === 0x25 && /^[0-9a-fA-F]{2}$/.test(digits)) {
      out[length++] = Number.parseInt(digits, 16);
      index += 2;
    } else {
      out[length++] = bytes[index] ?? 0;
    }
  }
  const decoded = out.toString('utf8', 0, length);
  return decoded.includes('\ufffd') && !text.includes('\ufffd') ? text : decoded;
}
