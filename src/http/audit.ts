/**
 * What was changed by whom, and what was refused: the last {@link entriesMax}, kept over a restart as lines of JSON in a file beside
 * the console's other one. What was refused to somebody unknown is not kept and has a list of its own, so that nobody without a
 * login can push out what others did, or fill the disk.
 */
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { replaceFile } from '../security/replace-file.ts';
import { type AuditRow, auditRow } from './schema/broker.ts';

const entriesMax = 1000;
const refusedMax = 100;
/** Lines after which the file is written anew with the last {@link entriesMax}. */
const linesMax = 2 * entriesMax;
/** Characters of a path, and of what it did, that are kept. */
const textMax = 500;

export class Audit {
  readonly #path: string | null;
  readonly #onFault: (error: Error) => void;
  readonly #entries: AuditRow[] = [];
  readonly #refused: AuditRow[] = [];
  #lines = 0;
  #isFaulty = false;

  /**
   * Reads the file, if there is one; lines that are none, such as one a crash cut off, are left out.
   *
   * @param path - null: nothing is kept
   * @param onFault - told when the file cannot be read or written, for the first time or again after it could
   */
  constructor(path: string | null, onFault: (error: Error) => void) {
    this.#path = path;
    this.#onFault = onFault;
    if (path === null) return;
    this.#guarded(() => {
      if (!existsSync(path)) return;
      const lines = readFileSync(path, 'utf8').split('\n');
      const cutOff = lines.pop();
      this.#lines = lines.length;
      for (const line of lines.slice(-entriesMax)) this.#entries.push(...rowOf(line));
      if (cutOff !== '') append(path, '\n');
    });
  }

  add(entry: AuditRow): void {
    const row = { ...entry, path: entry.path.slice(0, textMax), detail: entry.detail.slice(0, textMax) };
    if (row.user === '' && row.status >= 400) {
      this.#refused.push(row);
      if (this.#refused.length > refusedMax) this.#refused.shift();
      return;
    }
    this.#entries.push(row);
    if (this.#entries.length > entriesMax) this.#entries.shift();
    const path = this.#path;
    if (path === null) return;
    this.#guarded(() => {
      if (this.#lines === 0) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      if (++this.#lines <= linesMax) {
        append(path, lineOf(row));
        return;
      }
      replaceFile(path, Buffer.from(this.#entries.map(lineOf).join('')));
      this.#lines = this.#entries.length;
    });
  }

  /** Newest first. */
  get entries(): AuditRow[] {
    return [...this.#entries, ...this.#refused].sort((one, other) => one.atMs - other.atMs).toReversed();
  }

  #guarded(work: () => void): void {
    try {
      work();
      this.#isFaulty = false;
    } catch (error) {
      if (!this.#isFaulty) this.#onFault(error as Error);
      this.#isFaulty = true;
    }
  }
}

const lineOf = (row: AuditRow): string => `${JSON.stringify(row)}\n`;

function rowOf(line: string): AuditRow[] {
  try {
    return [v.parse(auditRow, JSON.parse(line))];
  } catch {
    return [];
  }
}

/** A symbolic link in the file's place is not followed. */
function append(path: string, text: string): void {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
