/**
 * What a tool has around it: its standard streams, environment, clock and signals. Tests hand in their own.
 */

import { readFileSync } from 'node:fs';
import { type Clock, wakefulClock } from '../base/clock.ts';
import { OutputSink } from './output-sink.ts';

/** Standard output, or what stands for it. */
export interface ToolOutput {
  readonly isTerminal: boolean;
  /** Whether bytes given to `write` may be reused when it returns. */
  readonly isSynchronous: boolean;
  /** The bytes must not be changed afterwards, see `isSynchronous`. Returns false when more should wait for `onDrain`. */
  write(bytes: Buffer): boolean;
  text(text: string): void;
  /** Called when `write` returned false and there is room again. */
  onDrain(handler: () => void): void;
  /** Called once when nobody reads any more, or the disk is full. */
  onClose(handler: (error: Error) => void): void;
}

export interface ToolIo {
  /** Name under which the tool was called, without its path; it stands in messages. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: ToolOutput;
  /** Writes a text to standard error. */
  error(text: string): void;
  /** Bytes of a word of the command line, where they are not its UTF-8. */
  bytesOf(word: string): Buffer;
  /** Called for each SIGINT and SIGTERM. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM') => void): void;
  /** Timers that keep the process alive. */
  readonly clock: Clock;
  /** Milliseconds since 1970, with fractions. */
  now(): number;
  /** Resolves when everything written is with the system. */
  flush(): Promise<void>;
}

/** The real thing. */
export function processIo(name: string): ToolIo {
  const stdout = new OutputSink(1);
  let hasErrors = false;
  return {
    name,
    environment: process.env,
    get stdin() {
      return process.stdin;
    },
    stdout,
    error: (text) => {
      hasErrors = true;
      process.stderr.write(text);
    },
    async flush() {
      await stdout.flush();
      if (hasErrors) await new Promise<void>((resolve) => process.stderr.write('', () => resolve()));
    },
    bytesOf,
    onSignal(handler) {
      process.on('SIGINT', () => handler('SIGINT'));
      process.on('SIGTERM', () => handler('SIGTERM'));
    },
    clock: wakefulClock(),
    now: () => performance.timeOrigin + performance.now(),
  };
}

/** Node turns bytes that are no UTF-8 into U+FFFD; the system still knows them. */
function bytesOf(word: string): Buffer {
  const usual = Buffer.from(word);
  if (!word.includes('\ufffd')) return usual;
  try {
    const words = splitAtNul(readFileSync('/proc/self/cmdline'));
    return words.find((bytes) => bytes.toString() === word && !bytes.equals(usual)) ?? usual;
  } catch {
    return usual; // no such file outside Linux
  }
}

function splitAtNul(bytes: Buffer): readonly Buffer[] {
  const words: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    words.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return words;
}
