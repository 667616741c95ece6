/** Listeners as the program sees them. */
import type { ListenerConfig } from '../../config/config.ts';

/** A listener that is open. */
export interface OpenListener {
  readonly protocol: 'mqtt' | 'websockets' | 'http_api';
  readonly isEncrypted: boolean;
  /** As configured; null for all addresses and for a Unix socket. */
  readonly host: string | null;
  /** The port in use; 0 for a Unix socket. */
  readonly port: number;
  /** Path of a Unix socket, else null. */
  readonly path: string | null;
  /** For a client on this machine: `mqtt://localhost:1883`, `mqtts:`, `ws:`, `wss:`, `http:`, `https:`, `mqtt+unix:///run/broker.sock`. */
  readonly url: string;
}

export function openListener({
  config,
  port,
}: {
  readonly config: ListenerConfig;
  readonly port: number;
}): OpenListener {
  const { host, path, protocol } = config;
  const isEncrypted = config.certfile !== null;
  const scheme = { mqtt: ['mqtt', 'mqtts'], websockets: ['ws', 'wss'], http_api: ['http', 'https'] }[protocol][
    isEncrypted ? 1 : 0
  ];
  const name = host === null ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const url = path === null ? `${scheme}://${name}:${port}` : `${scheme}+unix://${path}`;
  return { protocol, isEncrypted, host, port, path, url };
}
