import { expect, test } from 'vitest';
import { headBytesMax, PayloadHeads } from './payload-heads.ts';

test('each slot keeps its own bytes, through growth, through pages, and when slots are used again', () => {
  const heads = new PayloadHeads();
  const slots = new Map<number, { slot: number; text: string }>();
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let step = 0; step < 60_000; step++) {
    const key = random(9000);
    const known = slots.get(key);
    if (known !== undefined && random(5) === 0) {
      heads.giveBack(known.slot);
      slots.delete(key);
      continue;
    }
    const text = String.fromCharCode(
      ...Array.from({ length: random(2) * random(headBytesMax + 1) + random(8) }, () => random(256)),
    ).slice(0, headBytesMax);
    const source = Buffer.from(`..${text}..`, 'latin1');
    slots.set(key, { slot: heads.put(known?.slot ?? -1, source, 2, text.length), text });
  }
  expect(slots.size).toBeGreaterThan(4500);
  expect(new Set([...slots.values()].map(({ slot }) => slot)).size).toBe(slots.size);
  for (const { slot, text } of slots.values()) {
    if (heads.text(slot, text.length) !== text) expect(heads.text(slot, text.length)).toBe(text);
    if (heads.view(slot, text.length).toString('latin1') !== text) expect.unreachable();
    expect(PayloadHeads.bytesOf(slot)).toBeGreaterThanOrEqual(text.length);
  }
});

test.each([
  [0, 16],
  [16, 16],
  [17, 32],
  [128, 128],
  [256, 256],
])('%i bytes take %i', (length, taken) => {
  const heads = new PayloadHeads();
  expect(PayloadHeads.bytesOf(heads.put(-1, Buffer.alloc(256), 0, length))).toBe(taken);
  expect(PayloadHeads.bytesOf(-1)).toBe(0);
});
