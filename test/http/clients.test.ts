import { expect, test } from 'vitest';
import { type ClientOptions, connect, refusalOf, type TestClient } from '../access/clients.ts';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { loggedIn, passwordFile, startWithUsers } from './console-client.ts';

const resources = useResources();
const tcp = { transport: 'tcp', version: 5 } as const;

const join = async (broker: TestBroker, options: ClientOptions): Promise<TestClient> =>
  await connect(resources, broker, tcp, options);

test('clients: list, filters, pages, detail', async () => {
  const broker = await startWithUsers(resources);
  const vera = await loggedIn(broker, 'vera');
  for (let index = 0; index < 25; index++) await join(broker, { id: `sensor-${String(index).padStart(2, '0')}` });
  const strange = 'a/b?c#d%2F <b>é\u202e';
  const client = await join(broker, { id: strange, user: 'Über', keepAliveSeconds: 30 });
  await client.subscribe('x/+', '$share/team/x/#');

  const names: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { items: { clientId: string }[]; total: number; nextCursor: string | null } = await vera.get(
      `/clients?search=sensor&limit=10${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    expect(page.total).toBe(25);
    names.push(...page.items.map(({ clientId }) => clientId));
    cursor = page.nextCursor;
  }
  expect(names).toEqual(Array.from({ length: 25 }, (_, index) => `sensor-${String(index).padStart(2, '0')}`));
  expect(await vera.get('/clients?username=über')).toMatchObject({ total: 1, items: [{ clientId: strange }] });
  expect(await vera.get('/clients?version=4')).toMatchObject({ total: 0 });
  expect(await vera.get('/clients?connected=false')).toMatchObject({ total: 0 });
  expect(await vera.get('/clients?sort=subscriptions&order=descending&limit=1')).toMatchObject({
    items: [{ clientId: strange, subscriptions: 2 }],
  });
  expect(await vera.get(`/clients/${encodeURIComponent(strange)}`)).toMatchObject({
    ...{ clientId: strange, username: 'Über', isConnected: true, address: '127.0.0.1', protocolVersion: 5 },
    ...{ keepAliveSeconds: 30, subscriptions: 2, inFlight: 0, tls: null, hasRules: false, bannedUntilMs: null },
    subscriptionList: [
      { filter: 'x/+', qos: 1, noLocal: false },
      { filter: '$share/team/x/#', qos: 1 },
    ],
  });
  expect(await vera.get('/subscriptions/receivers?topic=x/1')).toMatchObject({
    count: 2,
    clients: [{ clientId: strange, filter: 'x/+', qos: 1, isConnected: true, mayReceive: true }],
    groups: [{ name: 'team', filter: 'x/#', members: [{ clientId: strange }] }],
  });
});

test('shared group: each member with the messages that were its turn', async () => {
  const broker = await startWithUsers(resources);
  const vera = await loggedIn(broker, 'vera');
  const members = [await join(broker, { id: 'one' }), await join(broker, { id: 'two' })];
  for (const member of members) await member.subscribe('$share/team/x/#');
  const publisher = await join(broker, { id: 'publisher' });
  for (let count = 0; count < 7; count++) await publisher.publish('x/1', 'm', { qos: 1 });
  expect(await vera.get('/subscriptions/receivers?topic=x/1')).toMatchObject({
    groups: [
      {
        ...{ name: 'team', taken: 7 },
        members: [
          { clientId: 'one', taken: 4 },
          { clientId: 'two', taken: 3 },
        ],
      },
    ],
  });
});

test('kick and ban: the connection ends, the identifier is refused until the time is over or the ban is lifted', async () => {
  const broker = await startWithUsers(resources);
  const otto = await loggedIn(broker, 'otto');
  const kept = { id: 'kept', connectProperties: { sessionExpiryInterval: 600 } };
  const client = await join(broker, kept);
  const other = await join(broker, { id: 'other' });
  await client.subscribe('a');

  expect(await otto.post('/clients/kept/kick')).toEqual({
    wasConnected: true,
    sessionEnded: false,
    bannedUntilMs: null,
  });
  expect((await waitFor('the end', () => client.ending)).reasonCode).toBe(0x98);
  expect(await otto.get('/clients?search=kept')).toMatchObject({ items: [{ isConnected: false, subscriptions: 1 }] });

  const banned = await otto.post<{ bannedUntilMs: number }>('/clients/kept/kick', { endSession: true, banSeconds: 60 });
  expect(banned).toMatchObject({ wasConnected: false, sessionEnded: true });
  expect(await refusalOf(resources, broker, tcp, { id: 'kept' })).toBe(0x8a);
  expect(await refusalOf(resources, broker, { transport: 'tcp', version: 4 }, { id: 'kept' })).not.toBe(0);
  expect(await otto.get('/bans')).toMatchObject({
    items: [{ clientId: 'kept', untilMs: banned.bannedUntilMs, by: 'otto' }],
  });
  expect((await otto.ask('DELETE', '/api/v1/bans/kept')).status).toBe(200);
  expect(await refusalOf(resources, broker, tcp, { id: 'kept' })).toBe(0);
  // A second of it is enough to see it end.
  await otto.post('/clients/short/kick', { banSeconds: 1 });
  expect(await refusalOf(resources, broker, tcp, { id: 'short' })).toBe(0x8a);
  await waitFor('the end of the ban', async () => (await refusalOf(resources, broker, tcp, { id: 'short' })) === 0);
  expect(other.ending).toBeUndefined();

  const ada = await loggedIn(broker, 'ada');
  const { items } = await ada.get<{ items: { user: string; path: string; detail: string }[] }>('/audit');
  expect(items.filter(({ path }) => path.endsWith('/kick')).at(-1)).toMatchObject({
    user: 'otto',
    detail: 'client kept',
  });
});

test('bans outlive a restart where the broker has persistence, lifted ones do not come back', async () => {
  const broker = await startWithUsers(resources, ['persistence true', 'persistence_location {dir}/']);
  const before = await loggedIn(broker, 'otto');
  const { bannedUntilMs } = await before.post<{ bannedUntilMs: number }>('/clients/bad/kick', { banSeconds: 3600 });
  await before.post('/clients/forgiven/kick', { banSeconds: 3600 });
  expect((await before.ask('DELETE', '/api/v1/bans/forgiven')).status).toBe(200);
  await broker.restart();
  expect(await refusalOf(resources, broker, tcp, { id: 'bad' })).toBe(0x8a);
  expect(await refusalOf(resources, broker, tcp, { id: 'forgiven' })).toBe(0);
  expect(await (await loggedIn(broker, 'otto')).get('/bans')).toEqual({
    items: [{ clientId: 'bad', untilMs: bannedUntilMs, by: 'otto' }],
    total: 1,
  });
});

test('the queue of an absent client: looked at, and dropped', async () => {
  const broker = await startWithUsers(resources, ['queue_qos0_messages true']);
  const otto = await loggedIn(broker, 'otto');
  const away = await join(broker, { id: 'away', cleanStart: false, connectProperties: { sessionExpiryInterval: 600 } });
  await away.subscribe('q/#');
  away.close();
  await waitFor('it to be away', async () => (await otto.get('/clients?connected=true'))['total'] === 0);
  for (let index = 0; index < 5; index++) {
    const message = {
      topic: `q/${index}`,
      payload: { text: `number ${index}` },
      qos: 1,
      properties: { contentType: 'text/plain' },
    };
    expect(await otto.post('/publish', message)).toEqual({ matched: 1, reasonCode: 0, reason: 'Success' });
  }
  const queue = await otto.get('/sessions/away/queue?limit=2');
  expect(queue).toMatchObject({
    ...{ queuedMessages: 5, queuedBytes: 40, inFlight: 0 },
    items: [
      {
        topic: 'q/0',
        payload: { text: 'number 0' },
        qos: 1,
        state: 'queued',
        properties: { contentType: 'text/plain' },
      },
      { topic: 'q/1' },
    ],
  });
  expect((await otto.ask('DELETE', '/api/v1/sessions/away/queue')).json()).toEqual({
    purgedMessages: 5,
    purgedBytes: 40,
  });
  expect(await otto.get('/sessions/away/queue')).toMatchObject({ items: [], queuedMessages: 0 });
  expect(await otto.get('/broker')).toMatchObject({
    dropsByReason: expect.arrayContaining([expect.objectContaining({ reason: 'purged', count: 5 })]),
  });
  await otto.post('/publish', { topic: 'q/last', payload: { text: 'after' }, qos: 1 });
  const back = await join(broker, { id: 'away', cleanStart: false, connectProperties: { sessionExpiryInterval: 600 } });
  expect(await back.until('after')).toEqual([]);
});

test('what was given up for a client, by reason, and why it lost its connection', async () => {
  const broker = await startWithUsers(resources, ['max_queued_messages 3']);
  const otto = await loggedIn(broker, 'otto');
  const kept = { cleanStart: false, connectProperties: { sessionExpiryInterval: 600 } };
  const away = await join(broker, { id: 'away', ...kept });
  const fresh = await join(broker, { id: 'fresh' });
  await away.subscribe('q/#');
  await fresh.subscribe('q/#');
  expect(await otto.get('/clients/away')).toMatchObject({ dropsByReason: [], lastError: null });
  away.close();
  await waitFor('it to be away', async () => (await otto.get('/clients?connected=true'))['total'] === 1);
  for (let index = 0; index < 5; index++) await otto.post('/publish', { topic: 'q/1', payload: { text: 'x' }, qos: 1 });
  await otto.post('/publish', { topic: 'q/0', payload: { text: 'last' }, qos: 0 });
  await fresh.until('last');
  expect(await otto.get('/clients/away')).toMatchObject({
    dropsByReason: [
      { reason: 'queue_full', help: expect.stringContaining('max_queued_messages'), count: 2 },
      { reason: 'client_away', count: 1 },
    ],
    lastError: { atMs: expect.any(Number), reason: 'connection closed by client' },
  });
  expect(await otto.get('/clients/fresh')).toMatchObject({ dropsByReason: [], lastError: null });

  const back = await join(broker, { id: 'away', ...kept });
  await otto.post('/clients/away/kick');
  await waitFor('the end', () => back.ending);
  expect(await otto.get('/clients/away')).toMatchObject({
    dropsByReason: [{ count: 2 }, { count: 1 }],
    lastError: { reason: 'administrative action' },
  });
});

test('why somebody may not: explained, and remembered', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['http_role operator otto', 'password_file {dir}/passwd', 'acl_file {dir}/acl'],
      ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api'],
    ],
    files: { passwd: await passwordFile(), acl: 'user vera\ntopic read house/#\ntopic deny house/safe\n' },
  });
  const otto = await loggedIn(broker, 'otto');
  const vera = await join(broker, { id: 'vera-1', user: 'vera', password: 'vera-secret' });
  expect(await vera.publish('house/lamp', 'on')).toBe(0x87);

  const ask = async (topic: string, action: string) =>
    await otto.get(`/access/explain?clientId=vera-1&username=vera&topic=${topic}&action=${action}`);
  expect(await ask('house/lamp', 'read')).toMatchObject({ allowed: true, decidedBy: expect.stringContaining('acl:2') });
  expect(await ask('house/safe', 'read')).toMatchObject({
    allowed: false,
    decidedBy: expect.stringContaining('acl:3'),
  });
  expect(await ask('house/lamp', 'write')).toMatchObject({
    ...{ allowed: false, nearest: expect.stringContaining('acl:2') },
    line: 'user vera\ntopic write house/lamp',
  });
  expect((await otto.ask('GET', '/api/v1/access/explain?topic=%23&action=read')).status).toBe(400);
  expect(await otto.get('/access/denials')).toMatchObject({
    items: [{ clientId: 'vera-1', username: 'vera', action: 'publish', topic: 'house/lamp' }],
  });
  expect(await otto.get('/subscriptions/receivers?topic=house/safe')).toMatchObject({ count: 0 });
});
