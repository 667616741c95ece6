/** What a file store is given. */
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Disk } from './disk.ts';
import type { SyncLevel } from './journal-options.ts';

export interface FileStoreOptions {
  /** Of the snapshot: `persistence_location` and `persistence_file`. */
  readonly path: string;
  /** Seconds between snapshots, or changes between them with `autosaveOnChanges`; 0 = only at the end. */
  readonly autosaveIntervalSeconds: number;
  readonly autosaveOnChanges: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When an acknowledgement may leave; `commit` when left out. */
  readonly level?: SyncLevel;
  /** The machine's when left out. */
  readonly disk?: Disk;
  /** Bytes after which the journal begins another file; 8 MiB when left out. */
  readonly segmentBytes?: number;
  /** The journal is folded into a snapshot when it is larger than this and than half a snapshot; 32 MiB when left out. */
  readonly compactBytes?: number;
  /** Bytes of a snapshot that are made in one go, while nothing else happens; 128 KiB when left out. */
  readonly blockBytes?: number;
  /** Facts in a group of the journal after which the next one gathers for a while; 600 when left out. */
  readonly gatherAbove?: number;
}
