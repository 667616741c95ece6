/** `moustique history`: reads the database of `history_topic`, also while a broker writes it. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { History, HistoryQueryResult, HistoryStats } from '../contracts/history.ts';
import { csvLine } from '../history/csv.ts';
import { openFileHistory } from '../history/file-history.ts';
import { errnoCode, errnoText } from './exit-code.ts';
import { type HistoryJob, parseHistoryWords } from './history-words.ts';
import { plainHelp } from './plain-help.ts';
import { historyTool } from './plain-options.ts';
import type { ToolIo } from './tool-io.ts';
import { UsageError } from './usage-error.ts';

/** Exit statuses; the manual page tells them. */
const fine = 0;
const senseless = 1;
const unusable = 2;
const wrongWords = 3;

const hourMs = 3_600_000;
const linesPerSeries = 100;
const seriesMax = 100;

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    io.stdout.text(plainHelp(historyTool, io.name));
    return fine;
  }
  let database = '';
  try {
    const job = parseHistoryWords(words, io.now());
    database = job.database;
    const history = openFileHistory(database, job.rules, io.now());
    try {
      await run(job, history, io);
    } finally {
      history.close();
    }
    return fine;
  } catch (error) {
    if (error instanceof UsageError) {
      io.error(error.report(io.name));
      return wrongWords;
    }
    if (!(error instanceof Error)) throw error;
    const isSenseless = error.name === 'HistoryFault' && (error as Error & { code?: string }).code === 'invalid';
    const why = errnoCode(error) === undefined ? error.message : errnoText(error);
    io.error(isSenseless ? `Error: ${why}.\n` : `Error: ${database}: ${why}.\n`);
    return isSenseless ? senseless : unusable;
  }
}

async function run(job: HistoryJob, history: History, io: ToolIo): Promise<void> {
  switch (job.does) {
    case 'stats': {
      const stats = await history.stats();
      io.stdout.text(job.isJson ? `${JSON.stringify(storedPart(stats), null, 2)}\n` : statsText(stats));
      return;
    }
    case 'query': {
      const { filter, field, bucketMs, toMs = io.now(), fromMs = toMs - hourMs } = job;
      const result = await history.query({
        ...{ filter, fromMs: Math.floor(fromMs), toMs: Math.ceil(toMs), seriesMax },
        ...(field === undefined ? {} : { field }),
        ...(bucketMs === undefined ? { bucketsMax: linesPerSeries } : { bucketMs, bucketsMax: 5000 }),
      });
      io.stdout.text(job.isJson ? `${JSON.stringify(result)}\n` : queryText(result));
      if (result.isTruncated) io.error(`Only the first ${seriesMax} series are shown; name topics with -t.\n`);
      return;
    }
    case 'export':
      await writeExport(job, history, io);
  }
}

async function writeExport(
  { filter, field, fromMs, toMs, what, format, output }: HistoryJob,
  history: History,
  io: ToolIo,
): Promise<void> {
  const pieces = history.exported({
    ...{ filter, what, format },
    ...(field === undefined ? {} : { field }),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  });
  if (output === '-') {
    let failure: Error | undefined;
    let goOn: (() => void) | undefined;
    io.stdout.onClose((error) => {
      failure = error;
      goOn?.();
    });
    io.stdout.onDrain(() => goOn?.());
    for await (const piece of pieces) {
      const isFull = !io.stdout.write(Buffer.from(piece));
      if (isFull && failure === undefined) await new Promise<void>((resolve) => void (goOn = resolve));
      if (failure === undefined) continue;
      // Nobody reads any more, which is no error of ours.
      if (errnoCode(failure) === 'EPIPE') return;
      throw failure;
    }
    return;
  }
  // What people publish is nobody else's business.
  const descriptor = openSync(`${output}.new`, 'w', 0o600);
  try {
    for await (const piece of pieces)
      for (let done = 0; done < piece.length; ) done += writeSync(descriptor, piece, done);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${output}.new`, output);
  } catch (error) {
    rmSync(`${output}.new`, { force: true });
    throw error;
  }
}

function queryText({ series }: HistoryQueryResult): string {
  const lines = [csvLine(['time', 'topic', 'field', 'count', 'min', 'max', 'avg', 'last'])];
  for (const { topic, field, times, count, min, max, avg, last } of series) {
    for (const [index, time] of times.entries()) {
      const numbers = [count, min, max, avg, last].map((column) => String(column[index]));
      lines.push(csvLine([new Date(time).toISOString(), topic, field, ...numbers]));
    }
  }
  return lines.join('');
}

/** What stands in the file; a process that only reads knows nothing of what the broker does at the moment. */
function storedPart(stats: HistoryStats): Partial<HistoryStats> {
  const { file, driver, fileBytes, usedBytes, topics, series, messages, samples, firstMs, lastMs, rules } = stats;
  return { file, driver, fileBytes, usedBytes, topics, series, messages, samples, firstMs, lastMs, rules };
}

function statsText({
  file,
  fileBytes,
  usedBytes,
  topics,
  series,
  messages,
  samples,
  firstMs,
  lastMs,
  rules,
}: HistoryStats): string {
  const time = (ms: number | null) => (ms === null ? '-' : new Date(ms).toISOString());
  const figures: readonly (readonly [name: string, value: string])[] = [
    ['file', `${file} (${sizeText(fileBytes)}, ${sizeText(usedBytes)} in use)`],
    ['messages', `${messages} of ${topics} topics`],
    ['numbers', `${samples} in ${series} series`],
    ['first', time(firstMs)],
    ['last', time(lastMs)],
    ...rules.map(({ filter, keepDays, maxBytes, ...rule }) => {
      const limits = [
        keepDays === null ? '' : ` keep ${keepDays} days`,
        maxBytes === null ? '' : ` max ${sizeText(maxBytes)}`,
      ];
      return [
        filter,
        `${rule.messages} messages of ${rule.topics} topics, about ${sizeText(rule.bytes)}${limits.join('')}`,
      ] as const;
    }),
  ];
  const width = Math.max(...figures.map(([name]) => name.length));
  return figures.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

function sizeText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = bytes < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}
