/** Every page that is open, and the clock they share. Without one nothing runs. */
import type { Timer } from '../../base/clock.ts';
import type { Hooks } from '../../contracts/hooks.ts';
import type { MessageSocket } from '../../transport/message-socket.ts';
import type { LiveAnswer } from '../schema/live.ts';
import type { HttpServices } from '../services.ts';
import { LiveConnection } from './live-connection.ts';

export const intervalMs = 100;
const ticksPerSecond = 1000 / intervalMs;
/** How often a page is asked whether it is there, and whether who opened it still may. */
const probeTicks = 15 * ticksPerSecond;
export const pagesMax = 200;

export class LiveFeed {
  readonly #services: HttpServices;
  /** Page → whether its user still may read. */
  readonly #pages = new Map<LiveConnection, () => boolean>();
  #timer: Timer | null = null;
  #ticks = 0;
  #clientsChanged = 0;

  constructor(services: HttpServices) {
    this.#services = services;
  }

  /** For the engine: who came and went. */
  get hooks(): Hooks {
    const changed = (): void => {
      this.#clientsChanged++;
    };
    return { afterConnect: changed, afterDisconnect: changed, afterSubscribe: changed, afterUnsubscribe: changed };
  }

  get isFull(): boolean {
    return this.#pages.size >= pagesMax;
  }

  /** @param mayStillRead - asked again now and then */
  open(socket: MessageSocket, mayStillRead: () => boolean): void {
    const page = new LiveConnection(this.#services, socket, intervalMs, (closed) => {
      this.#pages.delete(closed);
      if (this.#pages.size > 0) return;
      this.#timer?.cancel();
      this.#timer = null;
    });
    this.#pages.set(page, mayStillRead);
    this.#timer ??= this.#services.surroundings.clock.every(intervalMs, () => this.#tick());
  }

  close(): void {
    for (const page of this.#pages.keys()) page.end(1001, 'the broker stops');
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tick(): void {
    this.#ticks++;
    const nowMs = this.#services.surroundings.clock.nowMs();
    const counters = this.#ticks % ticksPerSecond === 0 ? JSON.stringify(this.#counters(nowMs)) : null;
    const isProbe = this.#ticks % probeTicks === 0;
    for (const [page, mayStillRead] of this.#pages) {
      if (isProbe) {
        if (!mayStillRead()) {
          page.end(4401, 'log in again');
          continue;
        }
        page.probe();
      }
      page.tick(nowMs);
      if (counters !== null) page.sendText(counters);
    }
  }

  #counters(atMs: number): LiveAnswer {
    const { rates, index, surroundings } = this.#services;
    const { messagesIn, messagesOut, bytesIn, bytesOut, dropped } = rates.rates;
    return {
      ...{ type: 'counters', atMs },
      messagesInPerSecond: messagesIn.now,
      messagesOutPerSecond: messagesOut.now,
      bytesInPerSecond: bytesIn.now,
      bytesOutPerSecond: bytesOut.now,
      droppedPerSecond: dropped.now,
      clientsConnected: surroundings.broker.gauges().clientsConnected,
      topics: index.count,
      clientsChanged: this.#clientsChanged,
    };
  }
}
