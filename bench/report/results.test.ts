import { expect, test } from 'vitest';
import { goals } from '../goals.ts';
import { scenarios } from '../scenarios.ts';
import { figuresOf } from './figures.ts';
import { judge } from './goal-table.ts';
import { performancePage, type Results, readResults, resultsJson } from './results.ts';
import { type Run, summarise } from './summary.ts';

const settings = { level: 4, payloadBytes: 64, warmupMs: 500, windowMs: 1000 } as const;
const planOf = (id: string) => {
  const scenario = scenarios.find((candidate) => candidate.id === id);
  if (scenario === undefined) throw new Error(`no scenario ${id}`);
  return { id, title: scenario.title, job: scenario.job(settings) };
};
const run = (scenario: string, broker: string, figures: Record<string, number>): Run => {
  return { scenario, broker, round: 0, result: { figures } };
};

const runs = [
  run('fan-in', 'moustique', { deliveriesPerCpuSecond: 1_000_000 }),
  run('fan-in', 'mosquitto', { deliveriesPerCpuSecond: 100_000 }),
  run('fan-in-acl', 'moustique', { deliveriesPerCpuSecond: 980_000 }),
  run('fan-in-acl', 'moustique-open', { deliveriesPerCpuSecond: 1_000_000 }),
  run('idle', 'moustique', { bytesPerConnection: 3600, idleCpuPercent: 0.1 }),
];
const plans = ['fan-in', 'fan-in-acl', 'idle'].map(planOf);
const rows = summarise(plans, ['moustique', 'moustique-open', 'mosquitto'], 'mosquitto', runs);
const results: Results = {
  date: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'C', cores: 2, memoryGigabytes: 4, kernel: 'K', node: 'v20', commit: 'abc' },
  versions: { moustique: 'moustique version 1' },
  settings: { rounds: 1, ...settings, baseline: 'mosquitto' },
  ...{ ratios: [], rows, plans, runs },
};

test('every goal names a scenario and a figure that there are', () => {
  const unknown = goals.filter(({ scenario, figure }) => {
    const { job } = planOf(scenario);
    return !figuresOf(job.kind).some(({ key }) => key === figure);
  });
  expect(unknown).toEqual([]);
});

test('a goal is a quotient to another broker, or a figure; more or less may be better', () => {
  const verdicts = judge(rows).map(({ title, measured, verdict }) => [title, measured, verdict]);
  expect(verdicts).toContainEqual(['fan-in 100→10, QoS 0, pipelined', '10.00 × mosquitto', 'at least']);
  expect(verdicts).toContainEqual([expect.stringContaining('ACL file'), '0.98 × moustique-open', 'goal']);
  expect(verdicts).toContainEqual(['10,000 idle connections', '3.6 KB', 'below']);
  expect(verdicts).toContainEqual(['10,000 idle connections', '0.10 %', 'goal']);
});

test('what was not measured is open', () => {
  const lost = summarise([planOf('fan-in')], ['moustique', 'mosquitto'], 'mosquitto', [
    { scenario: 'fan-in', broker: 'moustique', round: 0, error: 'gone' },
  ]);
  expect(judge(lost)).toMatchObject([{ measured: '–', verdict: 'open' }]);
});

test('what is kept can be read again, one line per entry', () => {
  const json = resultsJson(results);
  expect(json.split('\n').filter((line) => line.startsWith('  {'))).toHaveLength(
    rows.length + plans.length + runs.length,
  );
  const page = performancePage(readResults(json), 'Why it falls short.');
  expect(page).toBe(performancePage(results, 'Why it falls short.'));
  expect(page).toContain('| **below** |');
  expect(page).toContain('\nWhy it falls short.\n');
});
