/** The benchmark runner: brokers × scenarios × rounds, back to back, then tables and files. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchOptions, HELP, parseArgs } from './args.ts';
import { BrokerProcess, Workspace } from './broker-process.ts';
import {
  aedes,
  type BrokerKind,
  customBroker,
  durable,
  forwarder,
  hasRules,
  mosquitto,
  moustique,
  natsServer,
} from './brokers.ts';
import type { GeneratorJob, GeneratorReply, GeneratorRequest, JobResult, Target } from './job.ts';
import { describeMachine } from './machine.ts';
import { choosePinning, type Pinning, pinned, pinSelf } from './pinning.ts';
import { ratiosOf, regressions } from './report/check.ts';
import { figuresOf } from './report/figures.ts';
import { goalGrid, judge } from './report/goal-table.ts';
import { type Results, readResults, resultsJson, resultsMarkdown } from './report/results.ts';
import { countsFault, type Run, type ScenarioPlan, summarise } from './report/summary.ts';
import { figureGrid, notes, sections, terminalTable } from './report/tables.ts';
import { type Scenario, scenarios, selectScenarios } from './scenarios.ts';

/** Most time for one job beyond its warm-up and window: connecting, storing, draining. */
const JOB_EXTRA_MS = 120_000;
/** Starts measured in one round of the start scenario. */
const STARTS_PER_ROUND = 5;

/** @returns the exit status: 0 done, 1 a check failed or nothing could run, 2 wrong arguments */
export async function main(args: readonly string[], root: string, generatorPath: string): Promise<number> {
  let options: BenchOptions;
  let chosen: Scenario[];
  try {
    options = parseArgs(args, root);
    chosen = selectScenarios(options.only, options.set);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    return 2;
  }
  if (options.isHelp) {
    console.log(HELP);
    return 0;
  }
  if (options.isList) {
    for (const { id, set, title } of scenarios) console.log(`${id.padEnd(20)} ${set}  ${title}`);
    return 0;
  }
  const kinds = findBrokers(options, root);
  if (kinds === undefined) return 2;
  if (kinds.length === 0) {
    console.error('bench: no broker to measure');
    return 1;
  }
  return new Bench(options, chosen, kinds, root, generatorPath).run();
}

/** The brokers asked for, without those that cannot run; undefined when a name is unknown. */
function findBrokers(options: BenchOptions, root: string): BrokerKind[] | undefined {
  const builtIn = [
    moustique(root),
    moustique(root, { isOpen: true }),
    durable(moustique(root)),
    mosquitto({ hasNoDelay: false }),
    durable(mosquitto({ hasNoDelay: false })),
    mosquitto({ hasNoDelay: true }),
    aedes(root),
    forwarder(root),
    natsServer(),
  ];
  const unknown = options.brokers.filter((name) => !builtIn.some((kind) => kind.name === name));
  if (unknown.length > 0) {
    console.error(`bench: --brokers ${unknown.join(',')}: known are ${builtIn.map(({ name }) => name).join(', ')}`);
    return undefined;
  }
  const wanted = builtIn.filter(({ name }) => options.brokers.length === 0 || options.brokers.includes(name));
  const available = wanted.filter((kind) => {
    const reason = kind.missing();
    if (reason !== undefined) console.log(`${kind.name}: ${reason}`);
    return reason === undefined;
  });
  return [...available, ...options.custom.map(({ name, command }) => customBroker(name, command))];
}

class Bench {
  readonly #options: BenchOptions;
  readonly #scenarios: readonly Scenario[];
  readonly #brokers: readonly BrokerKind[];
  readonly #root: string;
  readonly #generatorPath: string;
  readonly #pinning: Pinning;
  readonly #workspace = new Workspace();

  constructor(
    options: BenchOptions,
    chosen: readonly Scenario[],
    brokers: readonly BrokerKind[],
    root: string,
    generatorPath: string,
  ) {
    this.#options = options;
    this.#scenarios = chosen;
    this.#brokers = brokers;
    this.#root = root;
    this.#generatorPath = generatorPath;
    this.#pinning = choosePinning(options);
  }

  async run(): Promise<number> {
    const { brokerCores, generatorCores } = this.#pinning;
    process.once('exit', () => this.#workspace.remove());
    pinSelf(generatorCores);
    console.log(
      brokerCores === undefined
        ? 'Broker and generator are not pinned: figures are rougher.'
        : `Broker on core ${brokerCores}, generator on core ${generatorCores}.`,
    );
    if (this.#scenarios.some(({ transport }) => transport === 'tls')) this.#workspace.makeCertificate();
    const plans = this.#scenarios.map(({ id, title, job }): ScenarioPlan => ({ id, title, job: job(this.#options) }));
    const runs: Run[] = [];
    for (const [index, scenario] of this.#scenarios.entries()) {
      const plan = plans[index] as ScenarioPlan;
      const brokers = this.#brokers.filter((broker) => broker.takesPart?.(plan.job) ?? true);
      for (let round = 0; round < this.#options.rounds; round++) {
        for (const broker of brokers) {
          const run = await this.#runOnce(scenario, plan, broker, round);
          runs.push(run);
          console.log(progressLine(plan, run));
        }
      }
    }
    return this.#report(plans, runs);
  }

  async #runOnce(scenario: Scenario, plan: ScenarioPlan, broker: BrokerKind, round: number): Promise<Run> {
    const run = { scenario: plan.id, broker: broker.name, round };
    const { job } = plan;
    try {
      if (job.kind === 'start') return { ...run, result: await this.#measureStart(broker) };
      const choices = {
        transport: scenario.transport,
        wantsNoDelay: job.kind === 'latency' || job.kind === 'stalled',
        hasRules: hasRules(job),
      };
      const started = await BrokerProcess.start(broker, choices, this.#pinning, this.#workspace);
      try {
        return { ...run, result: await this.#generate(started.target, job) };
      } finally {
        await started.stop();
      }
    } catch (error) {
      return { ...run, error: (error as Error).message };
    }
  }

  async #measureStart(broker: BrokerKind): Promise<JobResult> {
    const choices = { transport: 'tcp', wantsNoDelay: false, hasRules: false } as const;
    let startMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < STARTS_PER_ROUND; i++) {
      const started = await BrokerProcess.start(broker, choices, this.#pinning, this.#workspace);
      startMs = Math.min(startMs, started.startMs);
      await started.stop();
    }
    return { figures: { startMs } };
  }

  /** One job in a generator process of its own, on its core. */
  #generate(target: Target, job: GeneratorJob): Promise<JobResult> {
    const node = [process.execPath, '--max-semi-space-size=32', this.#generatorPath];
    const { command, args } = pinned(this.#pinning.generatorCores, node[0] as string, node.slice(1));
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const durationMs = ('warmupMs' in job ? job.warmupMs : 0) + ('windowMs' in job ? job.windowMs : 0);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error('the run did not end in time'));
      }, durationMs + JOB_EXTRA_MS);
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`the generator ended with ${signal ?? `status ${code}`}`));
      });
      child.once('message', (message) => {
        clearTimeout(timer);
        const reply = message as GeneratorReply; // built from the same sources
        if ('error' in reply) reject(new Error(reply.error));
        else resolve(reply.result);
      });
      child.send({ target, job } satisfies GeneratorRequest);
    });
  }

  #report(plans: readonly ScenarioPlan[], runs: readonly Run[]): number {
    const { baseline, isRecord, outDirectory, checkFile } = this.#options;
    const names = this.#brokers.map(({ name }) => name);
    const rows = summarise(plans, names, baseline, runs);
    for (const section of sections(rows)) console.log(`\n${section.title}\n${terminalTable(figureGrid(section))}`);
    const judged = judge(rows);
    if (judged.length > 0) console.log(`\nGoals\n${terminalTable(goalGrid(judged))}`);
    console.log(`\n${notes(rows, baseline).join('\n')}\n`);

    const directory = isRecord
      ? join(this.#root, 'bench/recorded')
      : (outDirectory ?? join(this.#root, 'bench/results'));
    const machine = describeMachine(this.#root);
    const versions = Object.fromEntries(this.#brokers.map((kind) => [kind.name, kind.version()]));
    const date = new Date().toISOString();
    const { rounds, warmupMs, windowMs, payloadBytes, level } = this.#options;
    const settings = { rounds, warmupMs, windowMs, payloadBytes, level, baseline, ...this.#pinning };
    const ratios = ratiosOf(rows);
    const results: Results = { date, machine, versions, settings, ratios, rows, plans, runs };
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'results.json'), resultsJson(results));
    writeFileSync(join(directory, 'results.md'), resultsMarkdown(results));
    console.log(`Written to ${directory}: results.json, results.md`);

    if (checkFile === undefined) return 0;
    const recorded = readResults(readFileSync(checkFile, 'utf8'));
    const worse = regressions(rows, recorded.ratios, 'moustique');
    for (const line of worse) console.log(`SLOWER ${line}`);
    const when = `${recorded.date.slice(0, 10)} at ${recorded.machine.commit}`;
    if (worse.length === 0) console.log(`No ratio is more than 25 % below that of ${when} (${checkFile}).`);
    return worse.length === 0 ? 0 : 1;
  }
}

function progressLine(plan: ScenarioPlan, run: Run): string {
  const head = `${plan.id.padEnd(18)} round ${run.round + 1}  ${run.broker.padEnd(18)}`;
  if (run.result === undefined) return `${head} ${run.error}`;
  const { figures, counts, busy } = run.result;
  const shown = figuresOf(plan.job.kind)
    .filter(({ key }) => figures[key] !== undefined)
    .map(({ key, title, format }) => `${format(figures[key] as number)} ${title}`);
  const percent = (name: string, share: number | undefined): string[] =>
    share === undefined ? [] : [`${name} ${Math.round(share * 100)} %`];
  const shares = [
    ...percent('broker', busy?.brokerBusy),
    ...percent('generator', busy?.generatorBusy),
    ...percent('others', busy?.othersBusy),
  ];
  const qos = 'qos' in plan.job ? plan.job.qos : 0;
  const fault = countsFault(counts, qos);
  const counted = counts === undefined ? [] : [fault ?? `${counts.delivered} delivered, none lost`];
  return `${head} ${[...shown, ...shares, ...counted].join(' · ')}`;
}
