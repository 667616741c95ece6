/**
 * What the broker is held to: figures that must be reached, and those of the best broker known.
 *
 * A ratio is a quotient within one run on one machine; other figures say something only about a machine like the one they were
 * set on (two cores of about 3 GHz).
 */
export interface Goal {
  readonly scenario: string;
  /** Key of a figure of that scenario, see report/figures.ts. */
  readonly figure: string;
  /** `value`: the figure itself, in its own unit. Otherwise the quotient to that broker's figure. */
  readonly by: 'value' | 'mosquitto' | 'moustique-open';
  readonly atLeast: number;
  readonly goal: number;
}

type Row = readonly [scenario: string, figure: string, by: Goal['by'], atLeast: number, goal: number];

const deliveries = 'deliveriesPerCpuSecond';

const rows: readonly Row[] = [
  ['fan-in', deliveries, 'mosquitto', 9, 11],
  ['fan-in-v5', deliveries, 'mosquitto', 6, 8],
  ['fan-in-1k', deliveries, 'mosquitto', 6, 7.6],
  ['fan-in-q1-w100', deliveries, 'mosquitto', 5, 11],
  ['fan-in-q2', deliveries, 'mosquitto', 12, 20],
  ['fan-out-10', deliveries, 'mosquitto', 20, 28],
  ['fan-out-100', deliveries, 'mosquitto', 15, 19],
  ['fan-out-1000', deliveries, 'mosquitto', 11, 14],
  ['fan-out-1000-q1', deliveries, 'mosquitto', 5, 6.7],
  ['shared', deliveries, 'mosquitto', 7, 10],
  ['filters-100k', deliveries, 'mosquitto', 6, 7.5],
  ['fan-in-b1', deliveries, 'mosquitto', 1.5, 1.7],
  ['pairs-500', deliveries, 'mosquitto', 1.2, 1.4],
  // With one message under way the system calls decide, with some under way the broker does: the same bar for both.
  ['pairs-500-q1', deliveries, 'mosquitto', 2.4, 3],
  ['pairs-500-q1-w20', deliveries, 'mosquitto', 2.4, 3],
  ['ws-fan-in', deliveries, 'value', 1_200_000, 1_500_000],
  ['tls-fan-in', deliveries, 'mosquitto', 4, 8],
  ['tls-fan-out-100-b1', deliveries, 'mosquitto', 0.75, 1],
  ['fan-in-acl', deliveries, 'moustique-open', 0.9, 0.97],
  ['latency-10k', 'p50Us', 'value', 95, 85],
  ['latency-10k', 'p99Us', 'value', 350, 160],
  ['latency-10k', 'maxUs', 'value', 2000, 2000],
  ['latency-50k', 'p99Us', 'value', 1000, 250],
  ['stalled', 'p99CostPercent', 'value', 10, 5],
  ['retained-100k', 'readPerSecond', 'value', 800_000, 1_300_000],
  ['offline-100k', 'readPerSecond', 'value', 700_000, 1_000_000],
  ['offline-100k', 'firstMessageMs', 'value', 10, 10],
  ['idle', 'cpuPerConnectUs', 'value', 60, 45],
  ['churn', 'cpuPerCycleUs', 'value', 70, 50],
  ['idle', 'bytesPerConnection', 'value', 3500, 2000],
  ['filters-100k', 'bytesPerFilter', 'value', 250, 120],
  ['idle', 'idleCpuPercent', 'value', 0.5, 0.2],
  ['idle', 'baseMegabytes', 'value', 55, 50],
];

export const goals: readonly Goal[] = rows.map(([scenario, figure, by, atLeast, goal]) => {
  return { scenario, figure, by, atLeast, goal };
});
