/** Password files: one `username:hash` per line (see `password-hash.ts` for the hashes). */
import { type PasswordHash, parsePasswordHash } from './password-hash.ts';

/** A line that makes the whole file unusable, as Mosquitto 2.1 has it. */
export interface PasswordFileProblem {
  /** From 1. */
  readonly line: number;
  /** Mosquitto's words without the leading `Error: `, ending in a full stop. */
  readonly message: string;
}

export interface PasswordFile {
  /** User name → stored password. */
  readonly users: ReadonlyMap<string, PasswordHash>;
  /** Empty when the file can be used. */
  readonly problems: readonly PasswordFileProblem[];
}

const USERNAME_BYTES_MAX = 65_535;

/**
 * Reads a password file as the broker does.
 *
 * Lines that start with `#` and lines without `:` are skipped; user name and hash are trimmed; anything after a second `:` is
 * ignored. Every problem is reported, so that an operator sees all of them at once.
 *
 * @param content - the whole file, UTF-8
 * @param fileName - for the messages
 */
export function parsePasswordFile(content: string, fileName: string): PasswordFile {
  const users = new Map<string, PasswordHash>();
  const problems: PasswordFileProblem[] = [];
  const lines = content.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon < 0) continue;
    const add = (message: string) => problems.push({ line: index + 1, message });
    const username = line.slice(0, colon).trim();
    if (colon === 0) {
      add(`Invalid line in password file '${fileName}': ${line.trim()}.`);
      continue;
    }
    if (username === '') {
      add(`Empty username in password file '${fileName}'.`);
      continue;
    }
    if (Buffer.byteLength(username) > USERNAME_BYTES_MAX) {
      add(`Username too long in password file '${fileName}'.`);
      continue;
    }
    if (users.has(username)) {
      add(`Duplicate user '${username}' in password file '${fileName}'.`);
      continue;
    }
    const rest = line.slice(colon + 1);
    const end = rest.indexOf(':');
    const stored = parsePasswordHash((end < 0 ? rest : rest.slice(0, end)).trim());
    if (stored.ok) users.set(username, stored.value);
    else add(`Unable to decode line in password file '${fileName}'.`);
  }
  return { users, problems };
}
