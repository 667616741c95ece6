/** `moustique db`: checks, repairs, exports and imports a database while no broker uses it. */
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { FormatError } from '../store/byte-reader.ts';
import { systemDisk } from '../store/disk.ts';
import { exportLines } from '../store/export-format.ts';
import { ImportLines } from '../store/import-lines.ts';
import { type Examination, examine, type Held, repair, replaceDatabase, type Workbench } from '../store/maintenance.ts';
import { cutOffText } from '../store/recovery.ts';
import { StoreError } from '../store/store-error.ts';
import { actAsOwnerOf } from './act-as-owner.ts';
import { type DbJob, parseDbWords } from './db-words.ts';
import { errnoCode, errnoText } from './exit-code.ts';
import { LineTarget, linesOf } from './line-files.ts';
import { plainHelp } from './plain-help.ts';
import { dbTool } from './plain-options.ts';
import type { ToolIo } from './tool-io.ts';
import { UsageError } from './usage-error.ts';

/** Exit statuses; the manual page tells them. */
const fine = 0;
const damaged = 1;
const unusable = 2;
const wrongWords = 3;

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    io.stdout.text(plainHelp(dbTool, io.name));
    return fine;
  }
  try {
    const job = parseDbWords(words);
    const bench = { disk: systemDisk(), clock: systemClock() };
    switch (job.does) {
      case 'check':
        return check(job, bench, io);
      case 'repair':
        return await mend(job, bench, io);
      case 'export':
        return await writeOut(job, bench, io);
      case 'import':
        return await readIn(job, bench, io);
    }
  } catch (error) {
    if (error instanceof UsageError) {
      io.error(error.report(io.name));
      return wrongWords;
    }
    if (error instanceof StoreError)
      io.error(`${error.lines.filter((line) => !line.includes("Couldn't open")).join('\n')}\n`);
    else if (errnoCode(error) !== undefined) io.error(`Error: ${errnoText(error)}${pathOf(error)}.\n`);
    else throw error;
    return unusable;
  }
}

function check({ database, isJson }: DbJob, bench: Workbench, io: ToolIo): number {
  const found = lookAt(database, bench);
  if (isJson) {
    const { facts: _, ...findings } = found;
    io.stdout.text(`${JSON.stringify({ database, ...findings }, null, 2)}
`);
  } else {
    io.stdout.text(report(database, found));
    if (isHurt(found))
      io.stdout.text(`\n'${io.name} repair' leaves out what cannot be read, and keeps a copy of the files.\n`);
  }
  return isHurt(found) ? damaged : fine;
}

async function mend({ database }: DbJob, bench: Workbench, io: ToolIo): Promise<number> {
  const found = lookAt(database, bench);
  io.stdout.text(report(database, found));
  if (!isHurt(found)) {
    io.stdout.text('\nThere is nothing to repair.\n');
    return fine;
  }
  actAsOwnerOf(database);
  const kept = await repair(database, bench);
  io.stdout.text(`\nRepaired. The files as they were are in ${kept}.\n`);
  return fine;
}

async function writeOut({ database, file }: DbJob, bench: Workbench, io: ToolIo): Promise<number> {
  const found = lookAt(database, bench);
  const target = new LineTarget(file, io);
  try {
    for (const line of exportLines(found.facts, io.now())) await target.add(line);
    await target.end();
  } catch (error) {
    target.abandon();
    throw error;
  }
  for (const line of found.complaints) io.error(`Error: ${line}\n`);
  io.error(`${held(found)} exported${isHurt(found) ? '; what is damaged is left out' : ''}.\n`);
  return isHurt(found) ? damaged : fine;
}

async function readIn({ database, file, isReplacing }: DbJob, bench: Workbench, io: ToolIo): Promise<number> {
  const lines = new ImportLines();
  let number = 0;
  try {
    for await (const line of linesOf(file, io)) {
      number++;
      lines.add(line);
    }
    lines.end();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    io.error(`Error: ${file}:${Math.max(number, 1)}: ${error.message}. Nothing was changed.\n`);
    return damaged;
  }
  actAsOwnerOf(database);
  const kept = await replaceDatabase(database, lines.facts, isReplacing, bench);
  io.error(`${held(lookAt(database, bench))} imported into ${database}.\n`);
  if (kept !== null) io.error(`The database that was there is in ${kept}.\n`);
  return fine;
}

/** @throws StoreError - also when there is nothing at all */
function lookAt(database: string, bench: Workbench): Examination {
  const found = examine(database, bench);
  if (found.snapshot === null && found.journal.files === 0 && found.complaints.length === 0) {
    throw new StoreError([`Error: There is no database ${database}.`]);
  }
  return found;
}

function isHurt({ complaints }: Examination): boolean {
  return complaints.length > 0;
}

function report(database: string, found: Examination): string {
  const { snapshot, journal, complaints, cutOff } = found;
  const journalPath = join(`${database}.journal`);
  const lines = [
    `Snapshot  ${database}: ${snapshotText(snapshot)}`,
    `Journal   ${journalPath}: ${journal.files === 0 ? 'empty' : `${plural(journal.files, 'file')}, ${plural(journal.groups, 'group')} after the snapshot, ${bytesText(journal.bytes)}`}`,
    ...(cutOff === null ? [] : [`Tail      ${cutOffText(cutOff)}`]),
    `Holds     ${held(found)}`,
    `Damage    ${complaints.length === 0 ? 'none' : plural(complaints.length, 'complaint')}`,
    ...complaints.map((line) => `  * ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

function snapshotText(snapshot: Examination['snapshot']): string {
  if (snapshot === null) return 'none';
  const { version, isOwn, isClean, bytes } = snapshot;
  const writer = isOwn ? `Moustique ${isClean ? 'at a clean stop' : 'while it ran'}` : 'Mosquitto';
  return `format ${version}, written by ${writer}, ${bytesText(bytes)}`;
}

const nouns: Readonly<Record<Held, string>> = {
  sessions: 'session',
  subscriptions: 'subscription',
  queued: 'message',
  received: 'incoming QoS 2 message',
  retained: 'retained message',
  wills: 'Will',
};

/** The sum of it, in words. */
function held({ counts }: Examination): string {
  return (Object.keys(nouns) as Held[])
    .map((kind) => `${plural(counts[kind], nouns[kind])}${kind === 'queued' ? ' queued or under way' : ''}`)
    .join(', ');
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

function bytesText(count: number): string {
  return plural(count, 'byte');
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error ? `: ${String(error.path)}` : '';
}
