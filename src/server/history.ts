/** The history of a broker: from its configuration to a recorder on the engine, through reloads, to the end. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import type { Config } from '../config/config.ts';
import type { History, HistoryLoad } from '../contracts/history.ts';
import type { Logger } from '../contracts/logger.ts';
import type { HistoryService } from '../history/history-service.ts';
import type { HistorySettings } from '../history/settings.ts';
import { lockFile } from '../store/lock-file.ts';
import { StartError } from './start-error.ts';

/** Name of the database in its directory. */
const fileName = 'history.db';

/** Path of the history database of a configuration. */
export function historyFileOf({ global }: Config): string {
  return join(global.historyLocation ?? global.persistenceLocation ?? '.', fileName);
}

/** What the history takes from a configuration. */
export function historySettingsOf(config: Config): HistorySettings {
  const { global } = config;
  return {
    file: historyFileOf(config),
    rules: global.historyTopic,
    maxBytes: global.historyMaxSize,
    writeIntervalMs: global.historyWriteInterval * 1000,
    sinks: global.historySink,
  };
}

interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The history as long as there are `history_topic` lines; nothing of it is loaded before. */
export class BrokerHistory {
  readonly #broker: Broker;
  readonly #surroundings: Surroundings;
  /** What is being opened, changed or closed; one after the other. */
  #work: Promise<void> = Promise.resolve();
  #settings: string | null = null;
  #open: { readonly service: HistoryService; readonly unwatch: () => void; release(): void } | null = null;

  constructor(broker: Broker, surroundings: Surroundings) {
    this.#broker = broker;
    this.#surroundings = surroundings;
  }

  /** What may be asked; null without `history_topic`. */
  get history(): History | null {
    return this.#open?.service.history ?? null;
  }

  /** How it keeps up; null without `history_topic`. */
  get load(): HistoryLoad | null {
    return this.#open?.service.load ?? null;
  }

  /**
   * Opens, changes or closes, as the configuration has it now.
   *
   * @throws StartError - the database is used by another process, or cannot be opened
   */
  apply(config: Config): Promise<void> {
    const settings = historySettingsOf(config);
    return this.#inTurn(async () => {
      const text = JSON.stringify(settings);
      if (text === this.#settings) return;
      this.#settings = text;
      const { logger } = this.#surroundings;
      if (settings.rules.length === 0) {
        if (this.#open !== null) logger.log('information', 'History: nothing is kept any more.');
        await this.#end();
        return;
      }
      if (this.#open === null) {
        await this.#start(settings);
      } else {
        this.#open.service.change(settings);
        this.#broker.watchAgain();
      }
      const filters = settings.rules.map(({ filter }) => filter).join(' ');
      logger.log('information', `History: messages of ${filters} are kept in ${settings.file}.`);
    });
  }

  /** Stops recording, and waits until what was recorded is written. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#end());
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#work.then(run);
    this.#work = turn.catch(() => {});
    return turn;
  }

  async #end(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    open.unwatch();
    await open.service.close();
    open.release();
  }

  async #start(settings: HistorySettings): Promise<void> {
    const { HistoryService } = await import('../history/history-service.ts');
    const lock = lockOf(settings.file);
    const { engine } = this.#broker;
    try {
      const service = await HistoryService.start(settings, { ...this.#surroundings, nowMs: () => engine.nowMs });
      this.#open = { service, unwatch: this.#broker.watch(service.hooks), release: () => lock.release() };
    } catch (error) {
      this.#settings = null;
      lock.release();
      throw refusal(settings.file, error);
    }
  }
}

/** @throws StartError - another process writes this database, or the directory cannot be used */
function lockOf(file: string): { release(): void } {
  let lock: ReturnType<typeof lockFile>;
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    lock = lockFile(`${file}-writer`);
  } catch (error) {
    throw refusal(file, error);
  }
  if (lock === null) throw new StartError([`Error: The history ${file} is being written by another process.`], 1);
  return lock;
}

function refusal(file: string, cause: unknown): StartError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StartError([`Error: Unable to open the history: ${why.includes(file) ? why : `${file}: ${why}`}.`], 1, {
    cause,
  });
}
