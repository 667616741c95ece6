import { describe, expect, test } from 'vitest';
import type { Config } from './config.ts';
import { parseConfigFile } from './load-config.ts';
import { listenersChanged, planReload, type ReloadPlan } from './reload-diff.ts';
import { memorySource } from './source.ts';

function config(text: string): Config {
  return parseConfigFile('m.conf', { acceptUnsupported: true, source: memorySource({ 'm.conf': text }) }).config;
}

function applied(before: string, after: string): Extract<ReloadPlan, { kind: 'apply' }> {
  const plan = planReload(config(before), config(after));
  if (plan.kind !== 'apply') throw new Error(plan.reason);
  return plan;
}

test('an unchanged file changes nothing', () => {
  const text = 'listener 1883\nallow_anonymous true\nmax_queued_messages 5\n';
  expect(applied(text, text)).toEqual({ kind: 'apply', config: config(text), changes: [], notices: [] });
});

test('live values and values for new connections are in the new configuration', () => {
  const plan = applied('listener 1\nmax_queued_messages 5\n', 'listener 1\nmax_connections 9\nallow_anonymous true\n');
  expect(plan.changes).toEqual([
    { option: 'max_queued_messages', listener: null, reload: 'live', from: 5, to: 1000 },
    { option: 'max_connections', listener: 'port 1', reload: 'new-connections', from: -1, to: 9 },
    { option: 'allow_anonymous', listener: 'port 1', reload: 'live', from: false, to: true },
  ]);
  expect(plan.notices).toEqual([]);
  expect(plan.config.global.maxQueuedMessages).toBe(1000);
  expect(plan.config.listeners[0]).toMatchObject({ maxConnections: 9, allowAnonymous: true });
});

test('values that wait for the next start keep their old value, with a line each', () => {
  const plan = applied('listener 1\npid_file a\n', 'pid_file b\nlistener 1\nprotocol websockets\n');
  expect(plan.config.global.pidFile).toBe('a');
  expect(plan.config.listeners[0]?.protocol).toBe('mqtt');
  expect(plan.notices.map(({ text }) => text)).toEqual([
    "Warning: m.conf:1: 'pid_file' has changed, which takes effect at the next start.",
    "Warning: m.conf:3: 'protocol' has changed, which takes effect at the next start.",
  ]);
});

test('a line that is gone has no place to name', () => {
  const plan = applied('pid_file a\n', '');
  expect(plan.notices).toEqual([
    { level: 'warning', text: "Warning: 'pid_file' has changed, which takes effect at the next start.", origin: null },
  ]);
});

test('plugins stay as they are', () => {
  const plan = applied('plugin a.so\n', 'plugin b.so\n');
  expect(plan.config.plugins.map(({ path }) => path)).toEqual(['a.so']);
  expect(plan.notices.map(({ text }) => text)).toEqual([
    "Warning: m.conf:1: 'plugin' has changed, which takes effect at the next start.",
  ]);
});

describe('the set of listeners', () => {
  test.each([
    ['listener 1\n', 'listener 2\n'],
    ['listener 1\n', 'listener 1 127.0.0.1\n'],
    ['listener 1\n', 'listener 1\nlistener 2\n'],
    ['listener 1\nlistener 2\n', 'listener 2\n'],
    ['listener 0 /a\n', 'listener 0 /b\n'],
    ['', 'listener 1883 127.0.0.1\n'],
  ])('%j may not become %j', (before, after) => {
    expect(planReload(config(before), config(after))).toEqual({ kind: 'refused', reason: listenersChanged });
  });

  test('may be written in another order and keeps the order of the start', () => {
    const plan = applied('listener 1\nlistener 0 /a\n', 'listener 0 /a\nmax_qos 1\nlistener 1\n');
    expect(plan.config.listeners.map(({ path, port, maxQos }) => [path ?? port, maxQos])).toEqual([
      [1, 2],
      ['/a', 1],
    ]);
  });
});
