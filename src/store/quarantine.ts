/** Keeps what could not be read, so that nothing is thrown away unseen, and says so in the log; or says so only. */
import { join } from 'node:path';
import type { Logger } from '../contracts/logger.ts';
import type { Disk } from './disk.ts';

/** Further stretches are named in the log only. */
const filesMax = 1000;
const bytesMax = 64 * 1024 * 1024;

export class Quarantine {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #isKeeping: boolean;
  #bytes = 0;
  /** Stretches reported. */
  count = 0;

  /** @param isKeeping - whether copies are made; otherwise nothing on the disk changes */
  constructor(disk: Disk, directory: string, logger: Logger, isKeeping: boolean) {
    this.#disk = disk;
    this.#directory = directory;
    this.#logger = logger;
    this.#isKeeping = isKeeping;
  }

  /** Reports a stretch of a file; `bytes` is copied now. */
  add(file: string, name: string, offset: number, bytes: Buffer, what: string): void {
    this.count++;
    this.#logger.log('error', `Error: ${file}: ${what} (${bytes.length} bytes at offset ${offset}); left out.`);
    this.#bytes += bytes.length;
    if (!this.#isKeeping || this.count > filesMax || this.#bytes > bytesMax) return;
    try {
      this.#disk.makeDirectory(this.#directory);
      this.#disk.writeNow(join(this.#directory, `${name}@${offset}`), bytes);
    } catch (error) {
      this.#logger.log('warning', `Warning: Unable to keep a copy in ${this.#directory}: ${String(error)}`);
    }
  }

  /** Moves a whole file away. */
  moveIn(file: string, name: string): void {
    this.#disk.makeDirectory(this.#directory);
    this.#disk.renameNow(file, join(this.#directory, name));
  }
}
