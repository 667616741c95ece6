import { describe, expect, test } from 'vitest';
import { layOut } from './patterns.ts';

test('fan-in divides the publishers among the subscribers', () => {
  const { publishers, subscribers, copies, isPair } = layOut({ shape: 'fan-in', publishers: 4, subscribers: 2 });
  expect(publishers).toEqual([
    ['bench/site000000/device000000/value'],
    ['bench/site000001/device000001/value'],
    ['bench/site000000/device000002/value'],
    ['bench/site000001/device000003/value'],
  ]);
  expect(subscribers).toEqual([['bench/site000000/#'], ['bench/site000001/#']]);
  expect(copies).toBe(1);
  expect([isPair?.(0, 2), isPair?.(1, 2)]).toEqual([true, false]);
});

test('fan-out: one topic, as many copies as subscribers', () => {
  const { publishers, subscribers, copies } = layOut({ shape: 'fan-out', subscribers: 3 });
  expect(publishers).toHaveLength(1);
  expect(subscribers).toHaveLength(3);
  expect(copies).toBe(3);
});

describe('many filters', () => {
  const layout = layOut({ shape: 'filters', publishers: 7, subscribers: 3, filters: 1000, wildcardShare: 0.1 });
  const topics = layout.publishers.flat();
  const filters = layout.subscribers.flat();

  test('every topic is there once', () => {
    expect(new Set(topics).size).toBe(1000);
    expect(topics).toHaveLength(1000);
  });

  test('a tenth of the filters has a wildcard', () => {
    expect(filters.filter((filter) => filter.includes('+'))).toHaveLength(100);
  });

  test('each topic matches exactly one filter', () => {
    const rooms = filters.map((filter) => filter.split('/')[1]).sort();
    expect(rooms).toEqual(topics.map((topic) => topic.split('/')[1]).sort());
  });

  test('neighbours in sending order are not neighbours in the tree', () => {
    expect(layout.publishers[0]?.slice(0, 2)).toEqual([
      'bench/room000000/sensor/value',
      'bench/room000897/sensor/value',
    ]);
  });
});

test('a shared subscription has no fixed receivers', () => {
  expect(layOut({ shape: 'shared', publishers: 2, subscribers: 2 }).isPair).toBeUndefined();
});
