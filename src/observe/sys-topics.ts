/**
 * `$SYS/broker/…`: the broker's numbers as retained messages.
 *
 * Looked at whenever the wall clock is a multiple of `sys_interval` (:00, :10, :20 …), and published when changed, so
 * an idle broker publishes one message per interval, its uptime.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Gauges, Stats } from '../broker/stats.ts';
import { LoadAverage, loadPeriods } from './load-average.ts';
import { loadMetrics, type Metric, metrics } from './metric-catalogue.ts';
import type { PublishText } from './publish-text.ts';

const prefix = '$SYS/broker/';
const loadStep = 0.01;

export interface SysTopicsOptions {
  readonly clock: Clock;
  readonly stats: Readonly<Stats>;
  readonly gauges: () => Gauges;
  /** Bytes of heap in use now. */
  readonly heapBytes: () => number;
  readonly publish: PublishText;
  /** Payload of `$SYS/broker/version`: `moustique version X.Y.Z`. */
  readonly version: string;
  /** Payload of `$SYS/broker/store/durability`, `persistence_sync` in words; null without a store. */
  readonly durability: string | null;
  /** `sys_interval` in seconds, 0..65535; 0 publishes nothing. */
  readonly intervalSeconds: number;
  /** False with `retain_available false`. */
  readonly retain: boolean;
}

/** One average of one counter, as it was last published. */
interface Load {
  readonly topicName: string;
  published: number;
}

export class SysTopics {
  readonly #options: SysTopicsOptions;
  readonly #startedMs: number;
  #intervalSeconds: number;
  #isRunning = false;
  #timer: Timer | null = null;
  #tickedMs = 0;
  /** Value of each metric when it was last looked at, by its row. */
  readonly #values = new Map<Metric, number>();
  #loads: readonly { readonly average: LoadAverage; readonly periods: readonly Load[] }[] = [];

  /** Uptime counts from here; nothing is published before {@link start}. */
  constructor(options: SysTopicsOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    this.#intervalSeconds = options.intervalSeconds;
  }

  /** Publishes everything once and then what changes, until {@link stop}. */
  start(): void {
    this.#isRunning = true;
    if (this.#intervalSeconds === 0 || this.#timer !== null) return;
    const { clock, stats, version, durability } = this.#options;
    this.#values.clear();
    this.#publish('version', version);
    if (durability !== null) this.#publish('store/durability', durability);
    this.#tickedMs = clock.monotonicMs();
    this.#publishMetrics();
    this.#loads = loadMetrics.map((metric) => ({
      average: new LoadAverage(metric.read(stats)),
      periods: loadPeriods.map(({ name }) => ({ topicName: `load/${metric.topic}/${name}`, published: 0 })),
    }));
    for (const { periods } of this.#loads) for (const load of periods) this.#publish(load.topicName, '0.00');
    this.#schedule();
  }

  /** Ends the timer; the last values stay retained. */
  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Takes a new `sys_interval`, in seconds; 0 publishes nothing more. */
  changeInterval(intervalSeconds: number): void {
    if (intervalSeconds === this.#intervalSeconds) return;
    const wasPublishing = this.#timer !== null;
    this.#timer?.cancel();
    this.#timer = null;
    this.#intervalSeconds = intervalSeconds;
    if (wasPublishing && intervalSeconds > 0) this.#schedule();
    else if (this.#isRunning) this.start();
  }

  /** The integers of the last look, by full topic name without aliases, and the uptime in seconds. */
  snapshot(): ReadonlyMap<string, number> {
    const values = new Map<string, number>([[`${prefix}uptime`, this.#uptimeSeconds()]]);
    for (const [metric, value] of this.#values) values.set(prefix + metric.topics[0], value);
    return values;
  }

  #uptimeSeconds(): number {
    return Math.floor((this.#options.clock.monotonicMs() - this.#startedMs) / 1000);
  }

  #schedule(): void {
    const { clock } = this.#options;
    const periodMs = this.#intervalSeconds * 1000;
    const dueMs = (Math.floor(clock.nowMs() / periodMs) + 1) * periodMs;
    this.#arm(dueMs);
  }

  #arm(dueMs: number): void {
    const { clock } = this.#options;
    this.#timer = clock.after(dueMs - clock.nowMs(), () => {
      const earlyMs = dueMs - clock.nowMs();
      // A timer may fire a little early; then the second has not begun yet. More than that: the wall clock was set back.
      if (earlyMs > 0 && earlyMs < 100) {
        this.#arm(dueMs);
        return;
      }
      this.#tick();
      this.#schedule();
    });
  }

  #tick(): void {
    const { clock, stats } = this.#options;
    const nowMs = clock.monotonicMs();
    const elapsedSeconds = (nowMs - this.#tickedMs) / 1000;
    this.#tickedMs = nowMs;
    // Before the metrics, whose publishing would count.
    const due: { readonly load: Load; readonly value: number }[] = [];
    if (elapsedSeconds > 0) {
      for (const [row, metric] of loadMetrics.entries()) {
        const loads = this.#loads[row];
        if (loads === undefined) continue;
        const averages = loads.average.update(metric.read(stats), elapsedSeconds);
        for (const [index, load] of loads.periods.entries()) {
          const value = averages[index] ?? 0;
          // Against the value published: Mosquitto compares with the last computed one and so never shows the end of a
          // slow decay.
          if (Math.abs(value - load.published) >= loadStep) due.push({ load, value });
        }
      }
    }
    this.#publishMetrics();
    for (const { load, value } of due) {
      load.published = value;
      this.#publish(load.topicName, value.toFixed(2));
    }
  }

  #publishMetrics(): void {
    const { stats, gauges, heapBytes } = this.#options;
    const source = { stats: { ...stats }, gauges: gauges(), heapBytes: heapBytes() };
    this.#publish('uptime', `${this.#uptimeSeconds()} seconds`);
    for (const metric of metrics) {
      const last = this.#values.get(metric);
      const value = metric.read(source);
      if (last !== undefined && (metric.kind === 'maximum' ? value <= last : value === last)) continue;
      this.#values.set(metric, value);
      for (const topic of metric.topics) this.#publish(topic, String(value));
    }
  }

  #publish(topic: string, payload: string): void {
    this.#options.publish(prefix + topic, payload, { qos: 2, retain: this.#options.retain });
  }
}
