/** What is shown of each kind of job: which figures, in which unit, and which way is better. */
import type { Job } from '../job.ts';

export interface Figure {
  /** Key in JobResult.figures. */
  readonly key: string;
  readonly title: string;
  readonly better: 'more' | 'less';
  format(value: number): string;
}

const count = (value: number): string => {
  if (value >= 9_950_000) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 995_000) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 9_950) return `${(value / 1e3).toFixed(0)} k`;
  return value >= 995 ? `${(value / 1e3).toFixed(1)} k` : value.toFixed(0);
};

const microseconds = (value: number): string =>
  value >= 9_950
    ? `${(value / 1000).toFixed(0)} ms`
    : value >= 995
      ? `${(value / 1000).toFixed(1)} ms`
      : `${value.toFixed(0)} µs`;
const milliseconds = (value: number): string => microseconds(value * 1000);
const bytes = (value: number): string => (value >= 995 ? `${(value / 1000).toFixed(1)} KB` : `${value.toFixed(0)} B`);
const megabytes = (value: number): string => `${value.toFixed(1)} MB`;
const percent = (value: number): string => `${value.toFixed(2)} %`;

const byKind: Readonly<Record<Job['kind'], readonly Figure[]>> = {
  flow: [
    { key: 'deliveriesPerCpuSecond', title: 'deliveries per CPU-second', better: 'more', format: count },
    { key: 'bytesPerFilter', title: 'memory per filter', better: 'less', format: bytes },
  ],
  latency: [
    { key: 'p50Us', title: 'p50', better: 'less', format: microseconds },
    { key: 'p99Us', title: 'p99', better: 'less', format: microseconds },
    { key: 'p999Us', title: 'p99.9', better: 'less', format: microseconds },
    { key: 'maxUs', title: 'max', better: 'less', format: microseconds },
    { key: 'disturbedPercent', title: 'not counted', better: 'less', format: percent },
  ],
  stalled: [
    { key: 'p99CostPercent', title: 'what they add to p99', better: 'less', format: percent },
    { key: 'p99Us', title: 'p99', better: 'less', format: microseconds },
    { key: 'p99AloneUs', title: 'p99 without them', better: 'less', format: microseconds },
    { key: 'bytesPerStalled', title: 'memory per stalled subscriber', better: 'less', format: bytes },
  ],
  connections: [
    { key: 'bytesPerConnection', title: 'memory per connection', better: 'less', format: bytes },
    { key: 'baseMegabytes', title: 'memory of the empty broker', better: 'less', format: megabytes },
    { key: 'cpuPerConnectUs', title: 'CPU per connect', better: 'less', format: microseconds },
    { key: 'connectsPerSecond', title: 'connects per second', better: 'more', format: count },
    { key: 'idleCpuPercent', title: 'CPU while idle', better: 'less', format: percent },
  ],
  churn: [
    { key: 'cpuPerCycleUs', title: 'CPU per cycle', better: 'less', format: microseconds },
    { key: 'cyclesPerSecond', title: 'cycles per second', better: 'more', format: count },
  ],
  retained: [
    { key: 'readPerSecond', title: 'read per second', better: 'more', format: count },
    { key: 'readPerCpuSecond', title: 'read per CPU-second', better: 'more', format: count },
    { key: 'firstMessageMs', title: 'connect to first message', better: 'less', format: milliseconds },
    { key: 'storedPerCpuSecond', title: 'stored per CPU-second', better: 'more', format: count },
    { key: 'bytesPerMessage', title: 'memory per message', better: 'less', format: bytes },
    { key: 'othersP99Ms', title: "others' p99 meanwhile", better: 'less', format: milliseconds },
    { key: 'othersMaxMs', title: "others' max meanwhile", better: 'less', format: milliseconds },
  ],
  offline: [
    { key: 'readPerSecond', title: 'drained per second', better: 'more', format: count },
    { key: 'readPerCpuSecond', title: 'drained per CPU-second', better: 'more', format: count },
    { key: 'firstMessageMs', title: 'connect to first message', better: 'less', format: milliseconds },
    { key: 'storedPerCpuSecond', title: 'queued per CPU-second', better: 'more', format: count },
    { key: 'bytesPerMessage', title: 'memory per message', better: 'less', format: bytes },
    { key: 'othersP99Ms', title: "others' p99 meanwhile", better: 'less', format: milliseconds },
    { key: 'othersMaxMs', title: "others' max meanwhile", better: 'less', format: milliseconds },
  ],
  start: [{ key: 'startMs', title: 'start to listening', better: 'less', format: milliseconds }],
};

export function figuresOf(kind: Job['kind']): readonly Figure[] {
  return byKind[kind];
}
