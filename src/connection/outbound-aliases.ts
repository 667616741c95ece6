/**
 * Topic Aliases that the broker has set towards one client: first come, first served, never changed again.
 *
 * Mosquitto 2.1 does the same, up to `max_topic_alias_broker`.
 */
export class OutboundAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  /** @param maximum - the smaller of the client's Topic Alias Maximum and our own; at least 1 [MQTT-3.1.2-26] */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias of a topic, 0 when it has none. */
  find(topicName: string): number {
    return this.#aliases.get(topicName) ?? 0;
  }

  /** The alias that {@link add} would give the next topic, 0 when all are taken. */
  get next(): number {
    return this.#aliases.size < this.#maximum ? this.#aliases.size + 1 : 0;
  }

  /** Gives the topic the alias `next`; called once the packet that tells the client is on its way. */
  add(topicName: string): void {
    this.#aliases.set(topicName, this.#aliases.size + 1);
  }
}
