/**
 * Messages of QoS 1 and 2 that we sent, and the queue of those that wait (MQTT 5.0 §4.3, §4.4, §4.9).
 *
 * The order of the maps is the order of sending, so that a resumed session repeats it. [MQTT-4.6.0-1]
 */
import type { ReasonCode } from '../codec/reason-code.ts';
import type { ClientError } from './client-error.ts';
import type { Publication } from './settings.ts';

/** How the broker took a message. */
export interface PublishOutcome {
  /** Of PUBACK, PUBREC (when it is an error) or PUBCOMP; 0x00 for QoS 0 and in MQTT 3.x. */
  readonly reasonCode: ReasonCode;
  readonly reasonString?: string;
}

/** Told once how it ended. */
export type Settle = (error: ClientError | undefined, outcome: PublishOutcome) => void;

/** A message on its way. */
export interface Exchange {
  readonly publication: Publication;
  readonly settle: Settle | undefined;
  /** 0 while it waits. */
  packetId: number;
}

export class Exchanges {
  /** PUBLISH sent, no PUBACK or PUBREC yet: Packet Identifier → exchange. */
  readonly unacknowledged = new Map<number, Exchange>();
  /** PUBREL sent, no PUBCOMP yet, in the order of the PUBRECs. [MQTT-4.6.0-4] */
  readonly released = new Map<number, Exchange>();
  #waiting: Exchange[] = [];
  #first = 0;
  #waitingBytes = 0;
  /** Exchanges that the broker allows at once on this connection. */
  window = 0;

  /** Messages that wait to be sent. */
  get waitingCount(): number {
    return this.#waiting.length - this.#first;
  }

  /** Bytes of their payloads. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether one more QoS 1 or 2 message may be sent. [MQTT-4.9.0-2] */
  get hasRoom(): boolean {
    return this.unacknowledged.size + this.released.size < this.window;
  }

  /** Whether nothing is under way or waiting. */
  get isIdle(): boolean {
    return this.waitingCount === 0 && this.unacknowledged.size === 0 && this.released.size === 0;
  }

  enqueue(exchange: Exchange): void {
    this.#waiting.push(exchange);
    this.#waitingBytes += exchange.publication.payload.length;
  }

  /** The message whose turn it is. */
  peek(): Exchange | undefined {
    return this.#waiting[this.#first];
  }

  shift(): Exchange | undefined {
    const exchange = this.#waiting[this.#first];
    if (exchange === undefined) return undefined;
    this.#first++;
    this.#waitingBytes -= exchange.publication.payload.length;
    if (this.#first === this.#waiting.length) {
      this.#waiting = [];
      this.#first = 0;
    } else if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return exchange;
  }

  /** Takes the messages of QoS 0 out of those that wait. */
  takeQos0(): readonly Exchange[] {
    const waiting = this.#waiting.slice(this.#first);
    const taken = waiting.filter((exchange) => exchange.publication.qos === 0);
    this.#waiting = waiting.filter((exchange) => exchange.publication.qos > 0);
    this.#first = 0;
    for (const exchange of taken) this.#waitingBytes -= exchange.publication.payload.length;
    return taken;
  }

  /**
   * The broker has forgotten the session: messages it did not acknowledge become new ones, ahead of those that wait; those it
   * had received (PUBREC) are done.
   *
   * @returns the exchanges that are over
   */
  restart(): readonly Exchange[] {
    const done = [...this.released.values()];
    const again = [...this.unacknowledged.values()];
    this.released.clear();
    this.unacknowledged.clear();
    for (const exchange of again) {
      exchange.packetId = 0;
      this.#waitingBytes += exchange.publication.payload.length;
    }
    this.#waiting = [...again, ...this.#waiting.slice(this.#first)];
    this.#first = 0;
    return done;
  }

  /** Takes everything out. */
  clear(): readonly Exchange[] {
    const all = [...this.released.values(), ...this.unacknowledged.values(), ...this.#waiting.slice(this.#first)];
    this.released.clear();
    this.unacknowledged.clear();
    this.#waiting = [];
    this.#first = 0;
    this.#waitingBytes = 0;
    return all;
  }
}
