/**
 * Clients that do anything they may, in one broker, against lists that are looked through: every PUBLISH that comes is one that was
 * to come, with its payload and properties, in its order, and in the end all have come.
 *
 *     BROKER_FUZZ_RUNS=10000 npx vitest run --project integration test/fuzz/broker     as many others
 *     BROKER_FUZZ_SEED=123 npx vitest run --project integration test/fuzz/broker       the run with that seed again
 */
import { randomInt } from 'node:crypto';
import { test } from 'vitest';
import { play } from './run.ts';

const only = process.env['BROKER_FUZZ_SEED'];
const wanted = process.env['BROKER_FUZZ_RUNS'];
const runs = only === undefined ? Number(wanted ?? 60) : 1;
/** `npm test` plays the same runs every time. */
const first = Number(only ?? (wanted === undefined ? 1 : randomInt(2 ** 31)));
/** Without a number given it is as many runs as fit. */
const endsAt = wanted === undefined && only === undefined ? Date.now() + 20_000 : Number.POSITIVE_INFINITY;

test('what clients are given is what was published', async () => {
  let run = 0;
  do await play(first + run, 400);
  while (++run < runs && Date.now() < endsAt);
  console.log(`broker fuzz: ${run} runs from BROKER_FUZZ_SEED=${first}`);
}, 3_600_000);
