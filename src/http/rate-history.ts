/** How much passes: rates of the last seconds and of ten minutes, from the engine's counters. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Timer } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';

const sampleMs = 1000;
export const stepMs = 5000;
const steps = 120;
const samplesMax = 60;

const rated = ['messagesIn', 'messagesOut', 'bytesIn', 'bytesOut', 'dropped'] as const;
type Rated = (typeof rated)[number];
type Counters = Readonly<Record<Rated, number>>;

interface Sample extends Counters {
  readonly atMs: number;
  readonly clients: number;
}

export class RateHistory {
  readonly #broker: Broker;
  readonly #clock: Clock;
  readonly #timer: Timer;
  /** One a second, for a minute. */
  readonly #samples: Sample[] = [];
  /** One every five seconds, for ten minutes. */
  readonly #points: Sample[] = [];
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  /** Highest number of clients seen. */
  clientsMaximum = 0;
  heapMaximumBytes = 0;

  constructor(broker: Broker, clock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
    this.#delay.enable();
    this.#sample();
    this.#timer = clock.every(sampleMs, () => this.#sample());
  }

  close(): void {
    this.#timer.cancel();
    this.#delay.disable();
  }

  /** Since the start. */
  get totals(): Counters {
    const { stats } = this.#broker;
    return {
      messagesIn: stats.publishReceived,
      messagesOut: stats.publishSent,
      bytesIn: stats.bytesReceived,
      bytesOut: stats.bytesSent,
      dropped: stats.publishDropped,
    };
  }

  /** Per second. */
  get rates(): Readonly<Record<Rated, { now: number; minute: number }>> {
    const ofAll = (name: Rated) => ({ now: this.#rate(name, 3), minute: this.#rate(name, samplesMax) });
    return Object.fromEntries(rated.map((name) => [name, ofAll(name)])) as Record<
      Rated,
      { now: number; minute: number }
    >;
  }

  get series(): {
    readonly stepMs: number;
    readonly endMs: number;
    readonly clients: number[];
  } & Record<Rated, number[]> {
    const points = this.#points;
    const columns = Object.fromEntries(
      rated.map((name) => [
        name,
        points.slice(1).map((point, index) => perSecond(points[index] as Sample, point, name)),
      ]),
    ) as Record<Rated, number[]>;
    return {
      stepMs,
      endMs: points.at(-1)?.atMs ?? this.#clock.nowMs(),
      ...columns,
      clients: points.slice(1).map(({ clients }) => clients),
    };
  }

  /** How much later than asked timers fire, in ms, since the last minute or so. */
  get eventLoopDelayMs(): { mean: number; p99: number; maximum: number } {
    const ms = (ns: number): number => (Number.isFinite(ns) ? Math.max(0, Math.round(ns / 10_000) / 100) : 0);
    const { mean, max } = this.#delay;
    return { mean: ms(mean), p99: ms(this.#delay.percentile(99)), maximum: ms(max) };
  }

  #rate(name: Rated, seconds: number): number {
    const last = this.#samples.at(-1);
    const first = this.#samples.at(-1 - seconds) ?? this.#samples[0];
    return first === undefined || last === undefined ? 0 : perSecond(first, last, name);
  }

  #sample(): void {
    const { clientsConnected } = this.#broker.gauges();
    const atMs = this.#clock.nowMs();
    const sample = { atMs, ...this.totals, clients: clientsConnected };
    this.clientsMaximum = Math.max(this.clientsMaximum, clientsConnected);
    this.heapMaximumBytes = Math.max(this.heapMaximumBytes, process.memoryUsage().heapUsed);
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax + 1) this.#samples.shift();
    const lastPoint = this.#points.at(-1);
    if (lastPoint !== undefined && atMs - lastPoint.atMs < stepMs - sampleMs / 2) return;
    this.#points.push(sample);
    if (this.#points.length > steps + 1) this.#points.shift();
    if (this.#points.length % 12 === 0) this.#delay.reset();
  }
}

function perSecond(from: Sample, to: Sample, name: Rated): number {
  const seconds = (to.atMs - from.atMs) / 1000;
  return seconds <= 0 ? 0 : Math.max(0, Math.round(((to[name] - from[name]) / seconds) * 100) / 100);
}
