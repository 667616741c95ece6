/** A broker's URL, for programs; the tools read `-L` by Mosquitto's rules instead. */
import type { DialTarget } from '../transport/dial.ts';
import { ClientError } from './client-error.ts';
import type { ClientSettings } from './settings.ts';

/** What a URL says about a connection. */
export type UrlSettings = Pick<ClientSettings, 'target' | 'username' | 'password'>;

const SCHEMES: Readonly<
  Record<string, { readonly port: number; readonly isTls: boolean; readonly isWebSocket: boolean }>
> = {
  'mqtt:': { port: 1883, isTls: false, isWebSocket: false },
  'mqtts:': { port: 8883, isTls: true, isWebSocket: false },
  'ws:': { port: 80, isTls: false, isWebSocket: true },
  'wss:': { port: 443, isTls: true, isWebSocket: true },
};

/**
 * Takes `mqtt://`, `mqtts://`, `ws://`, `wss://` and `unix:` URLs apart; name and password may stand in them, percent-encoded.
 *
 * A WebSocket's path is that of the URL, `/mqtt` when it has none.
 *
 * @throws ClientError - `invalid`
 */
export function settingsOfUrl(text: string): UrlSettings {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ClientError('invalid', `'${text}' is no URL`, { cause });
  }
  if (url.protocol === 'unix:') return { target: { address: { path: decodeURIComponent(url.pathname) } } };
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.hostname === '') {
    throw new ClientError('invalid', `'${text}' is no URL of a broker: mqtt, mqtts, ws, wss or unix is expected`);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const target: DialTarget = {
    address: { host, port: url.port === '' ? scheme.port : Number(url.port) },
    ...(scheme.isTls && { tls: {} }),
    ...(scheme.isWebSocket && {
      websocket: { path: url.pathname === '/' ? '/mqtt' : url.pathname + url.search, subprotocol: 'mqtt' },
    }),
  };
  return {
    target,
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: Buffer.from(decodeURIComponent(url.password)) }),
  };
}
