import { expect, test } from 'vitest';
import { connect } from '../access/clients.ts';
import { useResources } from '../harness/resources.ts';
import { loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();
const tcp = { transport: 'tcp', version: 5 } as const;

test('retained messages: found, sorted, deleted by filter after a look, and put back', async () => {
  const broker = await startWithUsers(resources);
  const otto = await loggedIn(broker, 'otto');
  const device = await connect(resources, broker, tcp, { id: 'device' });
  for (const [topic, payload] of [
    ['home/a', 'x'],
    ['home/b', 'xxx'],
    ['home/c/d', 'xx'],
    ['garden/a', 'é<b>'],
  ] as const) {
    await device.publish(topic, payload, { qos: 1, retain: true });
  }
  const properties = { contentType: 'text/plain', userProperties: [['room', 'cellar']] };
  await otto.post('/publish', { topic: 'home/e', payload: { base64: 'AP8=' }, retain: true, qos: 2, properties });
  const watcher = await connect(resources, broker, tcp, { id: 'watcher' });
  await watcher.subscribe('home/#');

  expect(await otto.get('/retained?filter=home/%23&sort=size&order=descending&limit=2')).toMatchObject({
    ...{
      total: 4,
      totalBytes: 8,
      items: [{ topic: 'home/b', value: 'xxx', sizeBytes: 3, qos: 1, publisherClientId: 'device' }, {}],
    },
    nextCursor: expect.any(String),
  });
  expect(await otto.get('/retained?search=GARDEN')).toMatchObject({ items: [{ topic: 'garden/a', value: 'é<b>' }] });
  const all = await otto.get<{ items: { topic: string; value: string | null }[] }>('/retained?filter=%23');
  expect(all.items.map(({ topic }) => topic)).toEqual(['garden/a', 'home/a', 'home/b', 'home/c/d', 'home/e']);
  expect(all.items.at(-1)?.value).toBeNull();

  const look = await otto.post('/retained/delete', { filter: 'home/#', dryRun: true });
  expect(look).toEqual({ count: 4, bytes: 8, canUndo: true, undoId: null, undoUntilMs: null });
  expect(await otto.get('/retained?filter=home/%23')).toMatchObject({ total: 4 });
  const deleted = await otto.post<{ undoId: string }>('/retained/delete', { filter: 'home/#', dryRun: false });
  expect(deleted).toMatchObject({ count: 4, bytes: 8, undoId: expect.any(String) });
  expect(await otto.get('/retained?filter=%23')).toMatchObject({ total: 1 });
  expect(await otto.get('/retained/bin')).toMatchObject({ items: [{ filter: 'home/#', count: 4, by: 'otto' }] });

  // What came back by itself meanwhile stays.
  await device.publish('home/a', 'newer', { qos: 1, retain: true });
  expect(await otto.post('/retained/undo', { undoId: deleted.undoId })).toEqual({ restored: 3, skipped: 1 });
  expect((await otto.ask('POST', '/api/v1/retained/undo', { undoId: deleted.undoId })).status).toBe(404);
  expect(await otto.get('/topics/last?topic=home/a')).toMatchObject({ message: { payload: { text: 'newer' } } });
  expect(await otto.get('/topics/last?topic=home/e')).toMatchObject({
    message: { payload: { base64: 'AP8=' }, qos: 2, isRetained: true, properties },
  });
  // Whoever listens was told, as by a client that clears them.
  await otto.post('/publish', { topic: 'home/end', payload: { text: 'end' } });
  expect(await watcher.until('end')).toEqual(expect.arrayContaining(['home/b ', 'home/b xxx', 'home/a newer']));
});

test('100,000 deleted while a client that pings notices nothing', async () => {
  const broker = await startWithUsers(resources, ['max_queued_messages 0']);
  const otto = await loggedIn(broker, 'otto');
  const device = await connect(resources, broker, tcp, { id: 'device', inflightMaximum: 1000 });
  const count = 100_000;
  for (let index = 0; index < count; index += 1000) {
    const some = Array.from({ length: 1000 }, (_, offset) => `many/${(index + offset) % 100}/${index + offset}`);
    await Promise.all(some.map((topic) => device.publish(topic, 'x', { qos: 1, retain: true })));
  }
  const canary = await connect(resources, broker, tcp, { id: 'canary' });
  // Those that are deleted first, and those that are last, show when the deletion begins and ends.
  await canary.subscribe('canary', 'many/0/#', 'many/99/#');
  let slowestMs = 0;
  let isRunning = true;
  const beats = (async () => {
    for (let beat = 0; isRunning; beat++) {
      const startMs = performance.now();
      await canary.publish('canary', String(beat), { qos: 1 });
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    }
  })();
  const startMs = performance.now();
  const deleted = await otto.post<{ undoId: string }>('/retained/delete', { filter: 'many/#', dryRun: false });
  const deletedMs = performance.now() - startMs;
  expect(deleted).toMatchObject({ count, undoId: expect.any(String) });
  const undone = await otto.post('/retained/undo', { undoId: deleted.undoId });
  isRunning = false;
  await beats;
  await canary.publish('canary', 'end', { qos: 1 });
  const order = await canary.until('end');
  // Other clients had their turn in between: in one go there would be nothing between the first and the last.
  const isDeletion = (message: string): boolean => message.startsWith('many/') && message.endsWith(' ');
  const [first, last] = [order.findIndex(isDeletion), order.findLastIndex(isDeletion)];
  const between = order.slice(first, last).filter((message) => message.startsWith('canary '));
  expect(first).toBeGreaterThanOrEqual(0);
  expect(between.length).toBeGreaterThanOrEqual(3);
  expect(undone).toEqual({ restored: count, skipped: 0 });
  expect(await otto.get('/retained?filter=many/%23&limit=1')).toMatchObject({ total: count });
  console.log(
    `deleted in ${Math.round(deletedMs)} ms beside ${between.length} messages of the canary, slowest answer to it ${Math.round(slowestMs)} ms`,
  );
});

test('saved messages: shared, and nobody overwrites what they have not seen', async () => {
  const broker = await startWithUsers(resources, ['persistence_location {dir}/']);
  const [otto, vera] = [await loggedIn(broker, 'otto'), await loggedIn(broker, 'vera')];
  const collections = [
    { name: 'doors', messages: [{ name: 'open', topic: 'door', payload: 'open {{now}}', qos: 1, delayMs: 500 }] },
  ];
  expect((await otto.ask('PUT', '/api/v1/saved-messages', { version: 0, collections })).json()).toEqual({
    version: 1,
    collections,
  });
  expect((await otto.ask('PUT', '/api/v1/saved-messages', { version: 0, collections: [] })).json()).toMatchObject({
    error: { code: 'version-conflict' },
  });
  expect((await vera.ask('PUT', '/api/v1/saved-messages', { version: 1, collections: [] })).status).toBe(403);
  await broker.restart();
  expect(await (await loggedIn(broker, 'vera')).get('/saved-messages')).toEqual({ version: 1, collections });
});
