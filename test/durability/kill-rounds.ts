/** Very many kills of real brokers: in rounds, so that the queue of the subscriber who is away does not grow without end. */
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { setup as build } from '../harness/build.ts';
import { Resources } from '../harness/resources.ts';
import { killLoop, type LoopResult } from './kill-loop.ts';
import { Random } from './random.ts';
import type { SweepResult } from './sweeps.ts';

/** Kills in a round. */
const roundLength = 50;
/** However slow the machine is, and however long somebody stopped this process. */
const patienceMs = 600_000;

/** @param isPersistent - false gives a broker that loses everything, to see whether that is found */
export function startLoopBroker(resources: Resources, isPersistent = true): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'allow_anonymous true', 'log_type error', 'log_type warning'],
      ...[`persistence ${isPersistent}`, 'persistence_location {dir}/', 'max_queued_messages 0'],
    ],
  });
}

/** @param seed - of the first round; every round has the next one */
export async function killRounds(
  seed: number,
  kills: number,
  onRound: (result: SweepResult, last: LoopResult) => void,
): Promise<SweepResult> {
  await build();
  const result: SweepResult = { points: 0, nextSeed: seed, failures: [] };
  while (result.points < kills) {
    const resources = new Resources();
    const number = result.nextSeed++;
    try {
      const broker = await startLoopBroker(resources);
      const count = Math.min(roundLength, kills - result.points);
      const round = await killLoop(broker, count, new Random(number), patienceMs);
      result.points += round.kills;
      result.failures.push(...round.failures.map((failure) => `loop seed ${number}: ${failure}`));
      onRound(result, round);
    } finally {
      await resources.closeAll();
    }
  }
  return result;
}
