/** `moustique_passwd`: makes and edits password files. */
import { existsSync, readFileSync } from 'node:fs';
import {
  formatPasswordHash,
  type HashChoices,
  hashPassword,
  PASSWORD_SCHEMES,
  type PasswordScheme,
} from '../security/password-hash.ts';
import { CorruptPasswordFile, PasswordLines } from '../security/password-lines.ts';
import { createPrivateFile, replaceFile } from '../security/replace-file.ts';
import { atol } from './c-numbers.ts';
import { errnoText } from './exit-code.ts';
import { plainHelp } from './plain-help.ts';
import { passwdTool } from './plain-options.ts';
import { PasswordPrompt } from './prompt-password.ts';
import type { ToolIo } from './tool-io.ts';

const FAILED = 1;
const DIFFERENT_PASSWORDS = 2;

/** The command line, taken apart. */
interface Job {
  readonly does: 'set' | 'delete' | 'hash-all';
  readonly isNew: boolean;
  readonly file: string;
  readonly username: string;
  /** Given with `-b`; otherwise it is asked for. */
  readonly password: string | undefined;
  readonly choices: HashChoices;
}

/** Ends the tool with a text for standard error. */
class Stop extends Error {
  readonly status: number;

  constructor(text: string, status = FAILED) {
    super(text);
    this.status = status;
  }
}

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  try {
    const job = parse(words);
    if (job === undefined) {
      io.stdout.text(plainHelp(passwdTool, io.name));
      return FAILED;
    }
    await run(job, io);
    return 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    io.error(`${error.message}\n`);
    return error.status;
  }
}

/** Options stand before the file; undefined asks for the usage text. */
function parse(words: readonly string[]): Job | undefined {
  const flags = new Set<string>();
  let scheme: PasswordScheme | undefined;
  let iterations: number | undefined;
  let saltBytes: 12 | 64 | undefined;
  let index = 0;
  for (; words[index]?.startsWith('-') && words[index] !== '-'; index++) {
    const word = words[index] ?? '';
    switch (word) {
      case '-b':
      case '-c':
      case '-D':
      case '-U':
        flags.add(word);
        break;
      case '-H':
        scheme = schemeOf(words[++index]);
        break;
      case '-I':
        iterations = iterationsOf(words[++index]);
        break;
      case '--salt-bytes':
        saltBytes = saltBytesOf(words[++index]);
        break;
      default:
        return undefined;
    }
  }
  checkConflicts(flags);
  const [file, username, password, ...others] = words.slice(index);
  const choices: HashChoices = {
    ...(scheme !== undefined && { scheme }),
    ...(iterations !== undefined && { iterations }),
    ...(saltBytes !== undefined && { saltBytes }),
  };
  const common = { isNew: flags.has('-c'), file: file ?? '', username: username ?? '', password, choices };
  if (flags.has('-U')) {
    if (file === undefined) throw new Stop('Error: -U argument given but password file missing.');
    return username === undefined ? { ...common, does: 'hash-all' } : undefined;
  }
  if (others.length > 0 || (password !== undefined) !== flags.has('-b') || username === undefined) {
    for (const flag of ['-c', '-D']) {
      if (flags.has(flag) && !flags.has('-b') && username === undefined) {
        throw new Stop(`Error: ${flag} argument given but password file or username missing.`);
      }
    }
    return undefined;
  }
  return { ...common, does: flags.has('-D') ? 'delete' : 'set' };
}

function checkConflicts(flags: ReadonlySet<string>): void {
  for (const [one, other] of [
    ['-c', '-D'],
    ['-c', '-U'],
    ['-D', '-U'],
    ['-b', '-D'],
  ] as const) {
    if (flags.has(one) && flags.has(other)) throw new Stop(`Error: ${one} and ${other} cannot be used together.`);
  }
}

function schemeOf(word: string | undefined): PasswordScheme {
  if (word === undefined) throw new Stop('Error: -H argument given but not enough other arguments.');
  const scheme = PASSWORD_SCHEMES.find((name) => name === word);
  if (scheme === undefined) throw new Stop(`Error: Unknown hash type '${word}'`);
  return scheme;
}

function iterationsOf(word: string | undefined): number {
  if (word === undefined) throw new Stop('Error: -I argument given but not enough other arguments.');
  const iterations = atol(word);
  if (iterations < 1 || iterations > 2 ** 31 - 1) throw new Stop('Error: Number of iterations must be > 0.');
  return iterations;
}

function saltBytesOf(word: string | undefined): 12 | 64 {
  if (word === '12') return 12;
  if (word === '64') return 64;
  throw new Stop('Error: --salt-bytes must be 12 or 64.');
}

async function run(job: Job, io: ToolIo): Promise<void> {
  switch (job.does) {
    case 'hash-all':
      return edit(job.file, (lines) => lines.hashPlainTexts((password) => hashed(password, job.choices)));
    case 'delete':
      checkUsername(job.username);
      return edit(job.file, async (lines) => {
        if (!lines.delete(latin1(job.username, io))) {
          throw new Stop(`Warning: User ${job.username} not found in password file.`);
        }
      });
    case 'set':
      checkUsername(job.username);
      return setPassword(job, io);
  }
}

async function setPassword(job: Job, io: ToolIo): Promise<void> {
  const username = latin1(job.username, io);
  if (job.file === '-') {
    const password = await passwordOf(job, io);
    io.stdout.write(Buffer.from(`${username}:${await hashed(password, job.choices)}\n`, 'latin1'));
    return;
  }
  // What can fail does so before somebody types a password in vain.
  if (job.isNew && existsSync(job.file)) throw cannotWrite(job.file, 'File exists');
  if (!job.isNew) readLines(job.file);
  const password = await passwordOf(job, io);
  const hash = await hashed(password, job.choices);
  if (job.isNew) {
    create(job.file, Buffer.from(`${username}:${hash}\n`, 'latin1'));
    io.stdout.text(`Adding password for user ${job.username}\n`);
    return;
  }
  await edit(job.file, async (lines) => {
    const outcome = lines.set(username, hash);
    io.stdout.text(`${outcome === 'added' ? 'Adding' : 'Updating'} password for user ${job.username}\n`);
  });
}

/** Mosquitto: a user name may hold no `:` and no control characters. */
function checkUsername(username: string): void {
  if (username.includes(':')) throw new Stop("Error: Username must not contain the ':' character.");
  for (const character of username) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
      throw new Stop('Error: Username must not contain control characters.');
    }
  }
  if (username === '') throw new Stop('Error: Empty username.');
  if (Buffer.byteLength(username) > 65_535) throw new Stop('Error: Username must be less than 65536 characters long.');
}

async function passwordOf(job: Job, io: ToolIo): Promise<Buffer> {
  if (job.password !== undefined) {
    return io.bytesOf(job.password);
  }
  const prompt = new PasswordPrompt(io, job.file === '-');
  try {
    const first = await prompt.ask('Password: ');
    if (first === undefined || first.length === 0) throw new Stop('Error: Empty password.');
    const second = await prompt.ask('Reenter password: ');
    if (second === undefined || second.length === 0) throw new Stop('Error: Empty password.');
    if (!first.equals(second)) throw new Stop('Error: Passwords do not match.', DIFFERENT_PASSWORDS);
    return first;
  } finally {
    prompt.close();
  }
}

async function hashed(password: Buffer, choices: HashChoices): Promise<string> {
  return formatPasswordHash(await hashPassword(password, choices));
}

function latin1(username: string, io: ToolIo): string {
  return io.bytesOf(username).toString('latin1');
}

function readLines(file: string): PasswordLines {
  let content: string;
  try {
    content = readFileSync(file, 'latin1');
  } catch (error) {
    throw new Stop(`Error: Unable to open password file ${file}. ${errnoText(error)}.`);
  }
  try {
    return new PasswordLines(content);
  } catch (error) {
    if (!(error instanceof CorruptPasswordFile)) throw error;
    throw new Stop(`Error: ${error.message}`);
  }
}

async function edit(file: string, change: (lines: PasswordLines) => Promise<void>): Promise<void> {
  const lines = readLines(file);
  await change(lines);
  try {
    replaceFile(file, Buffer.from(lines.content, 'latin1'));
  } catch (error) {
    throw cannotWrite(file, errnoText(error));
  }
}

function cannotWrite(file: string, why: string): Stop {
  return new Stop(`Error: Unable to open file ${file} for writing. ${why}.`);
}

function create(file: string, content: Buffer): void {
  try {
    createPrivateFile(file, content);
  } catch (error) {
    throw cannotWrite(file, errnoText(error));
  }
}
