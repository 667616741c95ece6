/** Opening the database: leftovers of a crash, damage, and the two ways of writing a journal. */
import { closeSync, existsSync, openSync, readSync, renameSync, rmdirSync, statSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { checkSchema, ForeignDatabase, prepareSchema } from './schema.ts';
import { type OpenSqlite, type Sqlite, sqliteDriver, sqliteFault } from './sqlite.ts';

/** Says something to the operator. */
export type Report = (level: 'error' | 'warning' | 'notice' | 'information', text: string) => void;

/** How long the lock of a reader is respected; one that stays longer was left by a process that was killed. */
const lockPatienceMs = 2000;
/** How long a statement waits for somebody else's lock. */
const busyTimeoutMs = 5000;
/** KiB of pages in memory. */
const cacheKib = 8192;

/**
 * Opens the database for the one process that writes; the caller has made sure that it is the only one.
 *
 * A damaged file is set aside and a new one begun. What a killed process left half written is rolled back.
 *
 * @throws ForeignDatabase, or what the driver throws when the file cannot be opened or made
 */
export function openForWriting(path: string, clock: Clock, report: Report): Sqlite {
  const open = sqliteDriver() as OpenSqlite; // one of the two is always there
  try {
    return prepared(open, path, clock);
  } catch (error) {
    if (error instanceof ForeignDatabase || sqliteFault(error) !== 'damaged') throw error;
    setAside(path, clock, report, error);
    return prepared(open, path, clock);
  }
}

/** Moves a damaged database away, journal and all, and says so. */
export function setAside(path: string, clock: Clock, report: Report, why: unknown): void {
  const stamp = new Date(clock.nowMs())
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  const away = `${path}.damaged-${stamp}`;
  for (const ending of ['', '-journal', '-wal', '-shm']) {
    if (existsSync(path + ending)) renameSync(path + ending, away + ending);
  }
  const reason = why instanceof Error ? why.message : String(why);
  report(
    'error',
    `Error: History: ${path} is damaged (${reason}). It was moved to ${away}, and a new database was begun.`,
  );
}

/** A lock this old is not that of somebody who reads or writes. */
const staleLockMs = 60_000;

/**
 * Opens the database for reading, also while a broker writes.
 *
 * How the file is written says by whom, and so whose locks count: a file that is written ahead is that of `node:sqlite`.
 *
 * @throws ForeignDatabase, or what the driver throws
 */
export function openForReading(path: string, nowMs: number): Sqlite {
  statSync(path);
  const isAhead = isWrittenAhead(path);
  const open = sqliteDriver(isAhead ? 'node:sqlite' : 'node-sqlite3-wasm');
  if (open === undefined) {
    throw new Error('the broker that writes it runs on Node.js 22.13 or newer; this command needs the same');
  }
  const lock = `${path}.lock`;
  if (!isAhead && existsSync(lock) && nowMs - statSync(lock).mtimeMs > staleLockMs) rmdirSync(lock);
  const database = open(path, { isReadOnly: true });
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; PRAGMA cache_size = -${cacheKib}`);
    if (checkSchema(database) === 0) throw new ForeignDatabase('holds no history');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepared(open: OpenSqlite, path: string, clock: Clock): Sqlite {
  const isNew = !existsSync(path) || statSync(path).size === 0;
  // What people publish is nobody else's business.
  if (isNew) closeSync(openSync(path, 'a', 0o600));
  const database = open(path, { isReadOnly: false });
  try {
    removeStaleLock(`${path}.lock`, clock);
    if (database.driver === 'node-sqlite3-wasm') {
      // Without shared memory a file that was written ahead can only be opened by one alone, who then changes that.
      const alone = isNew || !isWrittenAhead(path);
      const change = alone
        ? ''
        : 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL;';
      database.exec(`${change} PRAGMA busy_timeout = ${busyTimeoutMs}`);
    } else {
      database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    }
    if (isNew) database.exec('PRAGMA auto_vacuum = INCREMENTAL');
    const journal =
      database.driver === 'node:sqlite'
        ? 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;'
        : 'PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;';
    database.exec(`${journal} PRAGMA cache_size = -${cacheKib}`);
    prepareSchema(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Closes so that every SQLite tool and every version of Node can open the file. */
export function closeWriter(database: Sqlite): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE');
  } catch {
    // Somebody reads at the moment; the file stays as it is.
  }
  database.close();
}

/** Bytes 18 and 19 of a database say how it is written. */
function isWrittenAhead(path: string): boolean {
  const header = Buffer.alloc(20);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, header, 0, 20, 0);
  } finally {
    closeSync(descriptor);
  }
  return header[18] === 2;
}

/** Nobody else writes, and a reader is done in no time: a lock that stays is that of a process that was killed. */
function removeStaleLock(lock: string, clock: Clock): void {
  const lockOfNow = () => statSync(lock, { throwIfNoEntry: false })?.ctimeMs;
  let seen = lockOfNow();
  let endMs = clock.monotonicMs() + lockPatienceMs;
  while (seen !== undefined) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    const now = lockOfNow();
    if (now !== seen) endMs = clock.monotonicMs() + lockPatienceMs;
    else if (clock.monotonicMs() > endMs) {
      rmdirSync(lock);
      return;
    }
    seen = now;
  }
}
