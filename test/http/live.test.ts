import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { LiveAnswer, LiveRequest } from '../../src/http/schema/live.ts';
import { connect } from '../access/clients.ts';
import type { TestBroker } from '../harness/brokers.ts';
import { type Resource, useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { type ConsoleClient, loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();
const tcp = { transport: 'tcp', version: 5 } as const;

type Frame<Type extends LiveAnswer['type']> = Extract<LiveAnswer, { readonly type: Type }>;

class LivePage implements Resource {
  readonly frames: LiveAnswer[] = [];
  readonly #socket: WebSocket;
  closeCode = 0;

  constructor(broker: TestBroker, headers: Record<string, string>, query = '') {
    this.#socket = new WebSocket(`ws://127.0.0.1:${broker.port('http')}/api/v1/live${query}`, { headers });
    this.#socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString()) as LiveAnswer));
    this.#socket.on('close', (code) => {
      this.closeCode = code;
    });
    this.#socket.on('error', () => {});
  }

  send(request: LiveRequest | Record<string, unknown> | string): void {
    this.#socket.send(typeof request === 'string' ? request : JSON.stringify(request));
  }

  of<Type extends LiveAnswer['type']>(type: Type): Frame<Type>[] {
    return this.frames.filter((frame): frame is Frame<Type> => frame.type === type);
  }

  async next<Type extends LiveAnswer['type']>(
    type: Type,
    fits: (frame: Frame<Type>) => boolean = () => true,
  ): Promise<Frame<Type>> {
    return await waitFor(
      () => `a frame ${type}; came: ${JSON.stringify(this.frames).slice(0, 2000)}`,
      () => this.of(type).find(fits),
    );
  }

  close(): void {
    this.#socket.terminate();
  }
}

async function openPage(broker: TestBroker, user: ConsoleClient): Promise<LivePage> {
  const page = resources.add(new LivePage(broker, { Cookie: user.cookie }));
  await page.next('hello');
  return page;
}

test('a window on the tree: rows in order, changes of what is visible, nothing that moves', async () => {
  const broker = await startWithUsers(resources);
  const page = await openPage(broker, await loggedIn(broker, 'vera'));
  const device = await connect(resources, broker, tcp, { id: 'device' });
  for (const topic of ['b/2', 'b/1', 'a', '/x', 'b/1/deep']) await device.publish(topic, '1', { qos: 1 });
  await device.publish('b/2', '20.5', { qos: 1, retain: true });

  page.send({ type: 'tree', view: 't', expanded: ['b', ''], from: 0, to: 100, rings: true });
  const tree = await page.next('tree');
  expect(tree.rows.filter(({ topic }) => !topic.startsWith('$')).map(({ topic, depth }) => [topic, depth])).toEqual([
    ['', 0],
    ['/x', 1],
    ['a', 0],
    ['b', 0],
    ['b/1', 1],
    ['b/2', 1],
  ]);
  expect(tree.rows.find(({ topic }) => topic === 'b')).toMatchObject({
    children: 2,
    topicsBelow: 3,
    hasValue: false,
    isExpanded: true,
  });
  expect(tree.rows.find(({ topic }) => topic === 'b/2')).toMatchObject({
    value: '20.5',
    isRetained: true,
    count: 2,
    ring: [1],
  });

  await device.publish('b/2', '21', { qos: 1 });
  await device.publish('b/0', 'new', { qos: 1 });
  const update = await page.next('update', ({ newTopics }) => newTopics > 0);
  expect(
    page
      .of('update')
      .flatMap(({ rows }) => rows)
      .find(({ topic }) => topic === 'b/2'),
  ).toMatchObject({ value: '21', count: 3 });
  expect(update.newTopics).toBe(1);
  expect(
    page
      .of('update')
      .flatMap(({ rows }) => rows)
      .some(({ topic }) => topic === 'b/0'),
  ).toBe(false);

  page.send({ type: 'tree', view: 't', expanded: ['b'], from: 0, to: 100, refresh: true });
  await page.next('tree', ({ rows }) => rows.some(({ topic }) => topic === 'b/0'));
  page.send({ type: 'tree', view: 't', expanded: ['b'], from: 3, to: 5 });
  expect((await page.next('tree', ({ from }) => from === 3)).rows).toHaveLength(2);
});

test('a stream: what matches, numbered, with everything an inspector shows; a pause keeps what comes', async () => {
  const broker = await startWithUsers(resources);
  const otto = await loggedIn(broker, 'otto');
  const page = await openPage(broker, otto);
  page.send({ type: 'stream', view: 's', filters: ['in/#'], payloadBytesMax: 8 });
  expect(await page.next('messages')).toMatchObject({ messages: [], until: { seq: 0 } });
  await otto.post('/publish', { topic: 'in/a', payload: { text: 'ééééé' }, qos: 1, properties: { contentType: 'x' } });
  await otto.post('/publish', { topic: 'out/a', payload: { text: 'not this' } });
  const first = await page.next('messages', ({ messages }) => messages.length > 0);
  expect(first.messages).toMatchObject([
    {
      ...{ seq: 1, topic: 'in/a', payload: { text: 'éééé' }, sizeBytes: 10, isTruncated: true, qos: 1 },
      ...{ properties: { contentType: 'x' }, publisherClientId: '' },
    },
  ]);
  page.send({ type: 'pause', view: 's' });
  page.send({ type: 'topics', view: 'sign', topics: ['sign'] });
  await page.next('update');
  for (let index = 0; index < 20; index++)
    await otto.post('/publish', { topic: 'in/b', payload: { text: String(index) } });
  await otto.post('/publish', { topic: 'sign', payload: { text: 'all sent' } });
  await page.next('update', ({ rows }) => rows.some(({ value }) => value === 'all sent'));
  expect(page.of('messages')).toHaveLength(2);
  page.send({ type: 'credit', frames: 100 });
  page.send({ type: 'resume', view: 's' });
  await waitFor('everything', () => page.of('messages').flatMap(({ messages }) => messages).length === 21);
  expect(
    page
      .of('messages')
      .flatMap(({ messages }) => messages)
      .map(({ seq }) => seq),
  ).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  expect(page.of('messages').at(-1)).toMatchObject({ until: { seq: 21 } });
});

test('a page without credit gets nothing, and then the newest; a fast topic is one row', async () => {
  const broker = await startWithUsers(resources);
  const otto = await loggedIn(broker, 'otto');
  const page = await openPage(broker, otto);
  page.send({ type: 'topics', view: 'v', topics: ['fast'] });
  await page.next('update');
  const device = await connect(resources, broker, tcp, { id: 'device' });
  for (let index = 0; index < 3000; index++) void device.publish('fast', String(index), { qos: 0 });
  await device.publish('fast', 'last', { qos: 1 });
  await otto.post('/publish', { topic: 'fast', payload: { text: 'very last' } });
  await waitFor(
    'the credit to be used or the last value',
    () => page.of('update').length >= 8 || page.frames.some((frame) => JSON.stringify(frame).includes('very last')),
  );
  page.send({ type: 'credit', frames: 10 });
  const last = await page.next('update', ({ rows }) => rows.some(({ value }) => value === 'very last'));
  expect(last.rows).toHaveLength(1);
  expect(page.of('update').length).toBeLessThan(100);
});

test('who may not listen, and what is no request', async () => {
  const broker = await startWithUsers(resources);
  const ada = await loggedIn(broker, 'ada');
  const refused = async (headers: Record<string, string>, query = ''): Promise<number> => {
    const page = resources.add(new LivePage(broker, headers, query));
    await waitFor('the end', () => page.closeCode !== 0);
    return page.frames.length;
  };
  expect(await refused({})).toBe(0);
  expect(await refused({ Cookie: ada.cookie, Origin: 'https://evil.example' })).toBe(0);
  expect(await refused({}, '?token=guess')).toBe(0);
  const { token } = await ada.post<{ token: string }>('/tokens', { name: 'wall' });
  const display = resources.add(new LivePage(broker, {}, `?token=${token}`));
  await display.next('hello');
  display.send('{');
  await display.next('error', ({ message }) => message === 'not JSON');
  display.send({ type: 'stream', view: 's', filters: ['a/#/b'] });
  await display.next('error', ({ message }) => message.includes('filters'));
  for (let index = 0; index < 20; index++) display.send({ type: 'topics', view: `v${index}`, topics: [] });
  await display.next('error', ({ message }) => message.includes('16 views'));
  display.send('x'.repeat(2 * 1024 * 1024));
  await waitFor('the end', () => display.closeCode !== 0);
  expect((await ada.ask('GET', '/readyz')).status).toBe(200);
});
