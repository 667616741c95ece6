/**
 * Outgoing connections: TCP, Unix socket, TLS, WebSocket, SOCKS proxy, in any sensible combination.
 *
 * Plain TCP and Unix sockets read into one buffer that is used again for every chunk. Everything else is loaded when it is asked for.
 */
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { DialError, type DialStep, dialErrorOf } from './dial-error.ts';

/** Login at a SOCKS5 proxy. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  /** At most 255 bytes, as the password. */
  readonly username?: string;
  readonly password?: string;
}

/** TLS of an outgoing connection; certificates and keys are PEM. */
export interface TlsTarget {
  /** Authorities to trust; without these and `authorityDirectory`, those of the operating system. Unused with `psk`. */
  readonly authorities?: readonly (string | Buffer)[];
  /** Directory with more of them, one or several per file. */
  readonly authorityDirectory?: string;
  /** Client certificate with its chain, and its key. */
  readonly certificate?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** As OpenSSL writes them, for TLS 1.2 and below; names of TLS 1.3 suites may be mixed in. */
  readonly ciphers?: string;
  readonly minimumVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maximumVersion?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly alpn?: string;
  /** Name that the certificate must carry, if not the host. */
  readonly serverName?: string;
  /** `full` checks chain and name, `chain` not the name, `none` nothing. Default `full`. */
  readonly verify?: 'full' | 'chain' | 'none';
  /** A key that both sides know instead of certificates; uses TLS 1.2. */
  readonly psk?: { readonly identity: string; readonly key: Buffer };
  /** Called with lines of an NSS key log. */
  readonly onKeyLog?: (line: Buffer) => void;
}

/** Where to and how. */
export interface DialTarget {
  readonly address:
    | { readonly host: string; readonly port: number }
    | { readonly path: string }
    /** Service records of `domain` say where: `_secure-mqtt._tcp` with TLS, else `_mqtt._tcp`. */
    | { readonly domain: string };
  /** Local address or name to connect from. */
  readonly localAddress?: string;
  readonly proxy?: ProxyTarget;
  readonly tls?: TlsTarget;
  readonly websocket?: { readonly path: string; readonly subprotocol: string };
}

/** What happens on a link; the calls come in this order and `onClose` is the last one. */
export interface LinkHandlers {
  /** Bytes can be sent. */
  onOpen(): void;
  /** Bytes have arrived in `buf[start..end)`, which is valid only during the call. */
  onData(buf: Buffer, start: number, end: number): void;
  /** Everything written has been handed to the system, after `write` returned false. */
  onDrain(): void;
  /** It is over: `undefined` when the peer ended it or we did. Called exactly once. */
  onClose(error: DialError | undefined): void;
}

/** An outgoing connection; usable from `onOpen` on. */
export interface Link {
  /** Sends bytes, which must not be changed afterwards. Returns false when more should wait for `onDrain`. */
  write(bytes: Buffer): boolean;
  /** Bytes handed to `write` that have not been handed to the system yet. */
  readonly pendingBytes: number;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
  /** Sends what is pending, then ends the connection. */
  end(): void;
  /** Ends it at once. */
  destroy(): void;
}

/** Bytes taken from the system at once. */
const READ_BUFFER_BYTES = 65_536;

/** Starts to connect; the outcome is told to the handlers, never before this function has returned. */
export function dial(target: DialTarget, handlers: LinkHandlers): Link {
  const link = new SocketLink(handlers);
  if (isPlain(target)) {
    link.useDirectly(connectDirectly(target, link));
  } else {
    void import('./dial-layers.ts')
      .then(({ dialThroughLayers }) =>
        dialThroughLayers(target, {
          onStep: (step) => link.setStep(step),
          onSocket: (socket) => link.useForNow(socket),
        }),
      )
      .then(
        (socket) => link.useLayered(socket),
        (error: unknown) => link.fail(error),
      );
  }
  return link;
}

type PlainTarget = DialTarget & {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
};

/** One socket and nothing around it; a local name must be looked up first. */
function isPlain(target: DialTarget): target is PlainTarget {
  if (target.proxy !== undefined || target.tls !== undefined || target.websocket !== undefined) return false;
  if ('domain' in target.address) return false;
  return target.localAddress === undefined || isIP(target.localAddress) !== 0;
}

function connectDirectly(target: PlainTarget, link: SocketLink): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  const onread = {
    buffer,
    callback: (count: number): boolean => {
      link.receive(buffer, count);
      return true;
    },
  };
  if ('path' in target.address) return connectSocket({ path: target.address.path, onread });
  const { host, port } = target.address;
  return connectSocket({ ...localEnd(target.localAddress), host, port, noDelay: true, onread });
}

/** Options of `net.connect` that bind the local end; the family of a given address decides that of the peer's. */
export function localEnd(address: string | undefined): { localAddress?: string; family?: number } {
  return address === undefined ? {} : { localAddress: address, family: isIP(address) };
}

/** What the layers end in: a Node stream, or something like one. */
export interface LayeredSocket {
  write(bytes: Buffer): boolean;
  readonly writableLength: number;
  pause(): unknown;
  resume(): unknown;
  end(): unknown;
  destroy(): unknown;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'drain' | 'close' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

class SocketLink implements Link {
  readonly #handlers: LinkHandlers;
  #socket: LayeredSocket | undefined;
  #attempt: Socket | undefined;
  #step: DialStep = 'connect';
  #error: DialError | undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(handlers: LinkHandlers) {
    this.#handlers = handlers;
  }

  setStep(step: DialStep): void {
    this.#step = step;
  }

  /** A socket that reads into a buffer of ours and is not connected yet. */
  useDirectly(socket: Socket): void {
    this.#socket = socket;
    socket.on('connect', () => {
      this.#step = 'established';
      this.#handlers.onOpen();
    });
    this.#listen(socket);
  }

  /** The socket under the layers, to be given up with the link. */
  useForNow(socket: Socket): void {
    this.#attempt = socket;
    if (this.#isClosed) socket.destroy();
  }

  /** A connected stream. */
  useLayered(socket: LayeredSocket): void {
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#step = 'established';
    socket.on('data', (bytes) => this.receive(bytes, bytes.length));
    this.#listen(socket);
    if (this.#isPaused) socket.pause();
    else socket.resume();
    this.#handlers.onOpen();
  }

  receive(buffer: Buffer, count: number): void {
    if (!this.#isClosed) this.#handlers.onData(buffer, 0, count);
  }

  fail(error: unknown): void {
    this.#error ??= dialErrorOf(this.#step, error);
    this.#close();
  }

  #listen(socket: LayeredSocket): void {
    socket.on('drain', () => this.#handlers.onDrain());
    socket.on('error', (error) => {
      this.#error ??= dialErrorOf(this.#step, error);
    });
    // The peer has nothing more to say: MQTT has no half-open connections.
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#close());
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handlers.onClose(this.#error);
  }

  write(bytes: Buffer): boolean {
    return this.#socket?.write(bytes) ?? true;
  }

  get pendingBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#socket?.resume();
  }

  end(): void {
    if (this.#socket === undefined) this.destroy();
    else this.#socket.end();
  }

  destroy(): void {
    if (this.#socket !== undefined) {
      this.#socket.destroy();
      return;
    }
    this.#attempt?.destroy();
    this.#close();
  }
}

export { DialError };
