/** The history of a broker: a recorder on the event loop, a worker with the database, and questions between them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { builtins } from '../base/builtins.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { History, HistoryLoad, HistoryStats } from '../contracts/history.ts';
import type { Hooks } from '../contracts/hooks.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Ask } from './answers.ts';
import { askedHistory } from './asked-history.ts';
import { busy, faultOf, unavailable } from './history-fault.ts';
import type { KeeperFigures } from './keeper.ts';
import { Recorder } from './recorder.ts';
import type { HistorySettings } from './settings.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** Questions that may wait. */
const questionsMax = 256;
/** How long the worker may take for its last messages, and until it is started again after a fault of ours. */
const closePatienceMs = 15_000;
const restartMs = 10_000;

/** The database cannot be used; said at the start, so that nobody believes that something is kept. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

export interface HistoryParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Wall clock of the engine in ms, cheap to ask. */
  readonly nowMs: () => number;
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class HistoryService {
  readonly history: History;
  /** To be put on the engine. */
  readonly hooks: Hooks;
  readonly #recorder: Recorder;
  readonly #parts: HistoryParts;
  #settings: HistorySettings;
  #worker: Worker | null = null;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  /** Messages that the worker gave up, since the start. */
  #refused = 0;
  #isClosing = false;
  #closed: (() => void) | null = null;
  #restart: Timer | null = null;

  private constructor(settings: HistorySettings, parts: HistoryParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#recorder = new Recorder(settings.rules, {
      ...parts,
      send: (batch) => this.#tell({ kind: 'batch', batch }, [batch.bytes.buffer]),
    });
    this.hooks = this.#recorder;
    this.history = askedHistory(this.#ask, () => this.#stats());
  }

  /**
   * Opens the database; the caller holds the lock that makes it the only one who writes.
   *
   * @throws HistoryError
   */
  static async start(settings: HistorySettings, parts: HistoryParts): Promise<HistoryService> {
    const service = new HistoryService(settings, parts);
    try {
      await service.#startWorker();
    } catch (error) {
      service.#isClosing = true;
      throw error;
    }
    return service;
  }

  /** What was given up and what waits, without asking the worker: known also while the database is in trouble. */
  get load(): HistoryLoad {
    const { messages, bytes, lagMs } = this.#recorder.waiting;
    return { dropped: this.#recorder.dropped + this.#refused, waiting: messages, waitingBytes: bytes, lagMs };
  }

  /** Settings that were read again; a changed `file` waits for the next start. The engine is to be asked to watch again. */
  change(settings: HistorySettings): void {
    this.#settings = { ...settings, file: this.#settings.file };
    this.#recorder.changeRules(settings.rules);
    this.#tell({ kind: 'settings', settings: this.#settings });
  }

  /** Writes what was recorded and lets go of the file. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#restart?.cancel();
    this.#recorder.flush();
    this.#recorder.close();
    const worker = this.#worker;
    if (worker !== null) {
      worker.ref();
      const closed = new Promise<void>((resolve) => {
        this.#closed = resolve;
      });
      this.#tell({ kind: 'close' });
      const patience = new Promise<void>((resolve) => void this.#parts.clock.after(closePatienceMs, resolve));
      await Promise.race([closed, patience]);
      await worker.terminate();
    }
    this.#rejectAll('the broker stops');
  }

  #startWorker(): Promise<void> {
    const worker = new builtins.workerThreads.Worker(workerFile(), { workerData: this.#settings });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') {
          worker.unref();
          resolve();
        } else if (message.kind === 'refused') reject(new HistoryError(`${this.#settings.file}: ${message.why}`));
        else this.#hear(message);
      });
      worker.on('error', (error) => {
        this.#parts.logger.log('error', `Error: History: the worker failed: ${error.stack ?? error.message}`);
        reject(new HistoryError(error.message, { cause: error }));
      });
      worker.on('exit', () => this.#workerEnded(worker));
    });
  }

  #workerEnded(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#closed?.();
    if (this.#isClosing) return;
    this.#recorder.lost();
    this.#rejectAll('the history is not there at the moment');
    this.#restart = this.#parts.clock.after(restartMs, () => {
      this.#startWorker().catch((error: unknown) => {
        this.#parts.logger.log('error', `Error: History: ${error instanceof Error ? error.message : String(error)}`);
      });
    });
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'done':
        this.#recorder.done(message.messages);
        this.#refused += message.refused;
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.answer as never); // the asker knows what it asked for
        return;
      case 'fault':
        this.#settle(message.id)?.reject(faultOf(message.fault));
        return;
      case 'log':
        this.#parts.logger.log(message.level, message.text);
        return;
      case 'closed':
        this.#closed?.();
        return;
      case 'ready':
      case 'refused':
    }
  }

  readonly #ask: Ask = (question, request) => this.#askWorker((id) => ({ kind: 'ask', id, question, request }));

  async #stats(): Promise<HistoryStats> {
    // What is counted as waiting is what waited before the question, which has everything written.
    const { waiting } = this.#recorder;
    const figures = await this.#askWorker<KeeperFigures>((id) => ({ kind: 'figures', id }));
    if (figures.stored === null) throw unavailable(figures.fault ?? 'the database is not open');
    return {
      ...figures.stored,
      file: this.#settings.file,
      maxBytes: this.#settings.maxBytes,
      recorded: figures.recorded,
      dropped: this.#recorder.dropped + figures.refused,
      waiting: waiting.messages,
      waitingBytes: waiting.bytes,
      lagMs: waiting.lagMs,
      fault: figures.fault,
      sinks: figures.sinks,
    };
  }

  #askWorker<Answer>(message: (id: number) => ToWorker): Promise<Answer> {
    if (this.#worker === null || this.#isClosing)
      return Promise.reject(unavailable('the history is not there at the moment'));
    if (this.#waiting.size >= questionsMax) return Promise.reject(busy());
    // Everything recorded before the question belongs to the answer.
    this.#recorder.flush();
    const id = ++this.#lastId;
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell(message(id));
    });
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #rejectAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(unavailable(why));
    this.#waiting.clear();
  }

  #tell(message: ToWorker, memory: readonly ArrayBuffer[] = []): void {
    if (this.#worker === null) this.#recorder.lost();
    else this.#worker.postMessage(message, memory);
  }
}

/** The worker's file: beside this one in the library and in the sources, beside the executables in the bundle. */
function workerFile(): string {
  const places = ['./worker.js', './history-worker.cjs', '../history-worker.cjs', './worker.ts'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return files.find((file) => existsSync(file)) ?? (files[0] as string);
}
