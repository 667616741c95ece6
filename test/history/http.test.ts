import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { loggedIn, startWithUsers } from '../http/console-client.ts';
import { publisher } from './recording.ts';
import { seedHistory } from './seed.ts';

const resources = useResources();

test('the history over HTTP: series, plots, pages, exports, figures, and questions that make no sense', async () => {
  const broker = await startWithUsers(resources, ['history_topic maison/# keep 7 days', 'history_location {dir}']);
  const client = await publisher(resources, broker);
  for (const value of [1, 2, 6]) await client.publishAsync('maison/t', `{"v":${value}}`, { qos: 1 });
  await client.publishAsync('maison/raw', Buffer.from([0, 255]), { qos: 1 });
  const vera = await loggedIn(broker, 'vera');

  expect(await vera.get('/history/series?filter=maison/%23')).toMatchObject({
    items: [{ topic: 'maison/t', field: 'v', count: 3, lastValue: 6 }],
    nextCursor: null,
  });

  const toMs = Date.now() + 86_400_000;
  const span = `fromMs=${toMs - 2 * 86_400_000}&toMs=${toMs}`;
  const { series } = await vera.get<{ series: Record<string, number[]>[] }>(
    `/history/query?filter=maison/t&field=v&bucketMs=604800000&${span}`,
  );
  const sum = (column: string) => series[0]?.[column]?.reduce((all, one) => all + one, 0);
  expect({ count: sum('count'), least: Math.min(...(series[0]?.['min'] ?? [])) }).toEqual({ count: 3, least: 1 });

  type Page = { items: { topic: string; payload: unknown }[]; nextCursor: string | null };
  const first = await vera.get<Page>('/history/messages?filter=maison/%23&limit=3');
  expect(first.items.map(({ payload }) => payload)).toEqual([
    { base64: 'AP8=' },
    { text: '{"v":6}' },
    { text: '{"v":2}' },
  ]);
  const second = await vera.get<Page>(`/history/messages?filter=maison/%23&limit=3&cursor=${first.nextCursor}`);
  expect(second.items.map(({ payload }) => payload)).toEqual([{ text: '{"v":1}' }]);
  expect(second.nextCursor).toBeNull();

  const exported = await vera.ask('GET', '/api/v1/history/export?filter=maison/t&format=csv&what=samples');
  expect(exported.headers.get('content-disposition')).toContain('attachment');
  expect(
    exported.text
      .trimEnd()
      .split('\r\n')
      .map((line) => line.replace(/^[^,]*,/, '')),
  ).toEqual(['topic,field,value', 'maison/t,v,1', 'maison/t,v,2', 'maison/t,v,6']);

  expect(await vera.get('/history/stats')).toMatchObject({
    ...{ messages: 4, samples: 3, dropped: 0, fault: null },
    rules: [{ filter: 'maison/#', keepDays: 7, messages: 4 }],
  });
  const senseless = await vera.ask('GET', '/api/v1/history/messages?filter=a/%23/b');
  expect(senseless.status).toBe(400);
});

test('what the history did not keep, and that nothing waits, stand in /metrics', async () => {
  const large = ['max_packet_size 6000000', 'history_topic maison/#', 'history_location {dir}'];
  const broker = await startWithUsers(resources, large);
  const client = await publisher(resources, broker);
  const vera = await loggedIn(broker, 'vera');
  const metric = async (name: string) =>
    Number(new RegExp(`^mqtt_history_${name} (.*)$`, 'm').exec((await vera.ask('GET', '/metrics')).text)?.[1]);
  expect(await metric('dropped_total')).toBe(0);
  await client.publishAsync('maison/small', 'x', { qos: 1 });
  await client.publishAsync('maison/large', Buffer.alloc(4 * 1024 * 1024 + 1), { qos: 1 });
  await client.publishAsync('elsewhere', Buffer.alloc(4 * 1024 * 1024 + 1), { qos: 1 });
  expect(await metric('dropped_total')).toBe(1);
  await waitFor('everything to be written', async () => (await metric('waiting_messages')) === 0);
  expect([await metric('waiting_bytes'), await metric('lag_seconds')]).toEqual([0, 0]);
  expect(await vera.get('/history/stats')).toMatchObject({ messages: 1, dropped: 1 });
});

test('an export of many pieces has every message once, in order, as one stream', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'history-export-'));
  try {
    // One message every ten seconds.
    await seedHistory(join(folder, 'history.db'), { untilMs: Date.now(), hours: 20_000 / 360, fields: 0 });
    const broker = await startWithUsers(resources, ['history_topic maison/#', `history_location ${folder}`]);
    const vera = await loggedIn(broker, 'vera');
    const exported = await vera.ask('GET', '/api/v1/history/export?filter=%23&format=jsonl&what=messages');
    expect(exported.headers.get('content-length')).toBeNull();
    const times = exported.text
      .trimEnd()
      .split('\n')
      .map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
    expect(times).toHaveLength(20_000);
    expect(times.every((time, index) => index === 0 || time - (times[index - 1] as number) === 10_000)).toBe(true);
    await broker.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
