import { expect, test } from 'vitest';
import { layOut } from './generator/patterns.ts';
import { scenarios, selectScenarios } from './scenarios.ts';

const settings = { level: 4, payloadBytes: 64, warmupMs: 1, windowMs: 1 } as const;
const ids = (only: string[], isAll = false): string[] => selectScenarios(only, isAll).map(({ id }) => id);

test('every id is there once', () => {
  expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
});

test('the core set by default, everything with --all', () => {
  expect(ids([])).not.toContain('churn');
  expect(ids([], true)).toContain('churn');
  expect(ids([], true)).toHaveLength(scenarios.length);
});

test('an id is exact, * is anything, and the order of the table stays', () => {
  expect(ids(['fan-in'])).toEqual(['fan-in']);
  expect(ids(['idle', 'latency-1*k'])).toEqual(['latency-1k', 'latency-10k', 'idle']);
});

test('a pattern that matches nothing names the scenarios', () => {
  expect(() => ids(['fan-sideways'])).toThrow(/fan-sideways.*fan-in-b1/);
});

test('a burst scenario writes exactly its burst', () => {
  const job = scenarios.find(({ id }) => id === 'fan-in-b16')?.job(settings);
  expect(job).toMatchObject({ credit: 16, batchMin: 16 });
});

test('every load can be laid out', () => {
  for (const { job } of scenarios) {
    const plan = job(settings);
    if ('pattern' in plan) expect(layOut(plan.pattern).publishers.length).toBeGreaterThan(0);
  }
});
