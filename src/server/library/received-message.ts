/** An Application Message as handlers of the program get it. */
import { decodeForwardableSection } from '../../codec/property-section.ts';
import type { Message, Publisher } from '../../contracts/message.ts';
import type { MessageProperties } from './properties.ts';

/**
 * A message that the broker accepted.
 *
 * It owns its bytes and may be kept as long as you like. It is copied out of the network buffer once, whoever else gets it
 * too; so all handlers, and the broker itself, look at the same payload: do not write into it.
 */
export interface ReceivedMessage {
  /** Topic Name, with the mount point of the publisher's listener. */
  readonly topic: string;
  readonly payload: Buffer;
  /** As published. */
  readonly qos: 0 | 1 | 2;
  /** As published: the broker was asked to retain the message. */
  readonly retain: boolean;
  /** Whether the message was retained before, and comes now because the subscription is new. */
  readonly isRetained: boolean;
  /** Who published it; null for the program itself and for what the broker says, such as `$SYS`. */
  readonly publisher: Publisher | null;
  /** MQTT 5.0 properties; decoded when they are asked for first. */
  readonly properties: MessageProperties;
  /** The payload as UTF-8 text. */
  text(): string;
}

const noProperties: MessageProperties = Object.freeze({});

export class KeptMessage implements ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly isRetained: boolean;
  readonly publisher: Publisher | null;
  readonly #message: Message;
  readonly #nowMs: number;
  #properties: MessageProperties | null = null;

  /** @param message - transient or kept; it is kept now @param nowMs - wall clock at which the message was handed out */
  constructor(message: Message, isRetained: boolean, nowMs: number) {
    const kept = message.keep();
    this.topic = kept.topic.name;
    // Without properties the bytes are the payload and nothing else.
    const { payloadSource } = kept;
    this.payload = payloadSource.length === kept.payloadLength ? payloadSource : kept.payload;
    this.qos = kept.qos;
    this.retain = kept.retain;
    this.isRetained = isRetained;
    this.publisher = kept.publisher.clientId === '' ? null : kept.publisher;
    this.#message = kept;
    this.#nowMs = nowMs;
  }

  get properties(): MessageProperties {
    this.#properties ??= this.#decode();
    return this.#properties;
  }

  text(): string {
    return this.payload.toString('utf8');
  }

  #decode(): MessageProperties {
    const { propertiesSource, propertiesStart, propertiesEnd, expiresAtMs } = this.#message;
    if (propertiesStart === propertiesEnd) return noProperties;
    const properties = decodeForwardableSection(propertiesSource, propertiesStart, propertiesEnd);
    if (properties.messageExpiryInterval === undefined || expiresAtMs === 0) return properties;
    // What is left of it, as a client would be told. [MQTT-3.3.2-6]
    const secondsLeft = Math.max(0, Math.ceil((expiresAtMs - this.#nowMs) / 1000));
    return { ...properties, messageExpiryInterval: secondsLeft };
  }
}
