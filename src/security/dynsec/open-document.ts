/** The file of dynamic security at the start of a broker: read, or made when there is none. */
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { jsonFault } from '../../base/json-fault.ts';
import { hashPassword } from '../password-hash.ts';
import { malformed, readSecurityFile, SecurityFileError, unreadable } from '../security-file.ts';
import { parseDocument } from './document.ts';
import { firstState } from './first-state.ts';
import { formatDocument } from './format-document.ts';
import type { SecurityState } from './state.ts';
import { writeDocument } from './write-document.ts';

const loadError = 'Error loading Dynamic security plugin config';
/** Characters of a password that is given, at least. */
const givenPasswordMin = 12;
const madePasswordChars = 20;
/** Without those that look alike. */
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

/** Where the first password comes from. */
export interface FirstPassword {
  /** `plugin_opt_password_init_file`; its first line is the password. */
  readonly initFile: string | null;
  /** `MOSQUITTO_DYNSEC_PASSWORD`. */
  readonly fromEnvironment: string | undefined;
}

/** What was found, and lines for the log. */
export interface OpenedDocument {
  readonly state: SecurityState;
  readonly notices: readonly string[];
  readonly warnings: readonly string[];
}

/** @throws SecurityFileError - 13 when the file cannot be read or made, 3 when it is not understood */
export async function openDocument(
  path: string,
  allowSymlinks: boolean,
  first: FirstPassword,
): Promise<OpenedDocument> {
  if (!existsSync(path)) return await makeDocument(path, allowSymlinks, first);
  return readDocument(path, allowSymlinks);
}

/** Reads the file and changes nothing. @throws SecurityFileError */
export function readDocument(path: string, allowSymlinks: boolean): OpenedDocument {
  const cannotOpen = `${loadError}: Unable to open file "${path}".`;
  const { content, warnings } = readSecurityFile(path, { cannotOpen, allowSymlinks });
  const parsed = parseDocument(content, path);
  if (parsed.problems.length > 0) {
    const what = jsonFault(content) === null ? 'File is not understood.' : 'File is not valid JSON.';
    throw new SecurityFileError(
      [`${loadError}: ${what}`, ...parsed.problems.map((text) => `Error: ${text}`)],
      malformed,
    );
  }
  return { state: parsed.state, notices: [], warnings: [...warnings, ...parsed.warnings] };
}

async function makeDocument(path: string, allowSymlinks: boolean, first: FirstPassword): Promise<OpenedDocument> {
  const notices = ['Dynamic security plugin config not found, generating a default config.'];
  const given = givenPassword(allowSymlinks, first);
  const admin = given ?? madePassword();
  const democlient = given === null ? madePassword() : null;
  const hashed = async (password: string) => await hashPassword(Buffer.from(password));
  const state = firstState(await hashed(admin), democlient === null ? null : await hashed(democlient));
  try {
    if (democlient !== null) {
      // First the passwords: a file whose passwords nobody knows is of no use.
      await writePrivate(`${path}.pw`, `admin ${admin}\ndemoclient ${democlient}\n`);
      notices.push(`The passwords of admin and democlient are in ${path}.pw: keep them and delete that file.`);
    }
    await writeDocument(path, () => formatDocument(state));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SecurityFileError([`Error: Unable to write Dynamic security plugin config: ${why}.`], unreadable);
  }
  return { state, notices, warnings: [] };
}

/** @returns null when none is given */
function givenPassword(allowSymlinks: boolean, { initFile, fromEnvironment }: FirstPassword): string | null {
  if (initFile !== null) {
    const cannotOpen = `Error: Unable to open plugin_opt_password_init_file "${initFile}".`;
    const { content } = readSecurityFile(initFile, { cannotOpen, allowSymlinks });
    const password = (content.split('\n')[0] ?? '').trimEnd();
    if (password !== '') return password;
    throw new SecurityFileError(
      [`Error: The first line of "${initFile}" is empty, it should be a password.`],
      malformed,
    );
  }
  if (fromEnvironment === undefined) return null;
  if (fromEnvironment.length >= givenPasswordMin) return fromEnvironment;
  throw new SecurityFileError(
    [`Error: MOSQUITTO_DYNSEC_PASSWORD must have at least ${givenPasswordMin} characters.`],
    malformed,
  );
}

function madePassword(): string {
  return Array.from({ length: madePasswordChars }, () => alphabet[randomInt(alphabet.length)]).join('');
}

async function writePrivate(path: string, content: string): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
