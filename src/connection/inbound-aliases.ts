/**
 * Topic Aliases that a client has set on one Network Connection.
 *
 * They die with the connection, not with the Session (MQTT 5.0 §3.3.2.3.4).
 */
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Topic } from '../contracts/message.ts';

export class InboundAliases {
  readonly #topics: (Topic | undefined)[];

  /** @param maximum - Topic Alias Maximum sent in CONNACK; 0 refuses every alias */
  constructor(maximum: number) {
    this.#topics = new Array<Topic | undefined>(maximum + 1).fill(undefined);
  }

  /** @throws ProtocolError - 0x94 for 0 or above the maximum [MQTT-3.3.2-8] [MQTT-3.3.2-9] */
  check(alias: number): void {
    if (alias > 0 && alias < this.#topics.length) return;
    throw new ProtocolError(
      ReasonCode.TopicAliasInvalid,
      'MQTT-3.3.2-9',
      `PUBLISH: Topic Alias ${alias} is out of range`,
    );
  }

  /** The alias stands for this topic from now on; it may have stood for another. */
  set(alias: number, topic: Topic): void {
    this.#topics[alias] = topic;
  }

  /** @throws ProtocolError - 0x82 for an alias that was never set (MQTT 5.0 §3.3.2.3.4) */
  get(alias: number): Topic {
    const topic = this.#topics[alias];
    if (topic !== undefined) return topic;
    throw new ProtocolError(ReasonCode.ProtocolError, '§3.3.2.3.4', `PUBLISH: Topic Alias ${alias} was never set`);
  }
}
