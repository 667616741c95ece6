/** Topic Aliases of one connection, both ways (MQTT 5.0 §3.3.2.3.4); they end with it. [MQTT-3.3.2-7] */
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';

/** Aliases that the broker sets. */
export class InboundAliases {
  readonly #names = new Map<number, string>();
  readonly #maximum: number;

  /** @param maximum - Topic Alias Maximum of our CONNECT */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * The Topic Name that a PUBLISH with an alias means.
   *
   * @param topic - as received; '' stands for the one set before
   * @throws ProtocolError - 0x94 above the maximum, 0x82 for one never set
   */
  resolve(topic: string, alias: number): string {
    if (alias < 1 || alias > this.#maximum) {
      throw new ProtocolError(ReasonCode.TopicAliasInvalid, 'MQTT-3.1.2-26', `Topic Alias ${alias} out of range`);
    }
    if (topic !== '') {
      this.#names.set(alias, topic);
      return topic;
    }
    const name = this.#names.get(alias);
    if (name === undefined) {
      throw new ProtocolError(ReasonCode.ProtocolError, '§3.3.2.3.4', `Topic Alias ${alias} was never set`);
    }
    return name;
  }
}

/** How a topic is written: the text ('' when an alias stands for it) and the alias, 0 for none. */
export interface OutboundTopic {
  readonly topic: string;
  readonly alias: number;
}

/** Aliases that we set. */
export class OutboundAliases {
  /** Alias → Topic Name that the broker knows it for. */
  readonly #set = new Map<number, string>();
  /** Topic Name → alias assigned by us. */
  readonly #assigned = new Map<string, number>();
  readonly #maximum: number;
  readonly #automatic: number;

  /**
   * @param maximum - Topic Alias Maximum of CONNACK [MQTT-3.2.2-17]
   * @param automatic - how many to assign without being asked
   */
  constructor(maximum: number, automatic: number) {
    this.#maximum = maximum;
    this.#automatic = Math.min(automatic, maximum);
  }

  /** @param wanted - alias that the caller chose; 0: choose one or none. One above the broker's maximum is left out. */
  write(topic: string, wanted: number): OutboundTopic {
    if (wanted > this.#maximum) return { topic, alias: 0 };
    const alias = wanted === 0 ? this.#assign(topic) : wanted;
    if (alias === 0) return { topic, alias };
    if (this.#set.get(alias) === topic) return { topic: '', alias };
    this.#set.set(alias, topic);
    return { topic, alias };
  }

  /** What `write` said of this topic was not sent, so the broker does not know the alias. */
  forget({ topic, alias }: OutboundTopic): void {
    if (topic !== '') this.#set.delete(alias);
  }

  /** First come, first served. */
  #assign(topic: string): number {
    if (this.#automatic === 0) return 0;
    const known = this.#assigned.get(topic);
    if (known !== undefined) return known;
    if (this.#assigned.size >= this.#automatic) return 0;
    const alias = this.#assigned.size + 1;
    this.#assigned.set(topic, alias);
    return alias;
  }
}
