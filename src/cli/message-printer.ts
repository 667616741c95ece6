/** Prints received messages into an output buffer as `-v`, `-F`, `-N` and `--pretty` ask. */
import type { PublishPacket } from '../client/index.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { type Arrival, compileFormat, type OutputFormat, type PrintContext } from './output-format.ts';

/** Options of {@link MessagePrinter}. */
export interface PrinterOptions {
  /** `-F` */
  readonly format: string | undefined;
  readonly isVerbose: boolean;
  readonly hasNewline: boolean;
  readonly isPretty: boolean;
  /** Control characters of others would reach a terminal. */
  readonly isTerminal: boolean;
  /** Milliseconds since 1970 with fractions. */
  now(): number;
  /** A line for standard error. */
  complain(text: string): void;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const NULL_TEXT = Buffer.from('(null)');

export class MessagePrinter {
  readonly #out: OutputBuffer;
  readonly #options: PrinterOptions;
  readonly #format: OutputFormat | undefined;
  readonly #context: PrintContext;
  #arrival: Arrival | undefined;

  /** @throws UsageError - a format that cannot be understood */
  constructor(out: OutputBuffer, options: PrinterOptions) {
    this.#out = out;
    this.#options = options;
    this.#format = options.format === undefined ? undefined : compileFormat(options.format, options.isPretty);
    this.#context = {
      out,
      arrival: () => (this.#arrival ??= arrivalAt(options.now())),
      complain: (text) => options.complain(text),
      foreign: options.isTerminal
        ? (bytes, start, end) => printVisibly(out, bytes, start, end)
        : (bytes, start, end) => out.bytes(bytes, start, end),
    };
  }

  print(message: PublishPacket): void {
    const out = this.#out;
    const { payload, topic } = message;
    const { hasNewline, isVerbose } = this.#options;
    this.#arrival = undefined;
    if (this.#format !== undefined) {
      this.#format(message, this.#context);
      if (hasNewline) out.byte(NEWLINE);
      return;
    }
    if (isVerbose) {
      if (payload.length === 0 && !hasNewline) return;
      if (this.#options.isTerminal) {
        const bytes = Buffer.from(topic);
        printVisibly(out, bytes, 0, bytes.length);
      } else {
        out.utf8(topic);
      }
      out.byte(SPACE);
      if (payload.length === 0) out.bytes(NULL_TEXT);
    }
    // Mosquitto: an empty payload prints nothing at all, not even a line end.
    if (payload.length === 0 && !isVerbose) return;
    if (payload.length > 0) this.#context.foreign(payload, 0, payload.length);
    if (hasNewline) out.byte(NEWLINE);
  }
}

function arrivalAt(unixMs: number): Arrival {
  const whole = Math.floor(unixMs);
  const microseconds = Math.floor((unixMs - whole) * 1000);
  return { unixMs: whole, nanoseconds: (whole % 1000) * 1_000_000 + microseconds * 1000 };
}

const HEX = '0123456789abcdef';

/**
 * Control characters, which could move the cursor or worse, become `\xNN`; tabs and line ends stay. So do the bytes 80 to 9F where
 * they belong to no character of UTF-8: some terminals take them as control characters too.
 */
function printVisibly(out: OutputBuffer, bytes: Buffer, start: number, end: number): void {
  /** Bytes that still belong to the character that has begun. */
  let following = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    const isContinuation = (byte & 0xc0) === 0x80;
    if (isContinuation && following > 0) {
      following--;
      out.byte(byte);
      continue;
    }
    following = 0;
    if (byte === 0xc2 && index + 1 < end && isC1(bytes[index + 1] ?? 0)) {
      printHex(out, bytes[++index] ?? 0);
    } else if ((byte < 0x20 && byte !== 0x09 && byte !== NEWLINE) || byte === 0x7f || isC1(byte)) {
      printHex(out, byte);
    } else {
      following = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
      out.byte(byte);
    }
  }
}

function isC1(byte: number): boolean {
  return byte >= 0x80 && byte < 0xa0;
}

function printHex(out: OutputBuffer, byte: number): void {
  out.latin1(`\\x${HEX[byte >> 4]}${HEX[byte & 15]}`);
}
