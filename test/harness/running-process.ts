import { type ChildProcess, spawn } from 'node:child_process';
import type { Resources } from './resources.ts';
import { patienceMs, waitFor } from './wait.ts';

/** How a process ended: exit status, or the signal that ended it. */
export interface Ending {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A finished process with what it wrote. */
export interface Finished extends Ending {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to our own environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to the standard input, which is then closed. Without it the standard input is empty. */
  readonly input?: string | Uint8Array;
}

// Processes that are still running; killed if the test process itself ends before its tests could stop them.
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) killGroup(child);
});

/** End a program and what it has started. */
function killGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGKILL');
}

/** @returns whether somebody was left in the program's process group */
function signalGroup(child: ChildProcess, signal: 'SIGKILL' | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}

/** A started program whose output is collected. */
export class RunningProcess {
  readonly command: readonly string[];
  /** Resolves when the program has ended and all its output is here. Rejects if it could not be started. */
  readonly ended: Promise<Finished>;
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #hasEnded = false;
  /** Nobody is left of it: its number may be somebody else's by now, and 32,768 of them go round within one `npm test`. */
  #isGone = false;

  /** @param command - program and arguments */
  constructor(command: readonly string[], options: ProcessOptions = {}) {
    this.command = command;
    const [program = '', ...args] = command;
    const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
    // Variables of the test runner change how Node and some programs print.
    for (const name of ['NODE_OPTIONS', 'FORCE_COLOR', 'NODE_V8_COVERAGE'])
      if (options.env?.[name] === undefined) delete env[name];
    // In a process group of its own, so that what it starts can be ended with it.
    const child = spawn(program, args, { cwd: options.cwd, env, stdio: 'pipe', detached: true });
    this.#child = child;
    alive.add(child);
    child.stdout.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    child.stdin.on('error', () => {}); // the program need not read what it is given
    child.stdin.end(options.input);
    this.ended = new Promise((resolve, reject) => {
      child.once('error', (error) => {
        alive.delete(child);
        reject(error);
      });
      child.once('exit', () => {
        this.#isGone = !signalGroup(child, 0);
      });
      child.once('close', (status, signal) => {
        alive.delete(child);
        this.#hasEnded = true;
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    this.ended.catch(() => {}); // reported to whoever waits
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.command.join(' ')} was not started`);
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Standard output so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  /** Standard output so far, for programs that write bytes. */
  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** Standard error so far. */
  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /**
   * Wait until the standard output (or the standard error) contains a text or matches a pattern.
   *
   * @throws Error with the output so far, when the program ends first or patience does
   */
  async waitForOutput(wanted: string | RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    const isThere = (): boolean =>
      typeof wanted === 'string' ? this[stream].includes(wanted) : wanted.test(this[stream]);
    const describe = (): string => `${String(wanted)} on ${stream} of ${this.#summary()}`;
    await waitFor(describe, () => {
      if (isThere()) return true;
      if (this.#hasEnded) throw new Error(`ended without writing ${describe()}`);
      return false;
    });
  }

  /** Send a signal. Does nothing after the end. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ask the program to end (SIGTERM), insist (SIGKILL) if it does not, and wait for its end. */
  async stop(): Promise<Finished> {
    this.signal('SIGTERM');
    const insist = setTimeout(() => void this.close(), patienceMs);
    try {
      return await this.ended;
    } finally {
      clearTimeout(insist);
    }
  }

  /** End it, and what it has started, at once (SIGKILL). */
  async close(): Promise<void> {
    if (!this.#isGone) killGroup(this.#child);
    await this.ended.catch(() => {});
  }

  #summary(): string {
    return `"${this.command.join(' ')}"; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`;
  }
}

/** Start a program; it is killed at the end of the test if it still runs. */
export function startProcess(
  resources: Resources,
  command: readonly string[],
  options?: ProcessOptions,
): RunningProcess {
  return resources.add(new RunningProcess(command, options));
}

/** Run a program to its end, which is forced after 30 s; its status is null then. */
export async function runToEnd(command: readonly string[], options?: ProcessOptions): Promise<Finished> {
  const running = new RunningProcess(command, options);
  const limit = setTimeout(() => void running.close(), patienceMs);
  try {
    return await running.ended;
  } finally {
    clearTimeout(limit);
  }
}
