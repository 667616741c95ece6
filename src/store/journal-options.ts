/** What a journal is given: its disk, when its records count as safe, and whom it tells. */
import type { Clock } from '../base/clock.ts';
import type { Disk } from './disk.ts';

/** When an acknowledgement may leave. Commit: after fdatasync. Interval and os: after the write, synced every so often or never. */
export type SyncLevel =
  | { readonly kind: 'commit' }
  | { readonly kind: 'interval'; readonly milliseconds: number }
  | { readonly kind: 'os' };

export interface JournalOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly level: SyncLevel;
  readonly salt: number;
  /** Number of the first batch of this process. */
  readonly nextBatch: number;
  /** Bytes kept in memory while the disk does not take them; beyond that the journal gives up and waits for a snapshot. */
  readonly pendingBytesMax: number;
  /** Facts in a group after which the next one gathers; 600 when undefined, about 100,000 messages a second at QoS 1. */
  readonly gatherAbove: number | undefined;
  /** A group is about to be sealed: records that were held back for it are written now. */
  onSeal(): void;
  /** The last position that is safe has moved. */
  onCommitted(position: number): void;
  /** The disk began to fail (its error) or works again (null). */
  onTrouble(error: unknown): void;
  /** What was told cannot be kept any longer: only a snapshot makes it safe. */
  onOverflow(): void;
}
