import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteTable, hashBytes } from './byte-table.ts';

function find(table: ByteTable, text: string, scope = 0): number {
  const bytes = Buffer.from(`xx${text}yy`);
  return table.find(scope, bytes, 2, bytes.length - 2, table.hash(scope, bytes, 2, bytes.length - 2));
}

function add(table: ByteTable, text: string, scope = 0): number {
  const bytes = Buffer.from(`x${text}`);
  return table.add(scope, bytes, 1, bytes.length, table.hash(scope, bytes, 1, bytes.length));
}

describe('a table of byte strings', () => {
  test('gives each a number by which it is found and read again', () => {
    const table = new ByteTable();
    const texts = ['a', '', 'a/b', 'é/😀', 'x'.repeat(65_535)];
    const numbers = texts.map((text) => add(table, text));
    expect(numbers).toEqual([0, 1, 2, 3, 4]);
    expect(texts.map((text) => find(table, text))).toEqual(numbers);
    expect(numbers.map((number) => table.text(number))).toEqual(texts);
    expect([find(table, 'b'), find(table, 'a/c'), table.count]).toEqual([-1, -1, 5]);
  });

  test('keeps scopes apart', () => {
    const table = new ByteTable();
    const [one, two] = [add(table, 'a', 1), add(table, 'a', 2)];
    expect([find(table, 'a', 1), find(table, 'a', 2), find(table, 'a', 3)]).toEqual([one, two, -1]);
    expect([table.scope(one), table.scope(two)]).toEqual([1, 2]);
    table.remove(one);
    expect([find(table, 'a', 1), find(table, 'a', 2)]).toEqual([-1, two]);
  });

  test('leaves removed strings behind when it has to make room, and does not know them any more', () => {
    const table = new ByteTable();
    const numbers = ['one', 'two', 'three', 'four'].map((text) => add(table, text));
    for (const text of ['one', 'three']) table.remove(find(table, text));
    expect(numbers.map((number) => table.has(number))).toEqual([false, true, false, true]);
    // The first takes one of their numbers; the other is still free while everything moves.
    const long = 'x'.repeat(65_535);
    expect(numbers).toContain(add(table, long));
    expect(numbers.filter((number) => table.has(number))).toHaveLength(3);
    expect(numbers).toContain(add(table, 'five'));
    expect(add(table, 'six')).toBe(4);
    const texts = ['two', 'four', long, 'five', 'six'];
    expect(texts.map((text) => table.text(find(table, text)))).toEqual(texts);
    expect(['one', 'three'].map((text) => find(table, text))).toEqual([-1, -1]);
  });

  test('compares scope, length and bytes where hashes are the same', () => {
    const table = new ByteTable();
    const bytes = Buffer.from('abcd');
    const hash = table.hash(1, bytes, 0, 3);
    const number = table.add(1, bytes, 0, 3, hash);
    const found = (scope: number, start: number, end: number) => table.find(scope, bytes, start, end, hash);
    expect([found(1, 0, 3), found(2, 0, 3), found(1, 0, 2), found(1, 1, 4)]).toEqual([number, -1, -1, -1]);
  });

  test('gives numbers out again, and its memory back when it is empty', () => {
    const table = new ByteTable();
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 1000; index++) add(table, `t/${index}`);
      expect(table.limit).toBe(1000);
      for (let index = 0; index < 1000; index++) table.remove(find(table, `t/${index}`));
      expect([table.count, table.limit]).toEqual([0, 0]);
    }
  });

  test('does not grow while strings come and go', () => {
    const table = new ByteTable();
    add(table, 'stays');
    for (let index = 0; index < 10_000; index++) {
      const number = add(table, `${'x'.repeat(index % 100)}/${index}`);
      expect(number).toBeLessThan(2);
      table.remove(number);
    }
    expect(table.text(find(table, 'stays'))).toBe('stays');
  });

  test('is what a Map would be, whatever is added and removed, also where hashes fall together', () => {
    // A seed for which nothing is special, and texts so short that many share a place.
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.nat(2)), { maxLength: 300 }), fc.integer(), (steps, seed) => {
        const table = new ByteTable(seed);
        const model = new Map<string, number>();
        for (const [one, scope] of steps) {
          const key = `${scope}:${one}`;
          const number = find(table, one, scope);
          expect(number).toBe(model.get(key) ?? -1);
          if (number >= 0) {
            table.remove(number);
            model.delete(key);
          } else {
            const given = add(table, one, scope);
            expect([...model.values()]).not.toContain(given);
            model.set(key, given);
          }
          expect(table.count).toBe(model.size);
        }
        for (const [key, number] of model) {
          expect(`${table.scope(number)}:${table.text(number)}`).toBe(key);
          expect(find(table, key.slice(2), Number(key[0]))).toBe(number);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test('whoever does not know the seed cannot make strings that share a hash', () => {
  // Pairs that differ by highest bits alone, so that after one multiplication the difference could be foreseen and cancelled.
  const one = Buffer.from([0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61]);
  const collisions = Array.from({ length: 1000 }, (_, seed) => {
    const two = Buffer.from(one);
    two[3] = 0x61 ^ 0x80;
    two[6] = 0x61 ^ 0x01;
    two[7] = 0x61 ^ 0x80;
    return hashBytes(one, 0, 8, seed) === hashBytes(two, 0, 8, seed);
  }).filter(Boolean);
  expect(collisions).toEqual([]);
});

test('hashes spread over the places of a table', () => {
  const used = new Set<number>();
  for (let index = 0; index < 4096; index++) {
    const bytes = Buffer.from(`site/${index}/value`);
    used.add(hashBytes(bytes, 0, bytes.length, 1) & 4095);
  }
  // Of 4,096 thrown at random 63 % are hit.
  expect(used.size).toBeGreaterThan(2400);
});
