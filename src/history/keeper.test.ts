import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import type { HistoryExportRequest } from '../contracts/history.ts';
import { BatchWriter } from './batch.ts';
import { exportHead } from './export.ts';
import { Keeper } from './keeper.ts';
import { openForReading } from './open-database.ts';
import type { HistorySettings } from './settings.ts';
import { sqliteDriver } from './sqlite.ts';

const startMs = 1_800_000_000_000; // a whole minute, and a whole hour
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A keeper with a database of its own and a clock that the test moves. */
class Bench {
  readonly clock = new VirtualClock(startMs);
  readonly lines: string[] = [];
  readonly file: string;
  done = 0;
  settings: HistorySettings;
  keeper: Keeper;

  constructor(settings: Partial<HistorySettings> = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'history-'));
    folders.push(folder);
    this.file = join(folder, 'history.db');
    this.settings = {
      file: this.file,
      rules: [{ filter: '#', keepDays: null, maxBytes: null }],
      maxBytes: 2 ** 30,
      writeIntervalMs: 1000,
      sinks: [],
      ...settings,
    };
    this.keeper = this.open();
  }

  open(): Keeper {
    return new Keeper(
      this.settings,
      this.clock,
      (level, text) => this.lines.push(`${level}: ${text}`),
      (messages) => {
        this.done += messages;
      },
    );
  }

  /** Messages, each `[topic, payload, seconds after the start]`. */
  record(...messages: readonly (readonly [topic: string, payload: string | Buffer, seconds: number])[]): void {
    const batch = new BatchWriter(messages.reduce((sum, [, payload]) => sum + payload.length * 2 + 100, 0));
    for (const [topic, payload, seconds] of messages) {
      const bytes = Buffer.from(payload);
      batch.add(startMs + seconds * 1000, topic, 'sensor', 1, false, bytes, 0, bytes.length);
    }
    this.keeper.accept(batch.finish());
  }

  exported(request: HistoryExportRequest): string {
    let text = exportHead(request);
    for (
      let place: ReturnType<Keeper['answer']> | null = this.keeper.answer('exportBegin', request);
      place !== null;
    ) {
      const piece = this.keeper.answer('exportPiece', [request, place as never]);
      text += Buffer.from(piece.bytes).toString();
      place = piece.next as never;
    }
    return text;
  }
}

const span = { fromMs: startMs, toMs: startMs + 3_600_000 };

test('messages are written together after the interval, and are there after a restart', async () => {
  const bench = new Bench();
  bench.record(['home/t', '21.5', 0], ['home/t', '22.5', 1], ['home/raw', Buffer.from([0, 255]), 2]);
  expect(bench.done).toBe(0);
  bench.clock.advance(1250);
  expect(bench.done).toBe(3);

  await bench.keeper.close();
  expect(readdirSync(join(bench.file, '..'))).toEqual(['history.db']);
  expect(statSync(bench.file).mode & 0o777).toBe(0o600);
  bench.keeper = bench.open();

  const page = bench.keeper.answer('messages', { filter: '#', order: 'oldest' });
  expect(page).toEqual({
    messages: [
      { timeMs: startMs, topic: 'home/t', payload: Buffer.from('21.5') },
      { timeMs: startMs + 1000, topic: 'home/t', payload: Buffer.from('22.5') },
      { timeMs: startMs + 2000, topic: 'home/raw', payload: new Uint8Array([0, 255]) },
    ].map((one) => ({ ...one, id: one.timeMs * 1000, clientId: 'sensor', qos: 1, retain: false })),
    next: null,
  });
  expect(bench.keeper.answer('series', {})).toEqual({
    series: [{ topic: 'home/t', field: '', count: 2, firstMs: startMs, lastMs: startMs + 1000, lastValue: 22.5 }],
    next: null,
  });
  await bench.keeper.close();
});

test('messages of one millisecond keep their order, and a clock that is set back overwrites nothing', () => {
  const bench = new Bench();
  bench.record(['t', '1', 10], ['t', '2', 10], ['t', '3', 10], ['t', '4', 0], ['t', '5', 0], ['t', '6', 10]);
  const { messages } = bench.keeper.answer('messages', { filter: 't', order: 'oldest' });
  expect(messages.map(({ id, payload }) => `${id - startMs * 1000} ${Buffer.from(payload)}`)).toEqual([
    '0 4',
    '1 5',
    '10000000 1',
    '10000001 2',
    '10000002 3',
    '10000003 6',
  ]);
  expect(bench.keeper.answer('series', {}).series[0]?.count).toBe(6);
});

test('pages go through all messages in both directions, whichever way they are found', () => {
  const bench = new Bench();
  const topics = Array.from({ length: 50 }, (_, index) => `many/${index}`);
  bench.record(
    ...Array.from({ length: 500 }, (_, index) => [topics[index % 50] as string, `${index}`, index] as const),
  );
  for (const [filter, step] of [
    ['many/#', 1],
    ['many/7', 50],
    ['+/7', 50],
  ] as const) {
    const expected = Array.from({ length: 500 / step }, (_, index) => `${index * step + (step === 1 ? 0 : 7)}`);
    for (const order of ['oldest', 'newest'] as const) {
      const seen: string[] = [];
      for (let next: number | null = -1; next !== null; ) {
        const cursor = next < 0 ? {} : order === 'oldest' ? { after: next } : { before: next };
        const page = bench.keeper.answer('messages', { filter, order, limit: 7, ...cursor }) as {
          messages: readonly { payload: Uint8Array }[];
          next: number | null;
        };
        expect(page.messages.length).toBeLessThanOrEqual(7);
        seen.push(...page.messages.map(({ payload }) => Buffer.from(payload).toString()));
        next = page.next;
      }
      expect(seen).toEqual(order === 'oldest' ? expected : expected.toReversed());
    }
  }
  const inSpan = { filter: '#', fromMs: startMs + 100_000, toMs: startMs + 103_000, order: 'oldest' } as const;
  const { messages } = bench.keeper.answer('messages', inSpan);
  expect(messages.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['100', '101', '102']);
});

test('a filter that matches little among much is found over several pages', () => {
  const bench = new Bench();
  const topics = Array.from({ length: 40 }, (_, index) => `rare/${index}`);
  bench.record(...topics.map((topic, index) => [topic, `${index}`, 0] as const));
  for (let turn = 0; turn < 11; turn++) {
    bench.record(...Array.from({ length: 2000 }, (_, index) => ['noise', 'x', turn * 2000 + index] as const));
  }
  const first = bench.keeper.answer('messages', { filter: 'rare/#' });
  expect(first.messages).toEqual([]);
  expect(first.next).not.toBeNull();
  const second = bench.keeper.answer('messages', { filter: 'rare/#', before: first.next ?? 0 });
  expect(second.messages).toHaveLength(40);
  expect(second.next).toBeNull();
});

test('buckets hold count, least, largest, mean and last; empty ones are not there, and holes are told', () => {
  const bench = new Bench();
  bench.record(
    ...[0, 10, 20, 30, 40, 50].map((seconds) => ['t', `{"v":${seconds}}`, seconds] as const),
    ['t', '{"v":100}', 600],
    ['t', '{"v":101}', 610],
  );
  expect(bench.keeper.answer('query', { filter: 't', ...span, bucketMs: 20_000 })).toEqual({
    ...span,
    bucketMs: 20_000,
    isTruncated: false,
    series: [
      {
        topic: 't',
        field: 'v',
        times: [0, 20_000, 40_000, 600_000].map((ms) => startMs + ms),
        count: [2, 2, 2, 2],
        min: [0, 20, 40, 100],
        max: [10, 30, 50, 101],
        avg: [5, 25, 45, 100.5],
        last: [10, 30, 50, 101],
        gaps: [3],
      },
    ],
  });
});

test('sums of minutes and hours give the same plots as the samples, also after a restart and a late message', async () => {
  const bench = new Bench();
  const beginMs = startMs - 4 * 3_600_000;
  const value = (seconds: number) => Math.round(1000 * Math.sin(seconds / 500));
  const sample = (index: number) => ['t', `${value(index * 5)}`, index * 5 - 4 * 3600] as const;
  bench.record(...Array.from({ length: 1440 }, (_, index) => sample(index)));
  bench.clock.advance(20_000);
  await bench.keeper.close();
  bench.keeper = bench.open();
  bench.record(...Array.from({ length: 1440 }, (_, index) => sample(1440 + index)));
  bench.clock.advance(70_000);
  bench.record(['t', '5000', 65 - 4 * 3600]);
  bench.clock.advance(70_000);
  const plot = (bucketMs: number) =>
    bench.keeper.answer('query', { filter: 't', fromMs: beginMs, toMs: startMs, bucketMs }).series[0];
  for (const bucketMs of [60_000, 120_000, 300_000, 900_000, 3_600_000, 7_200_000]) {
    const plotted = plot(bucketMs);
    const buckets = new Map<number, number[]>();
    const samples = Array.from({ length: 2880 }, (_, index) => [index * 5000, value(index * 5)] as const);
    const late = [65_000, 5000] as const;
    for (const [ms, v] of [...samples.slice(0, 14), late, ...samples.slice(14)]) {
      const start = beginMs + Math.floor(ms / bucketMs) * bucketMs;
      buckets.set(start, [...(buckets.get(start) ?? []), v]);
    }
    expect(plotted?.times).toEqual([...buckets.keys()]);
    expect(plotted?.count).toEqual([...buckets.values()].map((all) => all.length));
    expect(plotted?.min).toEqual([...buckets.values()].map((all) => Math.min(...all)));
    expect(plotted?.max).toEqual([...buckets.values()].map((all) => Math.max(...all)));
    expect(plotted?.last).toEqual([...buckets.values()].map((all) => all.at(-1)));
    const mean = [...buckets.values()].map((all) => all.reduce((sum, one) => sum + one, 0) / all.length);
    expect(plotted?.avg.map((one) => one.toFixed(6))).toEqual(mean.map((one) => one.toFixed(6)));
  }
  await bench.keeper.close();
  const database = openForReading(bench.file, bench.clock.nowMs());
  const rollups = database.prepare('SELECT width, count(*) AS n FROM rollup GROUP BY width ORDER BY width').all();
  expect(rollups.map((row) => ({ ...row }))).toEqual([
    { width: 60, n: 240 },
    { width: 300, n: 48 },
    { width: 3600, n: 4 },
  ]);
  database.close();
});

test('the width of buckets is readable, and there are never more than asked for', () => {
  const bench = new Bench();
  const width = (toMs: number, rest = {}) =>
    bench.keeper.answer('query', { filter: 't', fromMs: 0, toMs, ...rest }).bucketMs;
  expect(width(1000)).toBe(1);
  expect(width(3_600_000)).toBe(5000);
  expect(width(3_600_000, { bucketMs: 7000 })).toBe(7000);
  expect(width(3_600_000, { bucketMs: 7000, bucketsMax: 10 })).toBe(600_000);
  expect(width(30 * 86_400_000)).toBe(3_600_000);
  expect(width(3650 * 86_400_000)).toBe(4 * 86_400_000);
});

test('questions that make no sense are refused by name', () => {
  const bench = new Bench();
  const refused = (ask: () => unknown): string => {
    try {
      ask();
    } catch (error) {
      const { code, parameter } = error as { code: string; parameter: string };
      return `${code} ${parameter}`;
    }
    return 'answered';
  };
  expect(refused(() => bench.keeper.answer('messages', { filter: 'a/#/b' }))).toBe('invalid filter');
  expect(refused(() => bench.keeper.answer('messages', { filter: '$share/g/a' }))).toBe('invalid filter');
  expect(refused(() => bench.keeper.answer('messages', { filter: 'a', limit: 1001 }))).toBe('invalid limit');
  expect(refused(() => bench.keeper.answer('messages', { filter: 'a', fromMs: 2, toMs: 1 }))).toBe('invalid toMs');
  expect(refused(() => bench.keeper.answer('query', { filter: 'a', fromMs: 0, toMs: Number.NaN }))).toBe(
    'invalid toMs',
  );
  expect(refused(() => bench.keeper.answer('query', { ...span, filter: 'a', bucketsMax: 0 }))).toBe(
    'invalid bucketsMax',
  );
  expect(refused(() => bench.keeper.answer('series', { cursor: 'x' }))).toBe('invalid cursor');
  const format = 'xml' as 'csv';
  expect(refused(() => bench.keeper.answer('exportBegin', { format, what: 'messages', filter: '#' }))).toBe(
    'invalid format',
  );
});

test('exports hold everything once, oldest first', () => {
  const bench = new Bench();
  bench.record(['a', '=1+1', 0], ['b', '{"x":-1,"y":2}', 1], ['a', Buffer.from([255]), 2]);
  expect(bench.exported({ format: 'csv', what: 'messages', filter: '#' })).toBe(
    [
      'time,topic,qos,retain,client,encoding,payload',
      "2027-01-15T08:00:00.000Z,a,1,0,sensor,text,'=1+1",
      '2027-01-15T08:00:01.000Z,b,1,0,sensor,text,"{""x"":-1,""y"":2}"',
      '2027-01-15T08:00:02.000Z,a,1,0,sensor,base64,/w==',
      '',
    ].join('\r\n'),
  );
  expect(bench.exported({ format: 'csv', what: 'samples', filter: '#' })).toBe(
    'time,topic,field,value\r\n2027-01-15T08:00:01.000Z,b,x,-1\r\n2027-01-15T08:00:01.000Z,b,y,2\r\n',
  );
  expect(bench.exported({ format: 'jsonl', what: 'samples', filter: '#', field: 'y' })).toBe(
    '{"time":"2027-01-15T08:00:01.000Z","timeMs":1800000001000,"topic":"b","field":"y","value":2}\n',
  );
});

test('an export of many pieces has every line, and none of what came after it began', () => {
  const bench = new Bench();
  for (let turn = 0; turn < 6; turn++) {
    const rows = Array.from({ length: 2000 }, (_, i) => [`t/${i % 3}`, `${turn * 2000 + i}`, turn * 2000 + i] as const);
    bench.record(...rows);
  }
  for (const what of ['messages', 'samples'] as const) {
    const lines = bench.exported({ format: 'jsonl', what, filter: 't/#' }).trimEnd().split('\n');
    const values = lines.map((line) =>
      Number((JSON.parse(line) as { payload?: string; value?: number })[what === 'messages' ? 'payload' : 'value']),
    );
    expect(values.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 12_000 }, (_, i) => i));
  }
  const request = { format: 'jsonl', what: 'messages', filter: '#' } as const;
  const begin = bench.keeper.answer('exportBegin', request);
  bench.record(['t/0', 'late', 20_000]);
  let last = '';
  for (let place: typeof begin | null = begin; place !== null; ) {
    const piece: { bytes: Uint8Array; next: typeof begin | null } = bench.keeper.answer('exportPiece', [
      request,
      place,
    ]);
    last = Buffer.from(piece.bytes).toString();
    place = piece.next;
  }
  expect(last).not.toContain('late');
});

test('messages older than a rule keeps them go, others stay; topics without messages are forgotten', () => {
  const bench = new Bench({
    rules: [
      { filter: 'short/#', keepDays: 1, maxBytes: null },
      { filter: '#', keepDays: null, maxBytes: null },
    ],
  });
  bench.record(['short/a', '1', -86_399], ['long/a', '1', -86_399], ['short/b', '1', 0]);
  bench.clock.advance(1250);
  expect(bench.keeper.answer('messages', { filter: '#' }).messages).toHaveLength(3);
  bench.clock.advance(12_000);
  const { messages } = bench.keeper.answer('messages', { filter: '#', order: 'oldest' });
  expect(messages.map(({ topic, clientId }) => `${topic} ${clientId}`)).toEqual(['long/a sensor', 'short/b sensor']);
  expect(bench.keeper.answer('series', {}).series.map(({ topic }) => topic)).toEqual(['long/a', 'short/b']);
  const { rules } = bench.keeper.figures().stored ?? { rules: [] };
  expect(rules.map(({ filter, topics, messages: count }) => `${filter} ${topics} ${count}`)).toEqual([
    'short/# 1 1',
    '# 1 1',
  ]);
});

test('a rule that is full loses its oldest messages and no others; a lower limit holds at once', () => {
  const rules = (maxBytes: number | null) => [
    { filter: 'small/#', keepDays: null, maxBytes },
    { filter: '#', keepDays: null, maxBytes: null },
  ];
  const bench = new Bench({ rules: rules(200_000) });
  for (let turn = 0; turn < 10; turn++) {
    bench.record(
      ...Array.from({ length: 1000 }, (_, i) => [`small/${i % 5}`, `${turn * 1000 + i}`, turn * 1000 + i] as const),
      ['other', 'x', turn],
    );
    bench.clock.advance(2000);
  }
  const ofRule = () => bench.keeper.figures().stored?.rules[0] ?? { messages: 0, bytes: 0 };
  expect(ofRule().bytes).toBeLessThanOrEqual(200_000);
  expect(ofRule().messages).toBeGreaterThan(2000);
  const { messages } = bench.keeper.answer('messages', { filter: 'small/#', limit: 1 });
  expect(Buffer.from(messages[0]?.payload ?? []).toString()).toBe('9999');
  expect(bench.keeper.answer('messages', { filter: 'other' }).messages).toHaveLength(10);

  bench.settings = { ...bench.settings, rules: rules(20_000) };
  bench.keeper.change(bench.settings);
  bench.clock.advance(2000);
  expect(ofRule().bytes).toBeLessThanOrEqual(20_000);
  expect(ofRule().messages).toBeGreaterThan(200);
  expect(bench.keeper.answer('series', {}).series.reduce((sum, { count }) => sum + count, 0)).toBe(ofRule().messages);
});

test('the file keeps to its size, and shrinks when the limit does', async () => {
  const bench = new Bench({ maxBytes: 2 * 1024 * 1024 });
  const filler = 'x'.repeat(200);
  for (let turn = 0; turn < 20; turn++) {
    bench.record(
      ...Array.from(
        { length: 1000 },
        (_, i) => [`t/${i % 10}`, `{"v":${i},"x":"${filler}"}`, turn * 1000 + i] as const,
      ),
    );
    bench.clock.advance(1500);
  }
  const { usedBytes = 0, fileBytes = 0 } = bench.keeper.figures().stored ?? {};
  expect(usedBytes).toBeLessThanOrEqual(2 * 1024 * 1024);
  expect(usedBytes).toBeGreaterThan(1024 * 1024);
  expect(fileBytes).toBeLessThanOrEqual(2.5 * 1024 * 1024);
  expect(bench.keeper.answer('messages', { filter: '#', limit: 1 }).messages[0]?.timeMs).toBe(startMs + 19_999_000);

  bench.keeper.change({ ...bench.settings, maxBytes: 1024 * 1024 });
  for (let turn = 0; turn < 20; turn++) bench.clock.advance(1000);
  await bench.keeper.close();
  expect(statSync(bench.file).size).toBeLessThanOrEqual(1024 * 1024 * 1.1);
});

test('what is only sent elsewhere is not kept here', () => {
  const bench = new Bench({
    rules: [
      { filter: 'sent/#', keepDays: null, maxBytes: 0 },
      { filter: '#', keepDays: null, maxBytes: null },
    ],
  });
  bench.record(['sent/a', '1', 0], ['kept', '2', 0]);
  expect(bench.done).toBe(1);
  expect(bench.keeper.answer('messages', { filter: '#' }).messages.map(({ topic }) => topic)).toEqual(['kept']);
});

test('one topic has at most 256 series; its messages are kept all the same', () => {
  const bench = new Bench();
  for (let turn = 0; turn < 10; turn++) {
    const keys = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${turn * 50 + i}`, i]));
    bench.record(['t', JSON.stringify(keys), turn]);
  }
  expect(bench.keeper.figures().stored).toMatchObject({ series: 256, samples: 256, messages: 10 });
});

test('a damaged database is set aside with a line that says so, and a new one begun', async () => {
  const bench = new Bench();
  bench.record(['t', '1', 0]);
  await bench.keeper.close();
  truncateSync(bench.file, 100);
  bench.keeper = bench.open();
  expect(bench.lines).toHaveLength(1);
  expect(bench.lines[0]).toMatch(
    /^error: Error: History: .*history\.db is damaged \(.*\)\. It was moved to .*history\.db\.damaged-\d{8}-\d{6}, and a new database was begun\.$/,
  );
  bench.record(['t', '2', 1]);
  expect(bench.keeper.answer('messages', { filter: '#' }).messages).toHaveLength(1);
  expect(readdirSync(join(bench.file, '..')).some((name) => name.startsWith('history.db.damaged-'))).toBe(true);
});

// Written ahead, pages come from the journal and from memory for a long time.
test.skipIf(sqliteDriver('node:sqlite'))(
  'damage that is met while running is set aside, and nothing that waited is lost',
  () => {
    const bench = new Bench();
    for (let turn = 0; turn < 5; turn++) {
      bench.record(...Array.from({ length: 2000 }, (_, i) => [`t/${i % 100}`, `{"v":${i}}`, turn * 2000 + i] as const));
    }
    const size = statSync(bench.file).size;
    writeFileSync(bench.file, Buffer.alloc(size, 0x5a));
    bench.record(['t/1', 'after', 20_000]);
    for (let turn = 0; turn < 40; turn++) bench.clock.advance(1000);
    expect(bench.lines.some((line) => line.includes('is damaged'))).toBe(true);
    const { messages } = bench.keeper.answer('messages', { filter: '#' });
    expect(messages.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['after']);
  },
);

test('a database of something else is not touched', () => {
  const bench = new Bench();
  const other = join(bench.file, '..', 'other.db');
  writeFileSync(other, 'this is a text of somebody, and no database at all'.repeat(100));
  const open = () =>
    new Keeper(
      { ...bench.settings, file: other },
      bench.clock,
      (_, text) => bench.lines.push(text),
      () => {},
    );
  // No SQLite file at all is damage; an SQLite file of somebody else is not ours to move.
  open();
  expect(bench.lines[0]).toContain('other.db is damaged');
  expect(existsSync(other)).toBe(true);
});
