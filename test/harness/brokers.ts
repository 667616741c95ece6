import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort, isListening } from './ports.ts';
import { programPath } from './programs.ts';
import { moustiqueCommand } from './repository.ts';
import type { Resources } from './resources.ts';
import { type Finished, RunningProcess } from './running-process.ts';
import { tempDir } from './temp-dir.ts';
import { patienceMs, waitFor } from './wait.ts';

/** The brokers a test can be run against. */
export type BrokerName = 'moustique' | 'mosquitto';

export interface BrokerOptions {
  /**
   * Lines of the configuration file. `{dir}` stands for the broker's own folder, any other `{name}` for a free port,
   * the same wherever the name returns.
   */
  readonly config: readonly string[];
  /** Further files in the broker's folder, by name, which may have folders in it; the same placeholders apply. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further command-line arguments. */
  readonly args?: readonly string[];
  /** Added to its environment; the same placeholders apply. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A broker process with a configuration of its own, on ports of its own, in a folder of its own. */
export class TestBroker {
  readonly name: BrokerName;
  /** The broker's folder: configuration file and whatever the configuration puts there. */
  readonly dir: string;
  readonly configFile: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #process: RunningProcess | undefined;

  constructor(
    name: BrokerName,
    dir: string,
    ports: ReadonlyMap<string, number>,
    { args = [], env = {} }: Pick<BrokerOptions, 'args' | 'env'> = {},
  ) {
    this.name = name;
    this.dir = dir;
    this.configFile = join(dir, `${name}.conf`);
    this.#ports = ports;
    this.#args = args;
    this.#env = env;
  }

  /** The port for which a placeholder stands, `{port}` unless told. */
  port(placeholder = 'port'): number {
    const port = this.#ports.get(placeholder);
    if (port === undefined) throw new Error(`the configuration has no {${placeholder}}`);
    return port;
  }

  /** The running process, or the last one. */
  get process(): RunningProcess {
    if (this.#process === undefined) throw new Error('the broker was not started');
    return this.#process;
  }

  /** Start it and wait until every port is open. @throws Error with its output if it ends instead */
  async start(timeoutMs = patienceMs): Promise<void> {
    const broker = this.launch();
    await waitFor(
      () => `${this.name} to listen; it wrote:\n${broker.stdout}${broker.stderr}`,
      async () => {
        if (broker.hasEnded) throw new Error(`${this.name} ended at once:\n${broker.stdout}${broker.stderr}`);
        const open = await Promise.all([...this.#ports.values()].map((port) => isListening(port)));
        return open.every(Boolean);
      },
      timeoutMs,
    );
  }

  /** Start it without waiting, for a test about a start that fails. */
  launch(): RunningProcess {
    const command = this.name === 'moustique' ? moustiqueCommand('moustique') : [programPath('mosquitto')];
    this.#process = new RunningProcess(
      [...command, '-c', this.configFile, ...this.#args.map((arg) => this.fill(arg))],
      { cwd: this.dir, env: mapped(this.#env, (value) => this.fill(value)) },
    );
    return this.#process;
  }

  /** Stop it as a service manager does (SIGTERM). */
  stop(): Promise<Finished> {
    return this.process.stop();
  }

  /** SIGTERM, then a start with the same configuration. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** What is in a file of the broker's folder. */
  read(file: string): string {
    return readFileSync(join(this.dir, file), 'utf8');
  }

  /** Write a file of the broker's folder; placeholders are replaced. */
  write(file: string, text: string): void {
    const path = join(this.dir, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.fill(text));
  }

  /** Replace `{dir}` and the port placeholders. */
  fill(text: string): string {
    return text.replaceAll(placeholderPattern, (_, name: string) =>
      name === 'dir' ? this.dir : String(this.port(name)),
    );
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }
}

function mapped(
  values: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

const placeholderPattern = /\{([a-z]+)\}/g;

/** Write the configuration of a broker without starting it. */
export async function prepareBroker(
  resources: Resources,
  name: BrokerName,
  options: BrokerOptions,
): Promise<TestBroker> {
  const texts = [...options.config, ...Object.values(options.files ?? {}), ...(options.args ?? [])];
  const ports = new Map<string, number>();
  for (const text of texts) {
    for (const [, placeholder = ''] of text.matchAll(placeholderPattern)) {
      if (placeholder !== 'dir' && !ports.has(placeholder)) ports.set(placeholder, await freePort());
    }
  }
  const dir = tempDir(resources);
  const broker = new TestBroker(name, dir, ports, options);
  resources.add(broker);
  for (const [file, text] of Object.entries(options.files ?? {})) broker.write(file, text);
  // Started by root, a broker would give up its rights and lose its folder.
  const user = process.getuid?.() === 0 ? ['user root'] : [];
  broker.write(`${name}.conf`, `${[...options.config, ...user].join('\n')}\n`);
  return broker;
}

/** Start a broker and wait until it listens. It is stopped at the end of the test. */
export async function startBroker(resources: Resources, name: BrokerName, options: BrokerOptions): Promise<TestBroker> {
  const broker = await prepareBroker(resources, name, options);
  await broker.start();
  return broker;
}
