import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { Backoff } from './backoff.ts';
import { KeepAlive } from './keep-alive.ts';
import { PacketIds } from './packet-ids.ts';

describe('Keep Alive', () => {
  function start(seconds: number) {
    const clock = new VirtualClock();
    const startMs = clock.nowMs();
    const pings: number[] = [];
    const silences: number[] = [];
    const elapsed = () => (clock.nowMs() - startMs) / 1000;
    const keepAlive: KeepAlive = new KeepAlive(
      clock,
      seconds,
      () => {
        pings.push(elapsed());
        keepAlive.sent();
      },
      () => silences.push(elapsed()),
    );
    return { clock, keepAlive, pings, silences };
  }

  test('[MQTT-3.1.2-20] an idle client sends PINGREQ before the interval ends, again and again', () => {
    const { clock, keepAlive, pings } = start(10);
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      keepAlive.received();
    }
    expect(pings.length).toBeGreaterThanOrEqual(6);
    let last = 0;
    for (const at of pings) {
      expect(at - last).toBeLessThan(10);
      last = at;
    }
  });

  test('a busy client sends none', () => {
    const { clock, keepAlive, pings } = start(10);
    for (let second = 0; second < 60; second++) {
      keepAlive.sent();
      keepAlive.received();
      clock.advance(1000);
    }
    expect(pings).toEqual([]);
  });

  test('a client that only receives still sends them', () => {
    const { clock, keepAlive, pings } = start(10);
    for (let second = 0; second < 30; second++) {
      keepAlive.received();
      clock.advance(1000);
    }
    expect(pings.length).toBeGreaterThanOrEqual(3);
  });

  test('silence is noticed one interval after the unanswered PINGREQ', () => {
    const { clock, pings, silences } = start(10);
    clock.advance(60_000);
    expect(silences).toHaveLength(1);
    expect((silences[0] ?? 0) - (pings[0] ?? 0)).toBeGreaterThanOrEqual(10);
    expect(silences[0]).toBeLessThanOrEqual(20);
  });

  test('a stopped one does nothing more', () => {
    const { clock, keepAlive, pings, silences } = start(10);
    keepAlive.stop();
    clock.advance(60_000);
    expect([...pings, ...silences]).toEqual([]);
  });
});

describe('back-off', () => {
  test('doubles up to its maximum and begins anew', () => {
    const backoff = new Backoff({ initialDelayMs: 100, maximumDelayMs: 1000 }, new VirtualClock());
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  test('jitter only shortens', () => {
    const backoff = new Backoff({ initialDelayMs: 1000, maximumDelayMs: 1000, jitter: 0.5 }, new VirtualClock());
    const delays = Array.from({ length: 50 }, () => backoff.next());
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1000);
    expect(new Set(delays).size).toBeGreaterThan(10);
  });
});

describe('Packet Identifiers', () => {
  test('[MQTT-2.2.1-3] go from 1 to 65,535 and around, skipping those in use', () => {
    const ids = new PacketIds();
    expect([ids.take(), ids.take(), ids.take()]).toEqual([1, 2, 3]);
    ids.free(2);
    for (let id = 4; id <= 65_535; id++) expect(ids.take()).toBe(id);
    expect(ids.take()).toBe(2);
    expect(ids.take()).toBeUndefined();
    ids.free(65_535);
    expect(ids.take()).toBe(65_535);
  });
});
