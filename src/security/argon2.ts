/**
 * Argon2id off the event loop.
 *
 * One hash at Mosquitto's parameters takes about 80 ms and 46 MiB. Node 24 and later do it themselves on the thread pool; before that one
 * worker thread runs `hash-wasm`, one hash after the other, started with the first one and ended when it has nothing to do.
 */
import type { Worker } from 'node:worker_threads';
import { builtins } from '../base/builtins.ts';

export interface Argon2Parameters {
  /** KiB of memory, at least 8 per lane. */
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
  /** Length of the result in bytes, at least 4. */
  readonly hashBytes: number;
}

/** More checks were asked for than are allowed to wait. */
export class Argon2Busy extends Error {
  override readonly name = 'Argon2Busy';
}

/** Checks that may wait at the same time; each holds a password in memory. */
const WAITING_MAX = 256;

type NativeArgon2 = (
  algorithm: 'argon2id',
  parameters: {
    message: Buffer;
    nonce: Buffer;
    parallelism: number;
    tagLength: number;
    memory: number;
    passes: number;
  },
  callback: (error: Error | null, tag: Buffer) => void,
) => void;

/**
 * The Argon2id (version 0x13) hash of a password.
 *
 * @throws Argon2Busy - when 256 of them are waiting already
 */
export function argon2id(password: Buffer, parameters: Argon2Parameters): Promise<Buffer> {
  // The types of Node 20 do not know the function that newer versions have.
  const nativeArgon2 = (builtins.crypto as { readonly argon2?: NativeArgon2 }).argon2;
  if (nativeArgon2 === undefined) return inWorker(password, parameters);
  return new Promise((resolve, reject) => {
    nativeArgon2(
      'argon2id',
      {
        message: password,
        nonce: parameters.salt,
        parallelism: parameters.lanes,
        tagLength: parameters.hashBytes,
        memory: parameters.memoryKib,
        passes: parameters.passes,
      },
      (error, tag) => {
        if (error === null) resolve(tag);
        else reject(error);
      },
    );
  });
}

interface Job {
  readonly options: Record<string, unknown>;
  readonly resolve: (hash: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** The process has one such worker, as it has one thread pool: it holds no state of any broker. */
const jobs: Job[] = [];
let isRunning = false;

const WORKER_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { argon2id } = require(workerData);
parentPort.on('message', (options) => {
  argon2id(options).then(
    (hash) => parentPort.postMessage({ hash }),
    (error) => parentPort.postMessage({ message: String(error) }),
  );
});
`;

function inWorker(password: Buffer, parameters: Argon2Parameters): Promise<Buffer> {
  if (jobs.length >= WAITING_MAX) return Promise.reject(new Argon2Busy('too many password checks are waiting'));
  const options = {
    password: new Uint8Array(password),
    salt: new Uint8Array(parameters.salt),
    parallelism: parameters.lanes,
    iterations: parameters.passes,
    memorySize: parameters.memoryKib,
    hashLength: parameters.hashBytes,
    outputType: 'binary',
  };
  return new Promise((resolve, reject) => {
    jobs.push({ options, resolve, reject });
    if (!isRunning) void runJobs();
  });
}

async function runJobs(): Promise<void> {
  isRunning = true;
  const path = modulePath();
  const worker =
    path === undefined ? undefined : new builtins.workerThreads.Worker(WORKER_SOURCE, { eval: true, workerData: path });
  try {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      if (worker === undefined) await runHere(job);
      else await runJob(worker, job);
    }
  } catch (error) {
    for (const job of jobs.splice(0)) job.reject(error instanceof Error ? error : new Error(String(error)));
  } finally {
    isRunning = false;
    await worker?.terminate();
  }
}

/** Where a worker can load the module from; undefined when we are a bundle without packages beside it. */
function modulePath(): string | undefined {
  try {
    return builtins.module.createRequire(import.meta.url).resolve('hash-wasm');
  } catch {
    return undefined;
  }
}

async function runHere(job: Job): Promise<void> {
  try {
    const { argon2id: compute } = await import('./wasm-argon2.ts');
    // The options are those that the worker gets; their one type of result is 'binary'.
    const hash: unknown = await compute(job.options as unknown as Parameters<typeof compute>[0]);
    job.resolve(Buffer.from(hash as Uint8Array));
  } catch (error) {
    job.reject(error instanceof Error ? error : new Error(String(error)));
  }
}

function runJob(worker: Worker, job: Job): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      resolve();
    };
    const onMessage = (answer: { hash?: Uint8Array; message?: string }) => {
      if (answer.hash !== undefined) job.resolve(Buffer.from(answer.hash));
      else job.reject(new Error(`argon2id failed: ${answer.message ?? 'no answer'}`));
      done();
    };
    const onError = (error: Error) => {
      job.reject(error);
      done();
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(job.options);
  });
}
