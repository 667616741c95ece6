/** A broker's process: started on its core, listening, stopped for certain. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/harness/ports.ts';
import type { BrokerKind, StartRequest } from './brokers.ts';
import type { Target } from './job.ts';
import { type Pinning, pinned } from './pinning.ts';

const START_MS_MAX = 10_000;
const STOP_MS_MAX = 5_000;
const ERROR_TEXT_MAX = 2_000;
const HOST = '127.0.0.1';

/** Directory of one benchmark run, readable by brokers that drop privileges. */
export class Workspace {
  readonly directory: string;
  readonly certificate: { readonly certFile: string; readonly keyFile: string };
  #starts = 0;

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'moustique-bench-'));
    execFileSync('chmod', ['755', this.directory]);
    this.certificate = { certFile: join(this.directory, 'cert.pem'), keyFile: join(this.directory, 'key.pem') };
  }

  /** A self-signed certificate for TLS scenarios. @throws Error - when there is no openssl */
  makeCertificate(): void {
    const { certFile, keyFile } = this.certificate;
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
    const args = ['req', '-x509', ...key, '-out', certFile, '-days', '2', '-subj', '/CN=localhost'];
    execFileSync('openssl', args, { stdio: 'ignore' });
    // A throw-away key: brokers that change their user must be able to read it.
    execFileSync('chmod', ['644', keyFile]);
  }

  nextDirectory(): string {
    const directory = join(this.directory, String(this.#starts++));
    mkdirSync(directory, { mode: 0o777 });
    execFileSync('chmod', ['777', directory]);
    return directory;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class BrokerProcess {
  readonly target: Target;
  /** From starting the process to the first accepted connection. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, target: Target, startMs: number) {
    this.#child = child;
    this.target = target;
    this.startMs = startMs;
  }

  /** @throws Error - with what the broker wrote to stderr, when it ends or does not listen within 10 s */
  static async start(
    kind: BrokerKind,
    choices: Pick<StartRequest, 'transport' | 'wantsNoDelay' | 'hasRules'>,
    pinning: Pinning,
    workspace: Workspace,
  ): Promise<BrokerProcess> {
    const port = await freePort();
    const directory = workspace.nextDirectory();
    const prepared = kind.prepare({ ...choices, port, directory, certificate: workspace.certificate });
    const { command, args } = pinned(pinning.brokerCores, prepared.command, prepared.args);

    const startedMs = performance.now();
    // A process group of its own: a shell that started the broker is stopped together with it.
    // Authorities that a machine gives to all its programs are read by every Node at start, by Node 20 in 30 ms: that is no broker's.
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env });
    const killAtExit = (): void => signalGroup(child, 'SIGKILL');
    process.once('exit', killAtExit);
    child.once('exit', () => process.off('exit', killAtExit));
    let errorText = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      if (errorText.length < ERROR_TEXT_MAX) errorText += bytes.toString();
    });
    let ended: string | undefined;
    child.once('error', (error) => {
      ended = error.message;
    });
    child.once('exit', (code, signal) => {
      ended = `ended with ${signal ?? `status ${code}`}`;
    });
    while (!(await accepts(port))) {
      if (ended !== undefined) throw new Error(`${kind.name} ${ended}: ${lastLine(errorText)}`);
      if (performance.now() - startedMs > START_MS_MAX) {
        signalGroup(child, 'SIGKILL');
        throw new Error(`${kind.name} does not listen after ${START_MS_MAX / 1000} s: ${lastLine(errorText)}`);
      }
    }
    const startMs = performance.now() - startedMs;
    if (child.pid === undefined) throw new Error(`${kind.name} has no process id`);
    return new BrokerProcess(child, { host: HOST, port, transport: choices.transport, pid: child.pid }, startMs);
  }

  /** SIGTERM, after 5 s SIGKILL; resolves when the process is gone. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS_MAX);
    await exit;
    clearTimeout(timer);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Tries to connect; after a refusal waits a millisecond so that trying costs the broker nothing. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: HOST });
    socket.once('connect', () => {
      socket.resetAndDestroy();
      resolve(true);
    });
    socket.once('error', () => {
      setTimeout(() => resolve(false), 1);
    });
  });
}
