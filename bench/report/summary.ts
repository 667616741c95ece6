/** Boils the runs of all rounds down to one row per scenario and figure. */
import type { Counts, Job, JobResult } from '../job.ts';
import { median, ratio, spread } from '../statistics.ts';
import { type Figure, figuresOf } from './figures.ts';

/** From this busy share on, a core has nothing left to give. */
export const SATURATED = 0.95;

/** From this share of a core taken by other processes a run counts as disturbed. */
export const DISTURBED = 0.1;

/** One broker in one round of one scenario. */
export interface Run {
  readonly scenario: string;
  readonly broker: string;
  readonly round: number;
  readonly result?: JobResult;
  /** Why there is no result. */
  readonly error?: string;
}

export interface ScenarioPlan {
  readonly id: string;
  readonly title: string;
  readonly job: Job;
}

export interface Cell {
  readonly broker: string;
  /** Median of the rounds; undefined when the broker scores nothing. */
  readonly value?: number;
  /** ± share of the median. */
  readonly spread?: number;
  /** Against the baseline: the quotient of the values, so 2 is twice as many deliveries but also twice the latency. */
  readonly ratio?: number;
  /** Why there is no value: what was lost, or the error. */
  readonly fault?: string;
  /** In at least half of the rounds the generator had nothing left to give while the broker had. */
  readonly isGeneratorLimited: boolean;
  /** Other processes took part of the machine in at least half of the rounds. */
  readonly isDisturbed: boolean;
  /** Medians of the busy shares, of one core. */
  readonly busy?: { readonly broker: number; readonly generator: number | undefined; readonly others: number };
}

export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly kind: Job['kind'];
  readonly figure: Figure;
  readonly cells: readonly Cell[];
}

/** Why a run scores nothing; undefined when every message arrived as its QoS promises. */
export function countsFault(counts: Counts | undefined, qos: number): string | undefined {
  if (counts === undefined) return undefined;
  if (counts.lost > 0) return `LOST ${counts.lost}`;
  // At QoS 1 a copy is allowed; at QoS 0 and 2 it is a fault.
  if (counts.duplicated > 0 && qos !== 1) return `DUPLICATED ${counts.duplicated}`;
  if (counts.reordered > 0) return `DISORDERED ${counts.reordered}`;
  if (counts.ackFaults > 0) return `WRONG ACKS ${counts.ackFaults}`;
  return undefined;
}

export function summarise(
  plans: readonly ScenarioPlan[],
  brokers: readonly string[],
  baseline: string,
  runs: readonly Run[],
): Row[] {
  return plans.flatMap((plan) => {
    const qos = 'qos' in plan.job ? plan.job.qos : 0;
    const ofBroker = new Map(brokers.map((broker) => [broker, runsOf(runs, plan.id, broker)]));
    const faults = new Map([...ofBroker].map(([broker, own]) => [broker, faultOf(own, qos)]));
    const valuesOf = (broker: string, key: string): (number | undefined)[] =>
      faults.get(broker) === undefined ? (ofBroker.get(broker) ?? []).map(({ result }) => result?.figures[key]) : [];

    return figuresOf(plan.job.kind).flatMap((figure): Row[] => {
      const base = valuesOf(baseline, figure.key);
      const cells = brokers.map((broker) => {
        const fault = faults.get(broker);
        const own = ofBroker.get(broker) ?? [];
        return cellOf(broker, fault, valuesOf(broker, figure.key), base, own);
      });
      const hasAnything = cells.some(({ value }) => value !== undefined);
      const isMain = figure === figuresOf(plan.job.kind)[0];
      return hasAnything || isMain
        ? [{ scenario: plan.id, title: plan.title, kind: plan.job.kind, figure, cells }]
        : [];
    });
  });
}

function runsOf(runs: readonly Run[], scenario: string, broker: string): Run[] {
  return runs.filter((run) => run.scenario === scenario && run.broker === broker).sort((a, b) => a.round - b.round);
}

function faultOf(runs: readonly Run[], qos: number): string | undefined {
  for (const { error, result } of runs) {
    const fault = error ?? countsFault(result?.counts, qos);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function cellOf(
  broker: string,
  fault: string | undefined,
  values: readonly (number | undefined)[],
  base: readonly (number | undefined)[],
  runs: readonly Run[],
): Cell {
  const busy = runs.flatMap(({ result }) => result?.busy ?? []);
  const limited = busy.map((shares) =>
    (shares.generatorBusy ?? 0) >= SATURATED && shares.brokerBusy < SATURATED ? 1 : 0,
  );
  const marks = {
    isGeneratorLimited: limited.length > 0 && median(limited) >= 0.5,
    isDisturbed: busy.length > 0 && median(busy.map(({ othersBusy }) => othersBusy)) >= DISTURBED,
  };
  const known = values.filter((value) => value !== undefined);
  if (fault !== undefined) return { broker, fault, ...marks };
  if (known.length === 0) return { broker, ...marks };
  const quotient = ratio(values, base);
  return {
    broker,
    value: median(known),
    spread: spread(known),
    ...marks,
    ...(quotient === undefined ? {} : { ratio: quotient }),
    ...(busy.length === 0 ? {} : { busy: mediansOf(busy) }),
  };
}

function mediansOf(busy: readonly NonNullable<JobResult['busy']>[]): NonNullable<Cell['busy']> {
  const generator = busy.flatMap(({ generatorBusy }) => generatorBusy ?? []);
  return {
    broker: median(busy.map(({ brokerBusy }) => brokerBusy)),
    generator: generator.length === 0 ? undefined : median(generator),
    others: median(busy.map(({ othersBusy }) => othersBusy)),
  };
}
