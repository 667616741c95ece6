/**
 * Random sequences of what clients do, played to a small model and to the broker.
 *
 *     MODEL_SEQUENCES=1000000 npx vitest run --project integration test/model     more of them
 *     MODEL_SEED=123 npx vitest run --project integration test/model              the run with that seed again
 *     MODEL_SEED=123 MODEL_PATH=45:0:1 npx vitest run --project integration test/model     the sequence that failed, alone
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionOf } from './actions.ts';
import { difference } from './play.ts';

const seed = Number(process.env['MODEL_SEED'] ?? randomInt(2 ** 31));
const sequences = Number(process.env['MODEL_SEQUENCES'] ?? 20_000);
const path = process.env['MODEL_PATH'] ?? '';
const steps = 50;

test(`sequences of ${steps} actions are answered as the model says`, () => {
  const actions = fc.array(fc.noBias(fc.maxSafeNat()), { minLength: steps, maxLength: steps });
  const result = fc.check(
    fc.property(actions, (numbers) => {
      const differs = difference(numbers);
      if (differs !== null) throw new Error(differs);
    }),
    {
      ...{ seed, path, numRuns: sequences, verbose: false },
      // Without a number given it is as many as fit two minutes, 20,000 at most.
      ...(process.env['MODEL_SEQUENCES'] === undefined && path === '' ? { interruptAfterTimeLimit: 115_000 } : {}),
    },
  );
  console.log(`model: ${result.numRuns} sequences of ${steps} actions, MODEL_SEED=${seed}`);
  if (!result.failed) return;
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  expect.fail(
    `${why}\nagain: MODEL_SEED=${seed} MODEL_PATH=${result.counterexamplePath ?? ''} npx vitest run --project integration test/model`,
  );
}, 1_800_000);

test('every kind of action occurs', () => {
  const kinds = new Set(Array.from({ length: 32 }, (_, number) => actionOf(number).kind));
  expect([...kinds].sort()).toEqual(
    ['acknowledge', 'connect', 'cut', 'disconnect', 'publish', 'release', 'subscribe', 'unsubscribe', 'wait'].sort(),
  );
});
