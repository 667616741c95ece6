/**
 * The metric catalogue as Prometheus reads it, and what the process adds: event loop, memory, disk. Values are looked up when
 * somebody asks; nothing is counted twice.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import { version } from '../base/version.ts';
import type { HistoryLoad } from '../contracts/history.ts';
import { type Metric, type MetricSource, metrics } from './metric-catalogue.ts';

/** What is known beside the catalogue. */
export interface ProcessFigures {
  readonly uptimeSeconds: number;
  readonly eventLoopDelaySeconds: { readonly mean: number; readonly p99: number; readonly maximum: number };
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** Null: nothing is stored. */
  readonly freeDiskBytes: number | null;
  /** Null: nothing is stored. */
  readonly commits: { readonly count: number; readonly seconds: number } | null;
  /** Whether the store can make everything safe at present. */
  readonly isStoreSafe: boolean;
  /** Null: no history is kept. */
  readonly history: HistoryLoad | null;
  readonly topicIndex: { readonly topics: number; readonly bytes: number; readonly evicted: number };
}

/** A metric of the process. */
export interface ProcessMetric {
  readonly kind: 'counter' | 'gauge';
  readonly exportName: string;
  readonly help: string;
  /** Null: there is nothing to say. */
  readonly read: (figures: ProcessFigures) => number | null;
}

/** Beside the catalogue, a row each. */
export const processMetrics: readonly ProcessMetric[] = [
  gauge('mqtt_uptime_seconds', 'Time since the broker started.', ({ uptimeSeconds }) => uptimeSeconds),
  gauge(
    'mqtt_store_safe',
    '1 while everything that is acknowledged is safe, 0 while the disk is in trouble.',
    (figures) => (figures.isStoreSafe ? 1 : 0),
  ),
  counter(
    'mqtt_store_commits_total',
    'Times that messages and sessions were made safe on the disk.',
    ({ commits }) => commits?.count ?? null,
  ),
  counter(
    'mqtt_store_commit_seconds_total',
    'Time that took; divided by the commits, how long an acknowledgement waits for the disk.',
    ({ commits }) => commits?.seconds ?? null,
  ),
  gauge('mqtt_disk_free_bytes', 'Bytes free where the store writes.', ({ freeDiskBytes }) => freeDiskBytes),
  gauge('mqtt_topic_index_topics', 'Topics the console knows something about.', ({ topicIndex }) => topicIndex.topics),
  gauge(
    'mqtt_topic_index_bytes',
    'Memory of what the console knows about topics.',
    ({ topicIndex }) => topicIndex.bytes,
  ),
  counter(
    'mqtt_topic_index_forgotten_total',
    'Topics forgotten because of the budget.',
    (figures) => figures.topicIndex.evicted,
  ),
  counter(
    'mqtt_history_dropped_total',
    'Messages that the history should have kept and did not: too large, too many topics, or more than the disk takes.',
    ({ history }) => history?.dropped ?? null,
  ),
  gauge(
    'mqtt_history_waiting_messages',
    'Messages that are not in the history yet.',
    ({ history }) => history?.waiting ?? null,
  ),
  gauge(
    'mqtt_history_waiting_bytes',
    'Bytes of the messages that are not in the history yet.',
    ({ history }) => history?.waitingBytes ?? null,
  ),
  gauge(
    'mqtt_history_lag_seconds',
    'How long the oldest message that is not in the history yet has waited.',
    ({ history }) => (history === null ? null : history.lagMs / 1000),
  ),
  gauge(
    'nodejs_eventloop_lag_mean_seconds',
    'How late timers fire, on average.',
    (figures) => figures.eventLoopDelaySeconds.mean,
  ),
  gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'How late one timer of a hundred fires.',
    (figures) => figures.eventLoopDelaySeconds.p99,
  ),
  gauge(
    'nodejs_eventloop_lag_max_seconds',
    'How late a timer has fired.',
    (figures) => figures.eventLoopDelaySeconds.maximum,
  ),
  gauge('process_resident_memory_bytes', 'Memory of the process.', ({ residentBytes }) => residentBytes),
  counter('process_cpu_seconds_total', 'Time the process computed.', ({ cpuSeconds }) => cpuSeconds),
];

function gauge(exportName: string, help: string, read: ProcessMetric['read']): ProcessMetric {
  return { kind: 'gauge', exportName, help, read };
}

function counter(exportName: string, help: string, read: ProcessMetric['read']): ProcessMetric {
  return { kind: 'counter', exportName, help, read };
}

/** Name of the metric that says which version runs. */
export const infoMetric = 'mqtt_broker_info';

/** Every name that {@link Exporter.text} has. */
export const exportNames: readonly string[] = [
  ...new Set([
    infoMetric,
    ...metrics.map(({ exportName }) => exportName),
    ...processMetrics.map(({ exportName }) => exportName),
  ]),
];

export class Exporter {
  readonly #registry = new Registry();
  /** Values of a *maximum*, as seen when it was looked at. */
  readonly #maxima = new Map<Metric, number>();
  /** Read once for all metrics of one answer. */
  #source: MetricSource | null = null;
  #figures: ProcessFigures | null = null;

  constructor() {
    const registers = [this.#registry];
    new Gauge({
      ...{ name: infoMetric, help: 'Always 1; the label says which version runs.', labelNames: ['version'], registers },
    }).set({ version }, 1);
    for (const name of new Set(metrics.map(({ exportName }) => exportName))) {
      this.#addCatalogued(metrics.filter(({ exportName }) => exportName === name));
    }
    for (const metric of processMetrics) {
      const read = (): number | null => (this.#figures === null ? null : metric.read(this.#figures));
      const common = { name: metric.exportName, help: metric.help, registers };
      if (metric.kind === 'gauge') {
        new Gauge({
          ...common,
          collect() {
            const value = read();
            if (value === null) this.reset();
            else this.set(value);
          },
        });
      } else {
        new Counter({
          ...common,
          collect() {
            this.reset();
            this.inc(read() ?? 0);
          },
        });
      }
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(source: MetricSource, figures: ProcessFigures): Promise<string> {
    this.#source = source;
    this.#figures = figures;
    return await this.#registry.metrics();
  }

  /** @param rows - of one name, told apart by labels */
  #addCatalogued(rows: readonly Metric[]): void {
    const [first] = rows;
    if (first === undefined) return;
    const labelNames = [...new Set(rows.flatMap(({ labels = {} }) => Object.keys(labels)))];
    // What the rows have in common is said once.
    const help = rows.length === 1 ? first.help : (first.help.split('. ', 1)[0] ?? '').concat('.');
    const common = { name: first.exportName, help, labelNames, registers: [this.#registry] };
    const read = (metric: Metric): number => this.#read(metric);
    if (first.kind === 'counter') {
      new Counter({
        ...common,
        collect() {
          this.reset();
          for (const metric of rows) this.inc({ ...metric.labels }, read(metric));
        },
      });
    } else {
      new Gauge({
        ...common,
        collect() {
          for (const metric of rows) this.set({ ...metric.labels }, read(metric));
        },
      });
    }
  }

  #read(metric: Metric): number {
    if (this.#source === null) return 0;
    const value = metric.read(this.#source);
    if (metric.kind !== 'maximum') return value;
    const highest = Math.max(this.#maxima.get(metric) ?? 0, value);
    this.#maxima.set(metric, highest);
    return highest;
  }
}
