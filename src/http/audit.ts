/** What was changed by whom. The last {@link entriesMax} changes of this process. */
import type { AuditRow } from './schema/broker.ts';

const entriesMax = 1000;

export class Audit {
  readonly #entries: AuditRow[] = [];

  add(entry: AuditRow): void {
    this.#entries.push(entry);
    if (this.#entries.length > entriesMax) this.#entries.shift();
  }

  /** Newest first. */
  get entries(): AuditRow[] {
    return this.#entries.toReversed();
  }
}
