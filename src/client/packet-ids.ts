/** Packet Identifiers of one session: one sequence for PUBLISH, SUBSCRIBE and UNSUBSCRIBE, skipping those in use. [MQTT-2.2.1-3] */
export class PacketIds {
  readonly #inUse = new Set<number>();
  #last = 0;

  /** How many are in use, at most 65,535. */
  get count(): number {
    return this.#inUse.size;
  }

  /** A free identifier, in use from now on; undefined when all 65,535 are taken. */
  take(): number | undefined {
    if (this.#inUse.size >= 65_535) return undefined;
    do {
      this.#last = (this.#last % 65_535) + 1;
    } while (this.#inUse.has(this.#last));
    this.#inUse.add(this.#last);
    return this.#last;
  }

  /** The next number of the sequence without taking it: Mosquitto numbers messages of QoS 0 too, in what it prints. */
  pass(): number {
    this.#last = (this.#last % 65_535) + 1;
    return this.#last;
  }

  free(packetId: number): void {
    this.#inUse.delete(packetId);
  }
}
