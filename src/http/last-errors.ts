/** Why clients lost their connections: the last time of each, for the {@link clientsMax} clients to which it happened last. */
import type { Clock } from '../base/clock.ts';

/** With {@link idCharsMax}, about 6 MB at most. */
const clientsMax = 10_000;
/** Of clients with longer Client Identifiers nothing is kept. */
const idCharsMax = 256;
/** What the hooks say of a connection that its client ended with DISCONNECT. */
const noError = 'disconnected';

export interface LastError {
  readonly atMs: number;
  /** As in the log: "exceeded timeout" */
  readonly reason: string;
}

export class LastErrors {
  readonly #clock: Clock;
  /** Client Identifier → its last; those that happened last stand last. */
  readonly #errors = new Map<string, LastError>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A connection is over. */
  add(clientId: string, reason: string): void {
    if (reason === noError || clientId.length > idCharsMax) return;
    this.#errors.delete(clientId);
    this.#errors.set(clientId, { atMs: this.#clock.nowMs(), reason });
    if (this.#errors.size <= clientsMax) return;
    const [first] = this.#errors.keys();
    this.#errors.delete(first as string);
  }

  of(clientId: string): LastError | null {
    return this.#errors.get(clientId) ?? null;
  }
}
