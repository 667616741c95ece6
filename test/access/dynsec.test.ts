/** What dynamic security lets clients do, seen from outside. The endpoint's words are compared in `dynsec-mosquitto.test.ts`. */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, listeners, refusalOf, type TestClient, ways } from './clients.ts';
import { adminFile, administrator, endpoint, type Json, pluginPath, startDynsec, tcp4, tcp5 } from './dynsec-world.ts';

const resources = useResources();

const acl = (acltype: string, topic: string, allow = true, priority = 0): Json => ({ acltype, topic, allow, priority });

/** A client `anne` with the password `pw` and one role, `own`, with these rules. */
const anne = (...acls: readonly Json[]): Json[] => [
  { command: 'createRole', rolename: 'own', acls },
  { command: 'createClient', username: 'anne', password: 'pw', roles: [{ rolename: 'own' }] },
];
const asAnne = { user: 'anne', password: 'pw' };

// "pw", in the scheme sha512.
const passwordLine =
  '$6$MTIzNDU2Nzg5MDEy$q7affew5acOzyiuk4E4vJEZhU7t4R1xWTto75IKPJP97LVA+CzSoDMfF2WDjlseX3rV+CHErovd5xAUk0bl69w==';

const ended = (client: TestClient): Promise<number | undefined> =>
  waitFor(
    () => 'the connection to end',
    () => (client.ending === undefined ? undefined : { code: client.ending.reasonCode }),
  ).then(({ code }) => code);

describe.each(ways)('%s', (_, way) => {
  const notAuthorised = way.version === 5 ? 0x87 : 0x80;

  test('who may come in', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: [...listeners, `plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json', 'allow_anonymous true'],
      files: { 'ds.json': adminFile },
    });
    const admin = await administrator(resources, broker);
    await admin.run(
      { command: 'createClient', username: 'anne', password: 'pw' },
      { command: 'createClient', username: 'bound', password: 'pw', clientid: 'one' },
      { command: 'createClient', username: 'bare' },
    );
    const refusal = (options: { user?: string; password?: string; id?: string }): Promise<number> =>
      refusalOf(resources, broker, way, options);
    expect(await refusal(asAnne)).toBe(0);
    expect(await refusal({ ...asAnne, password: 'other' })).toBe(0x87);
    expect(await refusal({ user: 'nobody', password: 'pw' })).toBe(0x87);
    expect(await refusal({ user: 'anne' })).toBe(0x87);
    expect(await refusal({ user: 'bare', password: '' })).toBe(0x87);
    expect(await refusal({ user: 'bound', password: 'pw', id: 'one' })).toBe(0);
    expect(await refusal({ user: 'bound', password: 'pw', id: 'two' })).toBe(0x87);
    expect(await refusal({ user: 'bound', password: 'pw' })).toBe(0x87);
    expect(await refusal({})).toBe(0);
    await admin.run({ command: 'disableClient', username: 'anne' });
    expect(await refusal(asAnne)).toBe(0x87);
    await admin.run({ command: 'enableClient', username: 'anne' });
    expect(await refusal(asAnne)).toBe(0);
    await admin.run({ command: 'setClientPassword', username: 'anne', password: 'new' });
    expect(await refusal(asAnne)).toBe(0x87);
    expect(await refusal({ ...asAnne, password: 'new' })).toBe(0);
  });

  test('what a client may publish, subscribe to and be given', async () => {
    const broker = await startBroker(resources, 'moustique', {
      config: [...listeners, `plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json'],
      files: { 'ds.json': adminFile },
    });
    const admin = await administrator(resources, broker);
    await admin.run(
      ...anne(
        acl('publishClientSend', 'up/%u/#'),
        acl('publishClientSend', 'up/anne/secret', false, 1),
        acl('subscribePattern', 'down/#'),
        acl('subscribePattern', 'down/+/secret', false, 5),
        acl('subscribeLiteral', 'all/#'),
        acl('publishClientReceive', 'down/hidden', false),
        acl('unsubscribePattern', '#', false),
      ),
    );
    const client = await connect(resources, broker, way, asAnne);
    expect(await client.subscribe('down/#', 'down/a/secret', 'all/#', 'all/+', 'x', '$share/g/down/a')).toEqual([
      ...[1, notAuthorised, 1, notAuthorised, notAuthorised, notAuthorised],
    ]);
    await admin.client.subscribe('up/#', 'other');
    const refused = way.version === 5 ? 0x87 : 0;
    expect(await client.publish('up/anne/1', 'first')).toBe(0);
    expect(await client.publish('up/anne/secret', 'no')).toBe(refused);
    expect(await client.publish('up/bob/1', 'no')).toBe(refused);
    expect(await client.publish('other', 'no')).toBe(refused);
    expect(await client.publish('$CONTROL/other/v1', 'no')).toBe(refused);
    expect(await client.publish('up/anne/2', 'last')).toBe(0);
    await waitFor(
      () => `the last message; ${admin.client.received.join(', ')}`,
      () => admin.client.received.includes('up/anne/2 last'),
    );
    expect(admin.client.received.filter((one) => one.startsWith('up/') || one.startsWith('other'))).toEqual([
      ...['up/anne/1 first', 'up/anne/2 last'],
    ]);
    await admin.client.publish('down/hidden', 'no');
    await admin.client.publish('down/seen', 'yes');
    expect(await client.until('yes')).toEqual([]);
    // A denied UNSUBSCRIBE ends nothing.
    await client.client.unsubscribe(['down/#']).catch(() => {});
    await admin.client.publish('down/seen', 'still');
    expect(await client.until('still')).toEqual([]);
  });
});

test('a change of rights ends the connections it concerns, without a Will, and no others', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  await admin.run(...anne(acl('publishClientSend', '#')), { command: 'createClient', username: 'bob', password: 'pw' });
  await admin.client.subscribe('will');
  const bob = await connect(resources, broker, tcp5, { user: 'bob', password: 'pw' });
  for (const command of [
    { command: 'modifyClient', username: 'anne', textname: 'Anne' },
    { command: 'setClientPassword', username: 'anne', password: 'pw' },
    { command: 'setClientId', username: 'anne' },
    { command: 'addRoleACL', rolename: 'own', acltype: 'subscribePattern', topic: 't/#', allow: true },
    { command: 'removeRoleACL', rolename: 'own', acltype: 'subscribePattern', topic: 't/#' },
    { command: 'removeClientRole', username: 'anne', rolename: 'own' },
    { command: 'addClientRole', username: 'anne', rolename: 'own' },
    { command: 'createGroup', groupname: 'g', roles: [{ rolename: 'own' }] },
    { command: 'addGroupClient', groupname: 'g', username: 'anne' },
    { command: 'removeGroupRole', groupname: 'g', rolename: 'own' },
    { command: 'addGroupRole', groupname: 'g', rolename: 'own' },
    { command: 'modifyGroup', groupname: 'g', textname: 'G' },
    { command: 'removeGroupClient', groupname: 'g', username: 'anne' },
    { command: 'modifyRole', rolename: 'own', allowwildcardsubs: false },
    { command: 'deleteRole', rolename: 'own' },
    { command: 'deleteClient', username: 'anne' },
  ]) {
    const client = await connect(resources, broker, tcp5, {
      ...asAnne,
      will: { topic: 'will', payload: Buffer.from('w'), qos: 0, retain: false, properties: {} },
    });
    const [response] = await admin.run(command);
    expect(response).toEqual({ command: command.command });
    if (command.command === 'createGroup') client.close();
    else expect(await ended(client), command.command).toBe(0x98);
  }
  expect(await bob.subscribe('x')).toEqual([0x87]);
  await admin.client.publish('will', 'end');
  // createGroup above concerned nobody, and the Will of the client that was closed then was sent.
  expect((await admin.client.until('end')).filter((one) => one.startsWith('will '))).toEqual(['will w']);
});

test('who is kicked loses the subscriptions that it may not have any more, and keeps its session', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  await admin.run(...anne(acl('subscribePattern', 'a/#'), acl('subscribePattern', 'b/#')));
  const settings = { ...asAnne, id: 'c1', cleanStart: false, connectProperties: { sessionExpiryInterval: 600 } };
  const client = await connect(resources, broker, tcp5, settings);
  expect(await client.subscribe('a/1', 'b/1')).toEqual([1, 1]);
  await admin.run({ command: 'removeRoleACL', rolename: 'own', acltype: 'subscribePattern', topic: 'a/#' });
  expect(await ended(client)).toBe(0x98);
  await admin.client.publish('a/1', 'no');
  await admin.client.publish('b/1', 'yes');
  const again = await connect(resources, broker, tcp5, settings);
  expect(await again.until('yes')).toEqual([]);
});

test('rules in order: priority of roles, groups and ACLs', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  const send = (topic: string, allow: boolean, priority = 0): Json => acl('publishClientSend', topic, allow, priority);
  await admin.run(
    { command: 'createRole', rolename: 'low', acls: [send('a', true), send('b', true), send('c', true)] },
    { command: 'createRole', rolename: 'high', acls: [send('a', false), send('d', false), send('d/#', true, 1)] },
    { command: 'createRole', rolename: 'grouped', acls: [send('b', false), send('e', true), send('f', true)] },
    { command: 'createRole', rolename: 'grouped2', acls: [send('f', false)] },
    { command: 'createGroup', groupname: 'g1', roles: [{ rolename: 'grouped' }] },
    { command: 'createGroup', groupname: 'g2', roles: [{ rolename: 'grouped2' }] },
    {
      command: 'createClient',
      ...{ username: 'anne', password: 'pw', groups: [{ groupname: 'g1' }, { groupname: 'g2', priority: 5 }] },
      roles: [
        { rolename: 'low', priority: 1 },
        { rolename: 'high', priority: 2 },
      ],
    },
  );
  const client = await connect(resources, broker, tcp5, asAnne);
  const verdicts = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((topic) => client.publish(topic, 'x')));
  expect(verdicts).toEqual([0x87, 0x10, 0x10, 0x10, 0x10, 0x87, 0x87]);
  // The defaults decide where nothing else does, but never about $CONTROL.
  await admin.run({
    command: 'setDefaultACLAccess',
    acls: ['publishClientSend', 'subscribe'].map((acltype) => ({ acltype, allow: true })),
  });
  expect(await client.publish('g', 'x')).toBe(0x10);
  expect(await client.publish('a', 'x')).toBe(0x87);
  expect(await client.publish(endpoint, '{}')).toBe(0x87);
  expect(await client.subscribe('any/#', `${endpoint}/response`, '$share/s/$CONTROL/#')).toEqual([1, 0x87, 0x87]);
});

test('allowwildcardsubs false leaves plain filters', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  await admin.run(...anne(acl('subscribePattern', 't/#')), {
    command: 'modifyRole',
    ...{ rolename: 'own', allowwildcardsubs: false },
  });
  const client = await connect(resources, broker, tcp5, asAnne);
  expect(await client.subscribe('t/a', 't/+', 't/#')).toEqual([1, 0x87, 0x87]);
});

test('names with wildcards in them open nothing', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  const own = { roles: [{ rolename: 'own' }], password: 'pw' };
  await admin.run(
    ...anne(acl('subscribePattern', 't/%u/#'), acl('publishClientSend', '%u/#')),
    ...['+', '#', '$CONTROL', '$SYS'].map((username) => ({ command: 'createClient', username, ...own })),
  );
  for (const user of ['+', '#']) {
    const client = await connect(resources, broker, tcp5, { user, password: 'pw' });
    expect(await client.subscribe(`t/${user}`, 't/#', 't/a')).toEqual([0x87, 0x87, 0x87]);
    expect(await client.publish('a/b', 'x')).toBe(0x87);
  }
  const client = await connect(resources, broker, tcp5, { user: '$CONTROL', password: 'pw' });
  expect(await client.publish(endpoint, '{}')).toBe(0x87);
  const anneHerself = await connect(resources, broker, tcp5, asAnne);
  expect(await anneHerself.subscribe('t/anne/x')).toEqual([1]);
});

test('clients without a user name have the roles of the anonymous group', async () => {
  const broker = await startDynsec(resources, 'moustique', ['allow_anonymous true']);
  const admin = await administrator(resources, broker);
  const client = await connect(resources, broker, tcp5);
  expect(await client.subscribe('open/1')).toEqual([0x87]);
  await admin.run(
    { command: 'createRole', rolename: 'open', acls: [acl('subscribePattern', 'open/#')] },
    { command: 'createGroup', groupname: 'guests', roles: [{ rolename: 'open' }] },
    { command: 'setAnonymousGroup', groupname: 'guests' },
  );
  expect(await ended(client)).toBe(0x98);
  const again = await connect(resources, broker, tcp5);
  expect(await again.subscribe('open/1', 'closed')).toEqual([1, 0x87]);
  expect(await admin.run({ command: 'deleteGroup', groupname: 'guests' })).toEqual([
    { command: 'deleteGroup', error: 'Deleting the anonymous group is forbidden' },
  ]);
});

test('a bridge of ours has no user name and is nobody’s to kick', async () => {
  const remote = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'allow_anonymous true'],
  });
  const broker = await startDynsec(resources, 'moustique', [
    ...['connection there', `address 127.0.0.1:${remote.port()}`, 'topic out/# out 1', 'cleansession false'],
  ]);
  const far = await connect(resources, remote, tcp5);
  await far.subscribe('out/#');
  const admin = await administrator(resources, broker);
  await admin.client.publish('out/1', 'before');
  expect(await far.until('before')).toEqual([]);
  await admin.run({ command: 'createGroup', groupname: 'g' }, { command: 'setAnonymousGroup', groupname: 'g' });
  await admin.client.publish('out/1', 'after');
  expect(await far.until('after')).toEqual([]);
  const { stdout, stderr } = await broker.stop();
  expect(stdout + stderr).not.toContain('administrative action');
});

test('beside password and ACL files: dynamic security first, the files for whom it does not know', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', `plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json'],
      ...['password_file {dir}/passwords', 'acl_file {dir}/acl'],
    ],
    files: {
      'ds.json': adminFile,
      // "pw" for bob and anne.
      passwords: ['bob', 'anne'].map((name) => `${name}:${passwordLine}\n`).join(''),
      acl: 'user bob\ntopic bob/#\nuser anne\ntopic both\n',
    },
  });
  const admin = await administrator(resources, broker);
  await admin.run(
    { command: 'createRole', rolename: 'own', acls: [acl('publishClientSend', 'own')] },
    { command: 'createClient', username: 'anne', password: 'other', roles: [{ rolename: 'own' }] },
  );
  const bob = await connect(resources, broker, tcp5, { user: 'bob', password: 'pw' });
  expect([await bob.publish('bob/1', ''), await bob.publish('own', '')]).toEqual([0x10, 0x87]);
  expect(await refusalOf(resources, broker, tcp5, asAnne)).toBe(0x87);
  const client = await connect(resources, broker, tcp5, { user: 'anne', password: 'other' });
  // What no role decides, the file does.
  expect([await client.publish('own', ''), await client.publish('both', ''), await client.publish('x', '')]).toEqual([
    ...[0x10, 0x10, 0x87],
  ]);
});

test('answers and changes outlive the broker; the file is private and keeps what it does not know', async () => {
  const broker = await startDynsec(resources);
  await broker.stop();
  const file = join(broker.dir, 'ds.json');
  const written = JSON.parse(adminFile) as { clients: Json[] };
  const withMore = { ...written, ourNote: { a: [1] }, clients: written.clients.map((one) => ({ ...one, badge: 7 })) };
  writeFileSync(file, JSON.stringify(withMore));
  await broker.start();
  const admin = await administrator(resources, broker);
  await admin.run({ command: 'createClient', username: 'anne', password: 'pw' });
  await admin.run({ command: 'createGroup', groupname: 'g' }, { command: 'createGroup', groupname: 'g' });
  expect(await admin.run({ command: 'getDetails' })).toEqual([
    { command: 'getDetails', data: { clientCount: 2, groupCount: 1, roleCount: 1, changeIndex: 2 } },
  ]);
  // Killed, not stopped: what was answered is on disk.
  broker.process.signal('SIGKILL');
  await broker.process.ended;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> & { clients: Json[] };
  expect(kept['ourNote']).toEqual({ a: [1] });
  expect(kept.clients).toMatchObject([{ username: 'admin', badge: 7 }, { username: 'anne' }]);
  await broker.start();
  expect(await refusalOf(resources, broker, tcp5, asAnne)).toBe(0);
});

test('the endpoint tells who is connected, and belongs to those whom dynamic security serves', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['per_listener_settings true', 'enable_control_api true', 'listener {port} 127.0.0.1'],
      ...[`plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json', 'listener {wsport} 127.0.0.1'],
      ...['protocol websockets', 'allow_anonymous true'],
    ],
    files: { 'ds.json': adminFile },
  });
  const admin = await administrator(resources, broker);
  const [response] = await admin.run({ command: 'getClient', username: 'admin' });
  expect(response).toMatchObject({ data: { client: { connections: [{ address: '127.0.0.1' }] } } });

  const [, websocket] = ways[3] as (typeof ways)[number];
  const other = await connect(resources, broker, websocket);
  await other.subscribe(`${endpoint}/response`, '$CONTROL/broker/v1/response');
  await other.publish(endpoint, JSON.stringify({ commands: [{ command: 'deleteClient', username: 'admin' }] }));
  expect(await other.until('{"error": "endpoint not available"}')).toEqual([]);
  await other.publish('$CONTROL/broker/v1', '{"commands":[{"command":"listPlugins"}]}');
  const plugins = [{ name: 'dynamic-security', 'control-endpoints': [endpoint] }];
  await other.until(JSON.stringify({ responses: [{ command: 'listPlugins', data: { plugins } }] }));
  expect(await admin.run({ command: 'listClients' })).toMatchObject([{ data: { clients: ['admin'] } }]);
});

test('requests of several administrators are carried out one after the other', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  await admin.run({ command: 'createGroup', groupname: 'g' });
  const others = await Promise.all(
    Array.from(
      { length: 4 },
      async () => await connect(resources, broker, tcp4, { user: 'admin', password: 'secret' }),
    ),
  );
  await Promise.all(
    others.map((client, index) =>
      client.publish(
        endpoint,
        JSON.stringify({
          commands: Array.from({ length: 5 }, (_, number) => ({
            command: 'createClient',
            ...{ username: `u${index}-${number}`, password: 'pw', groups: [{ groupname: 'g' }] },
          })),
        }),
      ),
    ),
  );
  // The first one was given the answers to all of them.
  const another = await administrator(resources, broker);
  const [list] = await another.run({ command: 'getGroup', groupname: 'g' });
  expect((list as { data: { group: { clients: Json[] } } }).data.group.clients).toHaveLength(20);
});

test('what cannot be written has not happened', async () => {
  const broker = await startDynsec(resources);
  const admin = await administrator(resources, broker);
  blockFile(broker);
  expect(
    await admin.run({ command: 'createClient', username: 'anne', correlationData: 'x' }, { command: 'getClient' }),
  ).toEqual([
    { command: 'createClient', error: 'Internal error', correlationData: 'x' },
    { command: 'getClient', error: 'Invalid/missing username' },
  ]);
  expect(await admin.run({ command: 'listClients' })).toMatchObject([{ data: { clients: ['admin'] } }]);
});

/** Nothing can be renamed over a folder that is not empty, nor opened for writing. */
function blockFile(broker: TestBroker): void {
  renameSync(join(broker.dir, 'ds.json'), join(broker.dir, 'ds.kept'));
  mkdirSync(join(broker.dir, 'ds.json', 'in-the-way'), { recursive: true });
}
