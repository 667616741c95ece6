import { describe, expect, test } from 'vitest';
import { ratiosOf, regressions } from './check.ts';
import { countsFault, type Run, type ScenarioPlan, summarise } from './summary.ts';
import { figureGrid, markdownTable, notes, sections, terminalTable } from './tables.ts';

const plan: ScenarioPlan = {
  id: 'fan-in',
  title: 'fan-in',
  job: {
    kind: 'flow',
    pattern: { shape: 'fan-in', publishers: 1, subscribers: 1 },
    level: 4,
    qos: 0,
    payloadBytes: 64,
    credit: 1,
    batchMin: 1,
    ackWindow: 1,
    hasUsers: false,
    isKept: false,
    warmupMs: 0,
    windowMs: 1,
  },
};
const clean = { sent: 5, delivered: 5, lost: 0, duplicated: 0, reordered: 0, ackFaults: 0 };

function run(broker: string, round: number, value: number, changes: Partial<typeof clean> = {}): Run {
  const busy = { brokerBusy: 0.5, generatorBusy: 0.2, othersBusy: 0 };
  const counts = { ...clean, ...changes };
  return { scenario: 'fan-in', broker, round, result: { figures: { deliveriesPerCpuSecond: value }, counts, busy } };
}

const runs = [
  run('ours', 0, 400_000),
  run('mosquitto', 0, 100_000),
  run('ours', 1, 200_000),
  run('mosquitto', 1, 50_000),
];
const rowsOf = (all: readonly Run[]) => summarise([plan], ['ours', 'mosquitto'], 'mosquitto', all);

describe('a row', () => {
  test('has the median and the ratio of each broker', () => {
    const [row] = rowsOf(runs);
    expect(row?.cells[0]).toMatchObject({ broker: 'ours', value: 300_000, ratio: 4 });
    expect(row?.cells[1]).toMatchObject({ broker: 'mosquitto', value: 75_000, ratio: 1 });
  });

  test('a broker that lost a message in one round scores nothing', () => {
    const [row] = rowsOf([...runs, run('ours', 2, 900_000, { lost: 1 })]);
    expect(row?.cells[0]).toMatchObject({ fault: 'LOST 1' });
    expect(row?.cells[0]?.value).toBeUndefined();
    expect(row?.cells[1]?.value).toBe(75_000);
  });

  test('says when the baseline failed, and the others keep their figures', () => {
    const [row] = rowsOf([
      run('ours', 0, 400_000),
      { scenario: 'fan-in', broker: 'mosquitto', round: 0, error: 'gone' },
    ]);
    expect(row?.cells[0]).toMatchObject({ value: 400_000 });
    expect(row?.cells[0]?.ratio).toBeUndefined();
    expect(row?.cells[1]).toMatchObject({ fault: 'gone' });
  });
});

describe('marks', () => {
  const busyRun = (shares: { brokerBusy: number; generatorBusy: number; othersBusy: number }): Run => {
    const result = { figures: { deliveriesPerCpuSecond: 1 }, counts: clean, busy: shares };
    return { scenario: 'fan-in', broker: 'ours', round: 0, result };
  };

  test('the generator is the limit when it is saturated and the broker is not', () => {
    const [row] = rowsOf([busyRun({ brokerBusy: 0.7, generatorBusy: 0.97, othersBusy: 0 })]);
    expect(row?.cells[0]?.isGeneratorLimited).toBe(true);
  });

  test('it is not when the broker is saturated too', () => {
    const [row] = rowsOf([busyRun({ brokerBusy: 0.99, generatorBusy: 0.97, othersBusy: 0 })]);
    expect(row?.cells[0]?.isGeneratorLimited).toBe(false);
  });

  test('other processes disturb from a tenth of a core', () => {
    const [row] = rowsOf([busyRun({ brokerBusy: 0.9, generatorBusy: 0.2, othersBusy: 0.3 })]);
    expect(row?.cells[0]?.isDisturbed).toBe(true);
  });
});

describe('what counts as a fault', () => {
  test.each([
    [0, {}, undefined],
    [0, { lost: 2 }, 'LOST 2'],
    [0, { duplicated: 3 }, 'DUPLICATED 3'],
    [1, { duplicated: 3 }, undefined],
    [2, { duplicated: 3 }, 'DUPLICATED 3'],
    [1, { reordered: 4 }, 'DISORDERED 4'],
    [1, { ackFaults: 5 }, 'WRONG ACKS 5'],
  ])('QoS %i, %j: %s', (qos, changes, expected) => {
    expect(countsFault({ ...clean, ...changes }, qos)).toBe(expected);
  });
});

describe('tables', () => {
  test('Markdown', () => {
    const [section] = sections(rowsOf(runs));
    expect(section?.title).toBe('Throughput');
    expect(section === undefined ? '' : markdownTable(figureGrid(section))).toBe(
      [
        '| scenario | figure | ours | mosquitto |',
        '| --- | --- | ---: | ---: |',
        '| fan-in | deliveries per CPU-second | 300 k (4.00×) | 75 k (1.00×) |',
      ].join('\n'),
    );
  });

  test('terminal columns are aligned', () => {
    const lines = terminalTable([
      ['scenario', 'figure', 'a'],
      ['x', 'y', '100 k'],
    ]).split('\n');
    expect(lines).toEqual(['scenario  figure      a', '────────  ──────  ─────', 'x         y       100 k']);
  });

  test('a long fault is a note', () => {
    const error = 'ended with status 1: no such option';
    const rows = rowsOf([{ scenario: 'fan-in', broker: 'ours', round: 0, error }, run('mosquitto', 0, 1)]);
    expect(figureGrid(sections(rows)[0] as never)[1]?.[2]).toBe('failed');
    expect(notes(rows, 'mosquitto')).toContain(`fan-in, ours: ${error}`);
  });
});

describe('the guard', () => {
  const recorded = ratiosOf(rowsOf(runs));

  test('is content with the recorded ratio and with 24 % less', () => {
    expect(regressions(rowsOf(runs), recorded, 'ours')).toEqual([]);
    expect(regressions(rowsOf([run('ours', 0, 305), run('mosquitto', 0, 100)]), recorded, 'ours')).toEqual([]);
  });

  test('complains at 26 % less', () => {
    const slower = rowsOf([run('ours', 0, 296), run('mosquitto', 0, 100)]);
    expect(regressions(slower, recorded, 'ours')).toEqual(['fan-in: 2.96×, recorded 4.00×']);
  });

  test('complains when messages are lost', () => {
    const lossy = rowsOf([run('ours', 0, 400, { lost: 7 }), run('mosquitto', 0, 100)]);
    expect(regressions(lossy, recorded, 'ours')).toEqual(['fan-in: no ratio (LOST 7), recorded 4.00×']);
  });

  test('says nothing about scenarios that were not recorded', () => {
    expect(regressions(rowsOf(runs), [], 'ours')).toEqual([]);
  });
});
