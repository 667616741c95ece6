/**
 * Keeps the certificates of listeners fresh: their files are looked at every {@link lookMs}, and what has changed is taken for
 * connections to come; connections that exist stay. What cannot be used leaves the old in force. Once a day the dates are
 * looked at.
 *
 * Files are asked for their state instead of being watched: that sees every way of replacing a file, also through symbolic
 * links and on network disks.
 */
import { join } from 'node:path';
import { builtins } from '../base/builtins.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Logger } from '../contracts/logger.ts';
import { type ListenerTls, loadListenerTls, type PskKeys } from './listener-tls.ts';
import { StartError } from './start-error.ts';

const lookMs = 2000;
const dayMs = 86_400_000;

/** A listener as it is kept. */
export interface KeptListener {
  readonly config: ListenerConfig;
  readonly port: number;
  readonly tls: ListenerTls | null;
  changeTls(tls: ListenerTls): Promise<void>;
}

export class TlsKeeper {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners: readonly KeptListener[];
  readonly #pskKeysOf: (index: number) => PskKeys;
  readonly #timers: Timer[] = [];
  /** By listener: the state of the files that were tried last, and the one seen at the last look. */
  readonly #tried: string[] = [];
  readonly #seen: string[] = [];
  #isLooking = false;

  constructor(
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    listeners: readonly KeptListener[],
    pskKeysOf: (index: number) => PskKeys,
  ) {
    this.#clock = clock;
    this.#logger = logger;
    this.#listeners = listeners;
    this.#pskKeysOf = pskKeysOf;
  }

  async start(): Promise<void> {
    const hasCertificates = this.#listeners.some(({ tls }) => tls !== null && tls.material.certificates.length > 0);
    if (!hasCertificates) return;
    await this.#remember();
    this.#timers.push(
      this.#clock.every(lookMs, () => void this.look()),
      this.#clock.every(dayMs, () => void this.#warnOfDates()),
    );
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  /** Reads the files of every listener, changed or not: a reload. */
  async renewAll(): Promise<void> {
    await this.#remember();
    for (const index of this.#listeners.keys()) await this.#renew(index, false);
  }

  /**
   * Takes files that have changed, once they have been the same for two looks: a certificate and its key are two files, and
   * somebody may be writing one of them.
   */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const [index, { config }] of this.#listeners.entries()) {
        const state = await stateOf(config);
        const isSettled = state === this.#seen[index];
        this.#seen[index] = state;
        if (!isSettled || state === this.#tried[index]) continue;
        this.#tried[index] = state;
        await this.#renew(index, true);
      }
    } finally {
      this.#isLooking = false;
    }
  }

  async #remember(): Promise<void> {
    for (const [index, { config }] of this.#listeners.entries()) {
      const state = await stateOf(config);
      this.#tried[index] = state;
      this.#seen[index] = state;
    }
  }

  /** @param isTold - whether the operator has not asked for it */
  async #renew(index: number, isTold: boolean): Promise<void> {
    const listener = this.#listeners[index];
    if (listener === undefined) return;
    const { config } = listener;
    const name = config.path ?? `on port ${listener.port}`;
    try {
      const tls = await loadListenerTls(config, this.#pskKeysOf(index), this.#logger, this.#clock.nowMs());
      if (tls === null) return;
      await listener.changeTls(tls);
      if (isTold) this.#logger.log('notice', `The listener ${name} has new certificate files and uses them.`);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      for (const line of error.lines) this.#logger.log('error', line);
      this.#logger.log('error', `Error: The listener ${name} goes on with the certificates it has.`);
    }
  }

  async #warnOfDates(): Promise<void> {
    const { expiryWarnings } = await import('../transport/tls-context.ts');
    const lines = this.#listeners.flatMap(({ tls }) =>
      tls === null ? [] : expiryWarnings(tls.material, this.#clock.nowMs()),
    );
    for (const line of new Set(lines)) this.#logger.log('warning', line);
  }
}

/** Changes when a file of the listener does: which file it is, its size and its times; '' without certificates. */
async function stateOf({ certfile, keyfile, cafile, capath, crlfile }: ListenerConfig): Promise<string> {
  if (certfile === null || keyfile === null) return '';
  const files = [certfile, keyfile, cafile, crlfile].filter((file) => file !== null);
  if (capath !== null) {
    const names = await builtins.fsPromises.readdir(capath).catch(() => []);
    files.push(capath, ...names.toSorted().map((name) => join(capath, name)));
  }
  const states = await Promise.all(
    files.map(async (file) => {
      try {
        const { dev, ino, size, mtimeMs, ctimeMs } = await builtins.fsPromises.stat(file);
        return [file, dev, ino, size, mtimeMs, ctimeMs].join(' ');
      } catch (error) {
        return `${file} ${(error as NodeJS.ErrnoException).code ?? ''}`;
      }
    }),
  );
  return states.join('\n');
}
