/** SOCKS5 (RFC 1928) with user name and password (RFC 1929); the proxy resolves the name, so it also works for hosts we cannot see. */
import { isIPv4, isIPv6, type Socket } from 'node:net';
import type { ProxyTarget } from './dial.ts';
import { DialError } from './dial-error.ts';

const VERSION = 5;
const LOGIN_VERSION = 1;
const METHOD = { none: 0, login: 2, refused: 0xff } as const;
const CONNECT = 1;
const ADDRESS_TYPE = { ipv4: 1, name: 3, ipv6: 4 } as const;

const replies: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'connection not allowed by ruleset',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'time to live expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/**
 * Asks the proxy at the other end of the socket to connect to `host:port`.
 *
 * @throws DialError - the proxy refused, or spoke another language
 */
export async function connectThroughSocks(
  socket: Socket,
  proxy: ProxyTarget,
  host: string,
  port: number,
): Promise<void> {
  const reader = new SocketReader(socket);
  try {
    const hasLogin = proxy.username !== undefined;
    socket.write(Buffer.from(hasLogin ? [VERSION, 2, METHOD.none, METHOD.login] : [VERSION, 1, METHOD.none]));
    const [version, method] = await reader.take(2);
    if (version !== VERSION) throw new DialError('proxy', 'the proxy does not speak SOCKS5');
    if (method === METHOD.login && hasLogin) await logIn(socket, reader, proxy);
    else if (method !== METHOD.none) throw new DialError('proxy', 'the proxy wants another kind of login');
    socket.write(Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), encodeAddress(host), portBytes(port)]));
    const answer = await reader.take(4);
    const code = answer[1] ?? 1;
    if (code !== 0) throw new DialError('proxy', `the proxy says: ${replies[code] ?? `error ${code}`}`, `SOCKS${code}`);
    await reader.take((await boundAddressLength(answer[3] ?? 0, reader)) + 2);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  reader.release();
}

async function logIn(socket: Socket, reader: SocketReader, proxy: ProxyTarget): Promise<void> {
  const name = Buffer.from(proxy.username ?? '');
  const password = Buffer.from(proxy.password ?? '');
  if (name.length > 255 || password.length > 255) throw new DialError('proxy', 'user name or password is too long');
  socket.write(
    Buffer.concat([Buffer.from([LOGIN_VERSION, name.length]), name, Buffer.from([password.length]), password]),
  );
  const [, status] = await reader.take(2);
  if (status !== 0) throw new DialError('proxy', 'the proxy refused user name or password', 'SOCKSAUTH');
}

function encodeAddress(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([ADDRESS_TYPE.ipv4, ...host.split('.').map(Number)]);
  if (isIPv6(host)) return Buffer.concat([Buffer.from([ADDRESS_TYPE.ipv6]), ipv6Bytes(host)]);
  const name = Buffer.from(host);
  if (name.length > 255) throw new DialError('proxy', 'the host name is too long');
  return Buffer.concat([Buffer.from([ADDRESS_TYPE.name, name.length]), name]);
}

function ipv6Bytes(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  const plain = address.replace(/%.*$/, '');
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  const text =
    dotted === null
      ? plain
      : plain.slice(0, dotted.index) +
        [1, 3].map((at) => ((Number(dotted[at]) << 8) | Number(dotted[at + 1])).toString(16)).join(':');
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined) => (part === undefined || part === '' ? [] : part.split(':'));
  groups(head).forEach((group, index) => bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2));
  const last = groups(tail);
  last.forEach((group, index) => bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - (last.length - index) * 2));
  return bytes;
}

function portBytes(port: number): Buffer {
  return Buffer.from([port >> 8, port & 0xff]);
}

async function boundAddressLength(type: number, reader: SocketReader): Promise<number> {
  if (type === ADDRESS_TYPE.ipv4) return 4;
  if (type === ADDRESS_TYPE.ipv6) return 16;
  if (type === ADDRESS_TYPE.name) return (await reader.take(1))[0] ?? 0;
  throw new DialError('proxy', 'the proxy answered with an unknown kind of address');
}

/** Takes exact counts of bytes from a socket; what is too much goes back when it is released. */
class SocketReader {
  readonly #socket: Socket;
  #waiting: { readonly count: number; resolve(bytes: Buffer): void; reject(error: Error): void } | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData);
    socket.on('error', this.#onFailure);
    socket.on('close', this.#onFailure);
  }

  take(count: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#waiting = { count, resolve, reject };
      this.#serve();
    });
  }

  release(): void {
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('error', this.#onFailure);
    this.#socket.off('close', this.#onFailure);
    if (this.#bytes.length > 0) this.#socket.unshift(this.#bytes);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#serve();
  };

  readonly #onFailure = (error?: unknown): void => {
    this.#failure ??=
      error instanceof Error ? error : new DialError('proxy', 'the proxy closed the connection', 'SOCKSCLOSED');
    this.#waiting?.reject(this.#failure);
    this.#waiting = undefined;
  };

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#bytes.length < waiting.count) return;
    this.#waiting = undefined;
    const taken = this.#bytes.subarray(0, waiting.count);
    this.#bytes = this.#bytes.subarray(waiting.count);
    waiting.resolve(taken);
  }
}
