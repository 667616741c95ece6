/**
 * SQLite by whichever of two ways there is: `node:sqlite` since Node 22.13, before that `node-sqlite3-wasm`.
 *
 * Both are synchronous, so neither is used on the event loop of the broker. They differ in how they lock a file. `node:sqlite`
 * locks as every SQLite does, and writes ahead (WAL), so that others read meanwhile. `node-sqlite3-wasm` has neither shared
 * memory nor locks of the system: it makes a directory `FILE.lock` as long as it reads or writes, as SQLite's own
 * `unix-dotfile` does, and keeps a rollback journal. `open-database.ts` deals with what follows from that.
 */
import type { accessSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

export type SqliteValue = number | bigint | string | Uint8Array | null;
export type SqliteRow = Readonly<Record<string, SqliteValue>>;

export interface Statement {
  /** @returns how many rows were changed */
  run(...values: readonly SqliteValue[]): number;
  all(...values: readonly SqliteValue[]): SqliteRow[];
  /** The only row, or none. */
  get(...values: readonly SqliteValue[]): SqliteRow | undefined;
}

export interface Sqlite {
  readonly driver: 'node:sqlite' | 'node-sqlite3-wasm';
  exec(sql: string): void;
  /** The statement of this text, which lives until the database is closed; texts are few and have no values in them. */
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a file. @throws what the driver throws; {@link sqliteFault} says what it was */
export type OpenSqlite = (path: string, options: { readonly isReadOnly: boolean }) => Sqlite;

/** The part of `node:sqlite` that is used; the types of Node 20 do not have it. */
interface NodeSqlite {
  readonly DatabaseSync: new (
    path: string,
    options: { readonly readOnly: boolean },
  ) => {
    exec(sql: string): void;
    prepare(sql: string): {
      run(...values: readonly SqliteValue[]): { readonly changes: number | bigint };
      all(...values: readonly SqliteValue[]): SqliteRow[];
      get(...values: readonly SqliteValue[]): SqliteRow | undefined;
    };
    close(): void;
  };
}

/**
 * The way there is.
 *
 * @param wanted - absent: the better one
 * @returns undefined when `wanted` is not there
 */
export function sqliteDriver(wanted?: Sqlite['driver']): OpenSqlite | undefined {
  if (wanted !== 'node-sqlite3-wasm') {
    const native = loadNative();
    if (native !== undefined || wanted !== undefined) return native;
  }
  return loadWasm();
}

function loadNative(): OpenSqlite | undefined {
  const { emitWarning } = process;
  // Node 22 warns on standard error that the module is experimental, which is no news for the operator of a broker.
  process.emitWarning = () => {};
  let module: NodeSqlite | undefined;
  try {
    module = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined; // unknown to the types of Node 20
  } finally {
    process.emitWarning = emitWarning;
  }
  if (module === undefined) return undefined;
  const { DatabaseSync } = module;
  return (path, { isReadOnly }) => {
    const database = new DatabaseSync(path, { readOnly: isReadOnly });
    return {
      driver: 'node:sqlite',
      exec: (sql) => database.exec(sql),
      prepare: once((sql) => {
        const statement = database.prepare(sql);
        return {
          run: (...values) => Number(statement.run(...values).changes),
          all: (...values) => statement.all(...values),
          get: (...values) => statement.get(...values),
        };
      }),
      close: () => database.close(),
    };
  };
}

function loadWasm(): OpenSqlite {
  // CommonJS, and beside its .wasm file: never part of a bundle.
  const require = createRequire(import.meta.url);
  const { Database } = require('node-sqlite3-wasm') as typeof import('node-sqlite3-wasm'); // what that name stands for
  return (name, { isReadOnly }) => {
    const path = resolve(name);
    forgetOwnLock(path, require('node:fs') as { accessSync: typeof accessSync }); // the module object itself, not a copy of it
    const database = new Database(path, isReadOnly ? { readOnly: true } : {});
    const statements: { finalize(): void }[] = [];
    return {
      driver: 'node-sqlite3-wasm',
      exec: (sql) => database.exec(sql),
      prepare: once((sql) => {
        const statement = database.prepare(sql);
        statements.push(statement);
        return {
          run: (...values) => statement.run([...values]).changes,
          all: (...values) => statement.all([...values]) as SqliteRow[], // not expanded
          // Its own `get` leaves the statement open, in the way of the next COMMIT.
          get: (...values) => statement.all([...values])[0] as SqliteRow | undefined, // not expanded
        };
      }),
      close: () => {
        // Memory of WebAssembly that nobody collects.
        for (const statement of statements) statement.finalize();
        database.close();
      },
    };
  };
}

/** Prepares each text once. */
function once(prepare: (sql: string) => Statement): (sql: string) => Statement {
  const prepared = new Map<string, Statement>();
  return (sql) => {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = prepare(sql);
      prepared.set(sql, statement);
    }
    return statement;
  };
}

/** Locks that are not seen by {@link forgetOwnLock}'s function. */
const unseenLocks = new Set<string>();

/**
 * Lets SQLite see that a transaction was cut off by a crash.
 *
 * It rolls such a one back when nobody has the database reserved. `node-sqlite3-wasm` answers that question by looking for
 * `FILE.lock`, which it has just made itself, so that no journal is ever played back and half a transaction stays. Whoever gets
 * to ask holds the lock and is alone, so the answer is always no: that look does not see the file.
 *
 * @param fs - the module object that `node-sqlite3-wasm` uses as well
 */
function forgetOwnLock(path: string, fs: { accessSync: typeof accessSync }): void {
  unseenLocks.add(`${path}.lock`);
  if (unseenLocks.size > 1) return;
  const look = fs.accessSync;
  fs.accessSync = (name, mode) => {
    if (typeof name === 'string' && unseenLocks.has(name)) throw new Error('not seen');
    look(name, mode);
  };
}

/** Reads many times from one state of the file; taking the lock for every statement costs a millisecond. */
export function inOneRead<T>(database: Sqlite, read: () => T): T {
  database.exec('BEGIN');
  try {
    return read();
  } finally {
    database.exec('COMMIT');
  }
}

/** What an error of either driver means. */
export type SqliteFault = 'damaged' | 'busy' | 'full' | 'read-only' | 'other';

export function sqliteFault(error: unknown): SqliteFault {
  const text = error instanceof Error ? error.message.toLowerCase() : String(error);
  if (/malformed|not a database|corrupt/.test(text)) return 'damaged';
  if (/locked|busy/.test(text)) return 'busy';
  if (/\bfull\b/.test(text)) return 'full';
  if (/readonly|read-only/.test(text)) return 'read-only';
  return 'other';
}
