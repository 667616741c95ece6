/**
 * Opens connections to the broker over TCP, TLS or WebSocket and hides the difference.
 *
 * Plain sockets are read and written at their handle, past Node's streams: in bursts of one message the streams would cost
 * more than a broker does, and the generator would be what is measured. One large read buffer serves all of them: the callback
 * is synchronous, so it is free again before the next socket is read.
 */
import net from 'node:net';
import tls from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type HandleOwner, SharedIo, type SocketHandle } from '../../src/transport/socket-handle.ts';
import type { Target } from '../job.ts';
import { deferred } from './deferred.ts';
import { clientFrameHeader, ServerFrames } from './ws-frames.ts';

const READ_BUFFER_BYTES = 256 * 1024;
const UPGRADE_REPLY_BYTES_MAX = 16 * 1024;

export interface LinkEvents {
  /** Called synchronously with bytes that are only valid during the call. */
  onBytes(bytes: Uint8Array, start: number, end: number): void;
  onClose(error: Error | undefined): void;
}

/** One open connection. */
export interface Link {
  /** Writes MQTT packets, in a WebSocket frame where needed. The bytes must stay as they are until written. */
  send(bytes: Uint8Array): void;
  /** Writes packets that are framed already. */
  sendFramed(bytes: Uint8Array): void;
  /** Closes at once, without TIME_WAIT. */
  destroy(): void;
}

export class Dialer {
  readonly #target: Target;
  readonly #io = new SharedIo(Buffer.allocUnsafeSlow(READ_BUFFER_BYTES));

  constructor(target: Target) {
    this.#target = target;
  }

  get isWebSocket(): boolean {
    return this.#target.transport === 'websocket';
  }

  /** @param localAddress - rotated by callers that open so many connections that one address runs out of ports */
  async open(events: LinkEvents, localAddress?: string): Promise<Link> {
    if (this.#target.transport === 'tls') return this.#openTls(events);
    if (this.#target.transport === 'websocket') return this.#openWebSocket(events);
    return this.#openTcp(events, localAddress);
  }

  #openTcp(events: LinkEvents, localAddress: string | undefined): Promise<Link> {
    const { host, port } = this.#target;
    const socket = net.connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
    return whenOpen(socket, 'connect', events, () => new PlainLink(socket, events, this.#io));
  }

  #openTls(events: LinkEvents): Promise<Link> {
    const { host, port } = this.#target;
    // The certificate is made for the run and signed by itself: there is nobody to verify it.
    const socket = tls.connect({ host, port, rejectUnauthorized: false });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => events.onBytes(bytes, 0, bytes.length));
    return whenOpen(socket, 'secureConnect', events, () => tlsLink(socket));
  }

  async #openWebSocket(events: LinkEvents): Promise<Link> {
    const frames = new ServerFrames((bytes, start, end) => events.onBytes(bytes, start, end));
    let reply = '';
    let isUpgraded = false;
    const upgrade = deferred<void>();
    const link = await this.#openTcp(
      {
        onBytes: (bytes, start, end) => {
          if (isUpgraded) {
            frames.feed(bytes, start, end);
            return;
          }
          reply += Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
          const head = reply.indexOf('\r\n\r\n');
          if (head >= 0 && reply.startsWith('HTTP/1.1 101 ')) {
            isUpgraded = true;
            upgrade.resolve();
            const rest = Buffer.from(reply.slice(head + 4), 'latin1');
            frames.feed(rest, 0, rest.length);
          } else if (head >= 0 || reply.length > UPGRADE_REPLY_BYTES_MAX) {
            upgrade.reject(new Error(`no WebSocket upgrade: ${reply.split('\r\n')[0]}`));
          }
        },
        onClose: (error) => {
          upgrade.reject(error ?? new Error('closed before the WebSocket upgrade'));
          events.onClose(error);
        },
      },
      undefined,
    );
    link.sendFramed(Buffer.from(upgradeRequest(this.#target)));
    await upgrade.promise;
    return {
      send: (bytes) => link.sendFramed(Buffer.concat([clientFrameHeader(bytes.length), bytes])),
      sendFramed: (bytes) => link.sendFramed(bytes),
      destroy: () => link.destroy(),
    };
  }
}

function whenOpen(socket: net.Socket, event: string, events: LinkEvents, link: () => Link): Promise<Link> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.once(event, () => resolve(link()));
    socket.once('close', () => {
      reject(failure ?? new Error('closed while connecting'));
      events.onClose(failure);
    });
  });
}

function tlsLink(socket: tls.TLSSocket): Link {
  const write = (bytes: Uint8Array): void => {
    socket.write(bytes);
  };
  return { send: write, sendFramed: write, destroy: () => socket.destroy() };
}

class PlainLink implements Link, HandleOwner {
  bytesRead = 0;
  readonly #socket: net.Socket;
  readonly #events: LinkEvents;
  readonly #io: SharedIo;
  readonly #handle: SocketHandle;
  #isWaiting = false;

  /** @throws Error - when this Node's sockets cannot be read at their handle */
  constructor(socket: net.Socket, events: LinkEvents, io: SharedIo) {
    this.#socket = socket;
    this.#events = events;
    this.#io = io;
    const handle = io.take(socket, this);
    if (handle === null) throw new Error(`the generator does not know the sockets of Node ${process.version}`);
    this.#handle = handle;
    if (!handle.reading) {
      handle.reading = true;
      handle.readStart();
    }
  }

  onRead(length: number): void {
    const { readBuffer, readStart } = this.#io;
    this.#events.onBytes(readBuffer, readStart, readStart + length);
  }

  onWritten(status: number): void {
    this.#isWaiting = false;
    if (status < 0) this.#socket.destroy(new Error(`write: ${getSystemErrorName(status)}`));
  }

  send(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // Behind what waits in the socket, order is the socket's.
    if (this.#isWaiting || socket.writableLength > 0) {
      socket.write(bytes);
      return;
    }
    const waiting = this.#io.write(socket, this.#handle, bytes, this) ?? -1;
    if (waiting < 0) this.onWritten(waiting);
    else this.#isWaiting = waiting > 0;
  }

  sendFramed(bytes: Uint8Array): void {
    this.send(bytes);
  }

  destroy(): void {
    this.#socket.resetAndDestroy();
  }
}

function upgradeRequest(target: Target): string {
  return [
    'GET /mqtt HTTP/1.1',
    `Host: ${target.host}:${target.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', // any 16 bytes will do: nobody checks the answer here
    'Sec-WebSocket-Protocol: mqtt',
    '',
    '',
  ].join('\r\n');
}
