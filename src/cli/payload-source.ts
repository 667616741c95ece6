/** Payloads from files and standard input. */
import { readFileSync } from 'node:fs';
import { errnoText } from './exit-code.ts';
import type { MessageSource } from './tool-options.ts';

/** Largest payload that fits into a PUBLISH whatever its topic. */
export const PAYLOAD_BYTES_MAX = 268_435_455;

/** A payload, or the lines for standard error. */
export type LoadedPayload = { readonly payload: Buffer } | { readonly error: string };

/**
 * The payload of every source but lines.
 *
 * @param stdin - read to its end only for `-s`
 */
export async function loadPayload(
  source: Exclude<MessageSource, { readonly from: 'lines' }>,
  stdin: () => AsyncIterable<Buffer | string>,
): Promise<LoadedPayload> {
  switch (source.from) {
    case 'argument':
      return { payload: source.payload };
    case 'nothing':
      return { payload: Buffer.alloc(0) };
    case 'file':
      return loadFile(source.path);
    case 'stdin':
      return loadStdin(stdin());
  }
}

function loadFile(path: string): LoadedPayload {
  const failed = `Error loading input file "${path}".\n`;
  let payload: Buffer;
  try {
    payload = readFileSync(path);
  } catch (error) {
    return { error: `Error: Unable to read file "${path}": ${errnoText(error)}.\n${failed}` };
  }
  if (payload.length >= PAYLOAD_BYTES_MAX) {
    return { error: `Error: File must be less than ${PAYLOAD_BYTES_MAX} bytes.\n\n${failed}` };
  }
  return { payload };
}

async function loadStdin(stdin: AsyncIterable<Buffer | string>): Promise<LoadedPayload> {
  const failed = 'Error loading input from stdin.\n';
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    chunks.push(bytes);
    length += bytes.length;
    if (length >= PAYLOAD_BYTES_MAX)
      return { error: `Error: Input must be less than ${PAYLOAD_BYTES_MAX} bytes.\n\n${failed}` };
  }
  if (length === 0) return { error: `Error: Zero length input.\n${failed}` };
  return { payload: Buffer.concat(chunks, length) };
}

const LF = 0x0a;

/** Cuts chunks into lines without their line feeds. */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** Calls back for each line that is complete; its bytes belong to the chunk, which must not be changed. */
  push(chunk: Buffer, onLine: (line: Buffer) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      onLine(this.#join(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#rest.push(chunk.subarray(start));
      this.#restBytes += chunk.length - start;
    }
  }

  /** The last line, when no line feed follows it. */
  end(): Buffer | undefined {
    return this.#restBytes === 0 ? undefined : this.#join(Buffer.alloc(0));
  }

  /** Bytes of a line whose end has not come. */
  get heldBytes(): number {
    return this.#restBytes;
  }

  #join(last: Buffer): Buffer {
    if (this.#restBytes === 0) return last;
    const line = Buffer.concat([...this.#rest, last], this.#restBytes + last.length);
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }
}
