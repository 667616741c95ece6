/**
 * The tables of a history database, which any SQLite tool opens.
 *
 * Two views are for people: `messages` and `samples`, with times as text. Below them:
 *
 * - `message`: one row per message. `at` is microseconds since 1970, made unique: the last three digits only order messages of
 *   one millisecond. `payload` is TEXT when it is UTF-8 without NUL, else a BLOB.
 * - `sample`: one row per number, `at` that of its message; `series` says of which topic and place in the payload.
 * - `rollup`: sums of samples over whole minutes, five minutes and hours (`width` in seconds, `at` the beginning), complete up to
 *   `rolled_60` and so on in `state`.
 * - `topic`, `client`, `series`: names by number, with how much there is of each.
 */
import type { Sqlite } from './sqlite.ts';

/** Says that a database is ours: "MqHi". */
const applicationId = 0x4d71_4869;

/** Version of the tables; each step of {@link migrations} leads from one to the next. */
export const schemaVersion = 1;

const tables = `
CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE client (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last_at INTEGER NOT NULL);
CREATE INDEX client_last_at ON client (last_at);
CREATE TABLE message (
  at INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL,
  client INTEGER NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  payload NOT NULL
);
CREATE INDEX message_topic ON message (topic);
CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  topic INTEGER NOT NULL,
  field TEXT NOT NULL,
  samples INTEGER NOT NULL,
  UNIQUE (topic, field)
);
CREATE TABLE sample (series INTEGER, at INTEGER, value REAL NOT NULL, PRIMARY KEY (series, at)) WITHOUT ROWID;
CREATE TABLE rollup (
  series INTEGER,
  width INTEGER,
  at INTEGER,
  samples INTEGER NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  sum REAL NOT NULL,
  last REAL NOT NULL,
  PRIMARY KEY (series, width, at)
) WITHOUT ROWID;
CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIEW messages AS
  SELECT strftime('%Y-%m-%d %H:%M:%f', at / 1000000.0, 'unixepoch') AS time, topic.name AS topic, client.name AS client,
    qos, retain, payload
  FROM message JOIN topic ON topic.id = message.topic JOIN client ON client.id = message.client;
CREATE VIEW samples AS
  SELECT strftime('%Y-%m-%d %H:%M:%f', at / 1000000.0, 'unixepoch') AS time, topic.name AS topic, field, value
  FROM sample JOIN series ON series.id = sample.series JOIN topic ON topic.id = series.topic;
`;

/** SQL that leads from version i + 1 to i + 2. */
const migrations: readonly string[] = [];

/** A database that a newer version wrote, or that is something else. */
export class ForeignDatabase extends Error {
  override readonly name = 'ForeignDatabase';
}

/**
 * Makes the tables of an empty database, or brings those of an older version up to date, in one transaction.
 *
 * @throws ForeignDatabase - nothing was changed
 */
export function prepareSchema(database: Sqlite): void {
  const version = checkSchema(database);
  if (version === schemaVersion) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    if (version === 0) database.exec(tables);
    else for (const sql of migrations.slice(version - 1)) database.exec(sql);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`);
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * The version of the tables, 0 for an empty database.
 *
 * @throws ForeignDatabase
 */
export function checkSchema(database: Sqlite): number {
  const version = pragma(database, 'user_version');
  const id = pragma(database, 'application_id');
  const tablesCount = Number(database.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n']);
  if (tablesCount === 0) return 0;
  if (id !== applicationId) throw new ForeignDatabase('is an SQLite database, but no history');
  if (version > schemaVersion)
    throw new ForeignDatabase(`was written by a newer version (its tables are version ${version})`);
  return version;
}

/** The number that a PRAGMA answers. */
export function pragma(database: Sqlite, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get();
  return Number(row === undefined ? 0 : Object.values(row)[0]);
}
