/** A database at rest: looked at, put in order, written out as lines and made from lines. No broker may have it meanwhile. */
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger, LogType } from '../contracts/logger.ts';
import type { Fact } from '../contracts/store.ts';
import type { Disk } from './disk.ts';
import { encodeDatabase } from './mosquitto-db-write.ts';
import { Recovery } from './recovery.ts';
import { segmentName } from './segment-format.ts';
import { writeSnapshot } from './snapshot-file.ts';
import { StoreError } from './store-error.ts';

/** What a database is worked on with. */
export interface Workbench {
  readonly disk: Disk;
  readonly clock: Clock;
}

/** What is in a database, and what is wrong with it. */
export interface Examination {
  /** Null when there is no snapshot. */
  readonly snapshot: {
    readonly version: number;
    readonly isOwn: boolean;
    readonly isClean: boolean;
    readonly bytes: number;
  } | null;
  readonly journal: { readonly files: number; readonly groups: number; readonly bytes: number };
  readonly counts: Readonly<Record<Held, number>>;
  /** Stretches that cannot be read. */
  readonly damageCount: number;
  /** What the broker would say at its start, a line each. */
  readonly complaints: readonly string[];
  /** The write that the last process did not finish, which is no damage; null when there is none. */
  readonly cutOff: Recovery['cutOff'];
  readonly facts: readonly Fact[];
}

/** What a database holds. */
export type Held = 'sessions' | 'subscriptions' | 'queued' | 'received' | 'retained' | 'wills';

/**
 * Reads everything and changes nothing.
 *
 * @throws StoreError - a broker has it, it is no database, or one of a newer version
 */
export function examine(path: string, { disk, clock }: Workbench): Examination {
  const logger = new Complaints();
  const recovery = new Recovery(disk, path, clock, logger, 'look');
  try {
    const told = [...recovery.facts()];
    const facts = withoutDangling(told);
    const { snapshot, segments, damageCount, danglingCount } = recovery;
    const missing = danglingCount + told.length - facts.length;
    if (missing > 0) {
      logger.log('warning', `Warning: ${path}: what refers to something missing is left out (${missing} times).`);
    }
    return {
      snapshot: snapshot === null ? null : { ...snapshot, bytes: recovery.snapshotBytes },
      journal: { files: segments.length, groups: recovery.journalBatches, bytes: recovery.journalBytes },
      ...{ counts: countsOf(facts), damageCount, complaints: logger.lines, cutOff: recovery.cutOff, facts },
    };
  } finally {
    recovery.lock.release();
  }
}

/**
 * Writes what can be read as one whole snapshot, in place of a damaged snapshot and journal, which are kept.
 *
 * @returns where they are kept
 * @throws StoreError, or the disk's error; the database is then what it was
 */
export async function repair(path: string, { disk, clock }: Workbench): Promise<string> {
  const recovery = new Recovery(disk, path, clock, new Complaints());
  try {
    const facts = [...recovery.facts()];
    const kept = keep(disk, path, recovery, 'before-repair');
    await writeState(path, { disk, clock }, facts, recovery.lineage, recovery.nextBatch + 1);
    await removeSegments(disk, recovery);
    return kept;
  } finally {
    recovery.lock.release();
  }
}

/**
 * Makes a database of facts.
 *
 * @param mayReplace - whether one that is there already is put aside
 * @returns where the old one is kept, null when there was none
 * @throws StoreError, or the disk's error; the database is then what it was
 */
export async function replaceDatabase(
  path: string,
  facts: Iterable<Fact>,
  mayReplace: boolean,
  { disk, clock }: Workbench,
): Promise<string | null> {
  const recovery = new Recovery(disk, path, clock, new Complaints(), 'look');
  try {
    const isThere = disk.exists(path) || recovery.segments.length > 0;
    if (isThere && !mayReplace) {
      throw new StoreError([`Error: ${path} exists already; with --replace it is put aside and replaced.`]);
    }
    const kept = isThere ? keep(disk, path, recovery, 'before-import') : null;
    // Another lineage: a journal that could not be removed is never taken for a part of it.
    const lineage = clock.randomBytes(6).readUIntBE(0, 6);
    await writeState(path, { disk, clock }, [...facts], lineage, 1);
    await removeSegments(disk, recovery);
    return kept;
  } finally {
    recovery.lock.release();
  }
}

async function writeState(
  path: string,
  { disk, clock }: Workbench,
  facts: readonly Fact[],
  lineage: number,
  firstBatch: number,
): Promise<void> {
  let lastStoreId = 0;
  for (const fact of facts) if (fact.kind === 'message') lastStoreId = Math.max(lastStoreId, fact.message.storeId);
  const salt = clock.randomBytes(4).readUInt32BE();
  await writeSnapshot(disk, path, encodeDatabase(facts, { lineage, firstBatch, lastStoreId, isClean: true }, salt));
}

async function removeSegments(disk: Disk, { directory, segments }: Recovery): Promise<void> {
  for (const { number } of segments) await disk.remove(join(directory, segmentName(number)));
  if (segments.length > 0) await disk.syncDirectory(directory);
}

/** Gives snapshot and segments a second name in a directory beside the database; the first may then go. */
function keep(disk: Disk, path: string, { directory, segments }: Recovery, what: string): string {
  let folder = `${path}.${what}`;
  for (let number = 2; disk.exists(folder); number++) folder = `${path}.${what}.${number}`;
  disk.makeDirectory(folder);
  if (disk.exists(path)) disk.linkNow(path, join(folder, basename(path)));
  const journal = join(folder, basename(directory));
  if (segments.length > 0) disk.makeDirectory(journal);
  for (const { number } of segments)
    disk.linkNow(join(directory, segmentName(number)), join(journal, segmentName(number)));
  return join(dirname(path), basename(folder));
}

/** The facts without those that refer to a message or session that is not there. */
function withoutDangling(facts: readonly Fact[]): readonly Fact[] {
  const messages = new Set<number>();
  const sessions = new Set<string>();
  return facts.filter((fact) => {
    switch (fact.kind) {
      case 'message':
        messages.add(fact.message.storeId);
        return true;
      case 'session':
        sessions.add(fact.clientId);
        return true;
      case 'retained':
        return messages.has(fact.storeId);
      case 'delivery':
        return sessions.has(fact.clientId) && (fact.storeId === 0 || messages.has(fact.storeId));
      default:
        return sessions.has(fact.clientId);
    }
  });
}

function countsOf(facts: readonly Fact[]): Record<Held, number> {
  const counts = { sessions: 0, subscriptions: 0, queued: 0, received: 0, retained: 0, wills: 0 };
  for (const fact of facts) {
    if (fact.kind === 'session') counts.sessions++;
    else if (fact.kind === 'subscription') counts.subscriptions++;
    else if (fact.kind === 'delivery') counts[fact.direction === 'out' ? 'queued' : 'received']++;
    else if (fact.kind === 'retained') counts.retained++;
    else if (fact.kind === 'will') counts.wills++;
  }
  return counts;
}

/** Keeps errors and warnings, without the word in front. */
class Complaints implements Logger {
  readonly lines: string[] = [];

  log(type: LogType, line: string): void {
    if (type === 'error' || type === 'warning') this.lines.push(line.replace(/^(Error|Warning): /, ''));
  }

  enabled(): boolean {
    return true;
  }
}
