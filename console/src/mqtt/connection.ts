/** One connection to a broker over WebSocket, MQTT 5.0 first and 3.1.1 when that is refused. */

import type { MessageProperties } from '../api/types.ts';
import {
  decodePacket,
  disconnectPacket,
  encodeAck,
  encodeConnect,
  encodePublish,
  encodeSubscribe,
  type Level,
  type Packet,
  type Publish,
  pingRequest,
} from './codec.ts';
import { PacketStream } from './packet-stream.ts';

export interface Target {
  /** `ws://host:port/path`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly filters: readonly string[];
}

export interface ConnectionEvents {
  readonly onMessage: (message: Publish) => void;
  readonly onClosed: (why: string) => void;
}

const keepAliveSeconds = 30;
const packetBytesMax = 16 * 1024 * 1024;
const answerMs = 10_000;

type Waiting = (reasonCode: number) => void;

export class Connection {
  readonly #socket: WebSocket;
  readonly #level: Level;
  readonly #events: ConnectionEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #received = new Set<number>();
  #onConnack: Waiting = () => undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #lastId = 0;
  #isClosed = false;

  private constructor(socket: WebSocket, level: Level, events: ConnectionEvents) {
    this.#socket = socket;
    this.#level = level;
    this.#events = events;
    const stream = new PacketStream(packetBytesMax, (firstByte, body) => this.#take(firstByte, body));
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event: MessageEvent<ArrayBuffer>) => {
      try {
        stream.push(new Uint8Array(event.data));
      } catch (error) {
        this.#end(error instanceof Error ? error.message : String(error));
      }
    });
    socket.addEventListener('close', () => this.#end('closed'));
  }

  /** @throws Error - with the Reason Code, or `unreachable` */
  static async open(target: Target, events: ConnectionEvents): Promise<Connection> {
    try {
      return await Connection.#openAs(5, target, events);
    } catch (error) {
      // A broker without 5.0 answers a return code of 3.1.1, or closes at once. [v3.1.1 MQTT-3.1.2-2]
      if (error instanceof RefusedError && error.reasonCode !== 0x01 && error.reasonCode !== 0x84) throw error;
      return Connection.#openAs(4, target, events);
    }
  }

  static async #openAs(level: Level, target: Target, events: ConnectionEvents): Promise<Connection> {
    const socket = new WebSocket(target.url, 'mqtt');
    let isOpen = false;
    const connection = new Connection(socket, level, {
      ...events,
      onClosed: (why) => isOpen && events.onClosed(why),
    });
    const reasonCode = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('unreachable')), answerMs);
      const settle = (done: () => void) => () => {
        clearTimeout(timer);
        done();
      };
      connection.#onConnack = (code) => settle(() => resolve(code))();
      socket.addEventListener(
        'close',
        settle(() => reject(new Error('unreachable'))),
      );
      socket.addEventListener('open', () => {
        const { username, password } = target;
        connection.#send(
          encodeConnect({
            level,
            clientId: `moustique-console-${Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`,
            keepAliveSeconds,
            ...(username === '' ? {} : { username }),
            ...(password === '' ? {} : { password }),
          }),
        );
      });
    });
    if (reasonCode !== 0) {
      connection.close();
      throw new RefusedError(reasonCode);
    }
    isOpen = true;
    connection.#ping = setInterval(() => connection.#send(pingRequest), keepAliveSeconds * 500);
    connection.#send(encodeSubscribe(level, connection.#nextId(), target.filters));
    return connection;
  }

  /** Sends and, above QoS 0, waits for the acknowledgement. @returns its Reason Code */
  publish(message: {
    topic: string;
    payload: Uint8Array;
    qos: 0 | 1 | 2;
    retain: boolean;
    properties: MessageProperties;
  }): Promise<number> {
    const packetId = message.qos === 0 ? 0 : this.#nextId();
    this.#send(encodePublish(this.#level, { ...message, packetId }));
    if (packetId === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(packetId);
        reject(new Error('no acknowledgement'));
      }, answerMs);
      this.#waiting.set(packetId, (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
  }

  close(): void {
    this.#send(disconnectPacket);
    this.#end('closed');
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % 65_535) + 1;
    return this.#lastId;
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  #end(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#ping);
    this.#socket.close();
    this.#events.onClosed(why);
  }

  #take(firstByte: number, body: Uint8Array): void {
    this.#handle(decodePacket(this.#level, firstByte, body));
  }

  #handle(packet: Packet): void {
    switch (packet.type) {
      case 'connack':
        this.#onConnack(packet.reasonCode);
        return;
      case 'publish':
        this.#receive(packet);
        return;
      case 'ack':
        this.#acknowledge(packet.of, packet.packetId, packet.reasonCode);
        return;
      case 'disconnect':
        this.#end(`0x${packet.reasonCode.toString(16)}`);
        return;
      case 'suback':
      case 'other':
        return;
      default:
        packet satisfies never;
    }
  }

  #receive(packet: Publish): void {
    if (packet.qos === 1) this.#send(encodeAck('puback', packet.packetId));
    if (packet.qos === 2) this.#send(encodeAck('pubrec', packet.packetId));
    if (packet.qos === 2 && this.#received.has(packet.packetId)) return;
    if (packet.qos === 2) this.#received.add(packet.packetId);
    this.#events.onMessage(packet);
  }

  #acknowledge(of: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, reasonCode: number): void {
    if (of === 'pubrel') {
      this.#received.delete(packetId);
      this.#send(encodeAck('pubcomp', packetId));
      return;
    }
    if (of === 'pubrec' && reasonCode < 0x80) {
      this.#send(encodeAck('pubrel', packetId));
      return;
    }
    this.#waiting.get(packetId)?.(reasonCode);
    this.#waiting.delete(packetId);
  }
}

/** The broker answered, and said no. */
export class RefusedError extends Error {
  readonly reasonCode: number;

  constructor(reasonCode: number) {
    super(`0x${reasonCode.toString(16).padStart(2, '0')}`);
    this.reasonCode = reasonCode;
  }
}
