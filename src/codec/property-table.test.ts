import { expect, test } from 'vitest';
import { propertyTable } from './property-table.ts';

test('has the 27 properties of the standard, each once, in order', () => {
  const ids = propertyTable.map((row) => row.id);
  expect(ids).toEqual([
    0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1c, 0x1f, 0x21, 0x22,
    0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
  ]);
  expect(new Set(propertyTable.map((row) => row.key)).size).toBe(27);
  expect(new Set(propertyTable.map((row) => row.name)).size).toBe(27);
});

test('field names follow from the option names, plural where they repeat', () => {
  for (const row of propertyTable) {
    const camel = row.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const plural = camel.endsWith('y') ? `${camel.slice(0, -1)}ies` : `${camel}s`;
    expect(row.key).toBe(row.repeatable === undefined ? camel : plural);
  }
});

test('repeats only where the standard allows it', () => {
  expect(propertyTable.filter((row) => row.repeatable !== undefined).map((row) => row.name)).toEqual([
    'subscription-identifier',
    'user-property',
  ]);
});
