import { expect, test } from 'vitest';
import { type Found, filesOfSize, flipEveryByte, start } from './byte-flips.ts';
import { sweepOf } from './sweep-settings.ts';

// Longer runs: sweep.ts.
test('a store of 64 KB with any one byte damaged starts, loses only what the byte held, and says so', async () => {
  const { seed, count: size } = sweepOf(65_536);
  const files = await filesOfSize(seed, size);
  const { points, failures } = flipEveryByte(files, seed);
  expect(failures.slice(0, 10)).toEqual([]);
  expect(points).toBeGreaterThan(size);
}, 1_200_000);

const wrongStarts: readonly (readonly [string, (found: Found) => Found, RegExp])[] = [
  ['does not say so', ({ facts }) => ({ facts, complaints: [] }), /changed without a word/],
  [
    'loses what came after it as well',
    ({ facts, complaints }) => ({ facts: facts.slice(0, facts.length / 2), complaints }),
    /more than one thing changed/,
  ],
  [
    'does not notice that the end of a payload is another one',
    ({ facts }) => {
      for (const fact of facts) {
        if (fact.kind !== 'message' || fact.message.payloadLength === 0) continue;
        (fact.message.payload[fact.message.payloadLength - 1] as number) ^= 1;
        break;
      }
      return { facts, complaints: [] };
    },
    /changed without a word/,
  ],
  [
    'gives up',
    () => {
      throw new Error('damaged');
    },
    /does not start/,
  ],
];

test.each(wrongStarts)('a start that %s is found out', async (_, wrong, what) => {
  const files = await filesOfSize(1, 4096);
  const startOn = (damaged: ReadonlyMap<string, Buffer>): Found => {
    const found = start(damaged);
    return found.complaints.length === 0 ? found : wrong(found);
  };
  const { failures } = flipEveryByte(files, 1, { startOn });
  expect(failures.join('\n')).toMatch(what);
});
