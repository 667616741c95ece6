import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { closeWriter, openForReading, openForWriting } from './open-database.ts';
import { checkSchema, ForeignDatabase, schemaVersion } from './schema.ts';
import { sqliteDriver } from './sqlite.ts';

let folder = '';
let file = '';
const lines: string[] = [];
const open = () => openForWriting(file, systemClock(), (_, text) => lines.push(text));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
  file = join(folder, 'history.db');
  lines.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('half a transaction of a process that was killed is rolled back', () => {
  const database = open();
  const insert = database.prepare('INSERT INTO topic (name, messages, bytes) VALUES (?, 0, 0)');
  database.exec('BEGIN');
  for (let count = 0; count < 500; count++) insert.run(`old ${count} ${'x'.repeat(200)}`);
  database.exec('COMMIT');
  closeWriter(database);
  // With hardly any cache, changed pages go to the file before the end of the transaction.
  const { signal } = spawnSync(process.execPath, [
    '-e',
    `const { Database } = require('node-sqlite3-wasm');
     const database = new Database(${JSON.stringify(file)});
     database.exec("PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 5; BEGIN; UPDATE topic SET name = 'new' || id || name");
     process.kill(process.pid, 'SIGKILL');`,
  ]);
  expect(signal).toBe('SIGKILL');
  expect(statSync(`${file}-journal`).size).toBeGreaterThan(0);

  const again = open();
  expect(again.prepare("SELECT count(*) AS n FROM topic WHERE name LIKE 'old %'").get()?.['n']).toBe(500);
  expect(again.prepare('PRAGMA integrity_check').get()?.['integrity_check']).toBe('ok');
  closeWriter(again);
  expect(lines).toEqual([]);
});

test('the lock of a process that was killed does not keep anybody out', () => {
  closeWriter(open());
  mkdirSync(`${file}.lock`);
  const database = open();
  database.exec("INSERT INTO topic (name, messages, bytes) VALUES ('a', 0, 0)");
  closeWriter(database);
  expect(existsSync(`${file}.lock`)).toBe(false);

  mkdirSync(`${file}.lock`);
  const reader = openForReading(file, Date.now() + 120_000);
  expect(reader.prepare('SELECT name FROM topic').get()?.['name']).toBe('a');
  reader.close();
});

test('a database of a newer version, or of another program, is left as it is', () => {
  const database = open();
  database.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
  closeWriter(database);
  expect(open).toThrow(ForeignDatabase);
  expect(() => openForReading(file, Date.now())).toThrow(/newer version/);
  expect(lines).toEqual([]);

  file = join(folder, 'other.db');
  const other = sqliteDriver()?.(file, { isReadOnly: false });
  other?.exec('CREATE TABLE t (a)');
  other?.close();
  expect(open).toThrow(/no history/);
});

test.runIf(sqliteDriver('node:sqlite'))('either driver goes on where the other was killed', () => {
  const wasm = sqliteDriver('node-sqlite3-wasm');
  const native = open();
  expect(native.driver).toBe('node:sqlite');
  native.exec("INSERT INTO topic (name, messages, bytes) VALUES ('a', 0, 0)");
  const reader = openForReading(file, Date.now());
  expect(reader.driver).toBe('node:sqlite');
  expect(reader.prepare('SELECT name FROM topic').get()?.['name']).toBe('a');
  reader.close();
  closeWriter(native);
  const other = wasm?.(file, { isReadOnly: true });
  expect(other === undefined ? 0 : checkSchema(other)).toBe(schemaVersion);
  other?.close();
});
