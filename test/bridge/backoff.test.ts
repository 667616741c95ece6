/** When a bridge tries again, with a clock that moves only when the test says so. */
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/base/clock.ts';
import { Bridges } from '../../src/bridge/bridges.ts';
import { Broker } from '../../src/broker/broker.ts';
import { defaultLimits } from '../../src/broker/limits.ts';
import { parseConfigFile } from '../../src/config/load-config.ts';
import { memorySource } from '../../src/config/source.ts';
import { Hub } from '../../src/connection/hub.ts';
import { bridgeSettings } from '../../src/server/bridges.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { freePort } from '../harness/ports.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { acceptBridge, RawServer } from './places.ts';

const resources = useResources();

interface Running {
  readonly clock: VirtualClock;
  readonly lines: readonly string[];
  /** Lines of the log so far that begin so. */
  count(beginning: string): number;
}

function startBridge(lines: readonly string[], seed = 1): Running {
  const clock = new VirtualClock(undefined, seed);
  const log: string[] = [];
  const logger = { enabled: () => false, log: (_type: string, line: string) => void log.push(line) };
  const broker = new Broker(clock, logger, createMemoryStore(), defaultLimits);
  broker.start();
  const bridges = new Bridges({ hub: new Hub(broker.engine), broker });
  const text = `connection one\ntopic a out\n${lines.join('\n')}\n`;
  const { config } = parseConfigFile('m.conf', { source: memorySource({ 'm.conf': text }) });
  bridges.change(bridgeSettings(config));
  bridges.start();
  resources.add({ close: () => bridges.stop() });
  return { clock, lines: log, count: (beginning) => log.filter((line) => line.startsWith(beginning)).length };
}

const attempts = 'Connecting bridge one';
const failures = 'Error creating bridge: Connection refused.';

/** Waits for the failure of an attempt, which is a real one. */
const failed = ({ count, lines }: Running, times: number) =>
  waitFor(
    () => `failure ${times} in ${lines.join('\n')}`,
    () => count(failures) === times,
  );

const backoffsOf = ({ lines }: Running): number[] =>
  lines.flatMap((line) => {
    const found = /^Bridge one next backoff will be (\d+) ms$/.exec(line);
    return found === null ? [] : [Number(found[1])];
  });

describe('restart_timeout', () => {
  test.each(['restart_timeout 7 # always', 'restart_timeout 7'])(
    '%s: constant, and nothing said of it',
    async (line) => {
      const running = startBridge([`address 127.0.0.1:${await freePort()}`, line]);
      for (let round = 1; round <= 3; round++) {
        await failed(running, round);
        running.clock.advance(6999);
        expect(running.count(attempts)).toBe(round);
        running.clock.advance(1);
        expect(running.count(attempts)).toBe(round + 1);
      }
      expect(backoffsOf(running)).toEqual([]);
    },
  );

  test.each([
    ['', 5000, 30_000],
    ['restart_timeout 2 9', 2000, 9000],
  ])("'%s': from the base at random up to the cap", async (line, baseMs, capMs) => {
    const running = startBridge([`address 127.0.0.1:${await freePort()}`, line], 12_345);
    for (let round = 1; round <= 6; round++) {
      await failed(running, round);
      const delayMs = backoffsOf(running).at(-1) ?? 0;
      running.clock.advance(delayMs - 1);
      expect(running.count(attempts)).toBe(round);
      running.clock.advance(1);
    }
    const delays = backoffsOf(running);
    expect(delays[0]).toBe(baseMs);
    expect(delays.every((delay) => delay >= baseMs && delay <= capMs)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(3);
  });

  test('a connection that lasted as long as it should begins from the base again', async () => {
    const port = await freePort();
    const running = startBridge([`address 127.0.0.1:${port}`, 'restart_timeout 2 60 10', 'notifications false']);
    const nextAttempt = (): void => running.clock.advance(backoffsOf(running).at(-1) ?? 0);
    for (let round = 1; round <= 4; round++) {
      await failed(running, round);
      if (round < 4) nextAttempt();
    }
    const server = await RawServer.listen(resources, 4, port);
    const stable = 'Bridge one connection was stable enough, resetting backoff';
    for (const [index, seconds] of [9, 10].entries()) {
      nextAttempt();
      const { peer } = await acceptBridge(server);
      await waitFor('the connection', () => running.count('Bridge one connected to') === index + 1);
      running.clock.advance(seconds * 1000);
      const before = backoffsOf(running).length;
      peer.close();
      await waitFor('the next wait', () => backoffsOf(running).length > before);
      expect(running.count(stable)).toBe(index);
      if (index === 1) expect(backoffsOf(running).at(-1)).toBe(2000);
    }
  });
});
