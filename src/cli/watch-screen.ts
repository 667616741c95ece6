/** The screen of `--watch`: every topic has a line of its own, the first one the second line. */
import type { OutputBuffer } from './output-buffer.ts';

/** Topics that get a line; later ones share the last. */
const LINES_MAX = 10_000;

const CLEAR_SCREEN = '\x1b[2J\x1b[1;1H';

export class WatchScreen {
  readonly #out: OutputBuffer;
  /** Topic → line, from 2. */
  readonly #lines = new Map<string, number>();

  constructor(out: OutputBuffer) {
    this.#out = out;
  }

  /** Moves to the topic's line and empties it. */
  begin(topic: string): void {
    if (this.#lines.size === 0) this.#out.latin1(CLEAR_SCREEN);
    let line = this.#lines.get(topic);
    if (line === undefined) {
      line = Math.min(this.#lines.size, LINES_MAX - 1) + 2;
      if (this.#lines.size < LINES_MAX) this.#lines.set(topic, line);
    }
    this.#out.latin1(`\x1b[${line};1H\x1b[2K`);
  }

  /** The message was printed. */
  end(): void {
    this.#out.latin1(`\x1b[${Math.min(this.#lines.size, LINES_MAX) + 2};1H`);
  }
}
