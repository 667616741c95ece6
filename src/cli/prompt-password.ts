/** Asks for a password on the terminal without showing it. */
import { createInterface } from 'node:readline';
import type { ToolIo } from './tool-io.ts';

/** Line ends and deletions as a terminal in raw mode sends them. */
const KEY = {
  interrupt: 0x03,
  endOfInput: 0x04,
  backspace: 0x08,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  erase: 0x15,
  delete: 0x7f,
} as const;

/** Reads answers one after the other; from a pipe, line by line. */
export class PasswordPrompt {
  readonly #io: ToolIo;
  readonly #show: (text: string) => void;
  #lines: AsyncIterator<string> | undefined;
  #typedAhead: Buffer = Buffer.alloc(0);

  /** @param isAside - ask on standard error, because standard output carries the result */
  constructor(io: ToolIo, isAside = false) {
    this.#io = io;
    this.#show = isAside ? (text) => io.error(text) : (text) => io.stdout.text(text);
  }

  /**
   * @param question - printed on standard output
   * @returns the answer without its line end; undefined when there is none or the user gave up
   */
  async ask(question: string): Promise<Buffer | undefined> {
    const { stdin } = this.#io;
    if (stdin.isTTY === true) return this.#askTerminal(question);
    this.#show(question);
    this.#lines ??= createInterface({ input: stdin.setEncoding('latin1'), crlfDelay: Number.POSITIVE_INFINITY })[
      Symbol.asyncIterator
    ]();
    const line = await this.#lines.next();
    if (line.done === true) return undefined;
    this.#show('\n');
    return Buffer.from(line.value, 'latin1');
  }

  /** Ends reading, so that the process can end. */
  close(): void {
    void this.#lines?.return?.();
    this.#io.stdin.destroy();
  }

  #askTerminal(question: string): Promise<Buffer | undefined> {
    const { stdin } = this.#io;
    return new Promise((resolve) => {
      const line = new TypedLine();
      const finish = (answer: Buffer | undefined) => {
        stdin.off('data', onData);
        stdin.setRawMode(false);
        stdin.pause();
        this.#show('\n');
        resolve(answer);
      };
      const onData = (chunk: Buffer) => {
        for (let index = 0; index < chunk.length; index++) {
          const state = line.type(chunk[index] ?? 0);
          if (state === 'goes on') continue;
          // What was typed ahead belongs to the next question.
          this.#typedAhead = chunk.subarray(index + 1);
          finish(state === 'done' ? line.bytes : undefined);
          return;
        }
      };
      // Before the question: whoever sees it may type at once, and must not see that.
      stdin.setRawMode(true);
      this.#show(question);
      stdin.on('data', onData);
      const ahead = this.#typedAhead;
      this.#typedAhead = Buffer.alloc(0);
      stdin.resume();
      if (ahead.length > 0) onData(ahead);
    });
  }
}

/** A line as it is typed, with its corrections. */
class TypedLine {
  #bytes: number[] = [];

  get bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  type(byte: number): 'goes on' | 'done' | 'given up' {
    switch (byte) {
      case KEY.interrupt:
      case KEY.endOfInput:
        return 'given up';
      case KEY.lineFeed:
      case KEY.carriageReturn:
        return 'done';
      case KEY.backspace:
      case KEY.delete:
        this.#bytes = withoutLastCharacter(this.#bytes);
        return 'goes on';
      case KEY.erase:
        this.#bytes = [];
        return 'goes on';
      default:
        this.#bytes.push(byte);
        return 'goes on';
    }
  }
}

/** A character of UTF-8 may have several bytes; those after the first begin with the bits 10. */
function withoutLastCharacter(bytes: readonly number[]): number[] {
  let end = bytes.length - 1;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.slice(0, Math.max(end, 0));
}
