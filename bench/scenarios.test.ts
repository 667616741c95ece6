import { expect, test } from 'vitest';
import { layOut } from './generator/patterns.ts';
import { scenarios, selectScenarios } from './scenarios.ts';

const settings = { level: 4, payloadBytes: 64, warmupMs: 1, windowMs: 1 } as const;
const ids = (only: string[], set: 'core' | 'guard' | 'all' = 'core'): string[] =>
  selectScenarios(only, set).map(({ id }) => id);

test('every id is there once', () => {
  expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
});

test('the core set by default, everything with --all', () => {
  expect(ids([])).not.toContain('churn');
  expect(ids([], 'all')).toContain('churn');
  expect(ids([], 'all')).toHaveLength(scenarios.length);
});

test('the guard looks at every transport', () => {
  const transports = selectScenarios([], 'guard').map(({ transport }) => transport);
  expect(new Set(transports)).toEqual(new Set(['tcp', 'tls', 'websocket']));
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
