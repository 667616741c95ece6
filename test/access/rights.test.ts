import { describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { type ClientOptions, connect, listeners, refusalOf, type Way, ways } from './clients.ts';

const resources = useResources();

const success = 0x00;
const noMatchingSubscribers = 0x10;
const notAuthorized = 0x87;

/** MQTT 3.1.1 has no code for a refused message: it is acknowledged and gone. */
const refusedBy = ({ version }: Way): number => (version === 5 ? notAuthorized : success);
/** MQTT 5.0 tells that nobody subscribed. */
const heardByNobody = ({ version }: Way): number => (version === 5 ? noMatchingSubscribers : success);

/** A broker whose rights are in `acl`, and what it takes to talk to it. */
async function broker(acl: readonly string[], more: readonly string[] = []): Promise<TestBroker> {
  return startBroker(resources, 'moustique', {
    config: ['acl_file {dir}/acl', 'allow_anonymous true', ...more, ...listeners],
    files: { acl: `${acl.join('\n')}\n` },
    args: ['-v'],
  });
}

/** A session that outlives its connection, for either version. */
const persistent = (id: string, user: string): ClientOptions => ({
  id,
  user,
  cleanStart: false,
  connectProperties: { sessionExpiryInterval: 3600 },
});

async function reload(running: TestBroker, acl: readonly string[]): Promise<void> {
  running.write('acl', `${acl.join('\n')}\n`);
  const before = running.process.stderr.split('Reloading config.').length;
  running.process.signal('SIGHUP');
  await waitFor('the reload', () => running.process.stderr.split('Reloading config.').length > before);
}

describe.each(ways)('%s', (_name, way) => {
  const options = (id: string, user: string): ClientOptions =>
    way.version === 5 ? persistent(id, user) : { id, user, cleanStart: false };

  test('a message goes where its publisher may write and its reader may read', async () => {
    const running = await broker(['user writer', 'topic write a/#', 'user reader', 'topic read a/1', 'topic read end']);
    const reader = await connect(resources, running, way, { user: 'reader' });
    const writer = await connect(resources, running, way, { user: 'writer' });
    // A subscription is never refused, only what it delivers.
    expect(await reader.subscribe('#', 'a/2')).toEqual([1, 1]);

    expect(await writer.publish('b', 'not to be written')).toBe(refusedBy(way));
    expect(await writer.publish('a/2', 'not to be read')).toBe(success);
    expect(await writer.publish('a/1', 'both')).toBe(success);
    expect(await writer.publish('a/1', 'end')).toBe(success);

    expect(await reader.until('end')).toEqual(['a/1 both']);
  });

  test('retained messages are given to those who may read them', async () => {
    const running = await broker(['user writer', 'topic #', 'user reader', 'topic read open/#']);
    const writer = await connect(resources, running, way, { user: 'writer' });
    for (const topic of ['hidden/1', 'open/1', 'open/2']) await writer.publish(topic, topic, { qos: 1, retain: true });
    const reader = await connect(resources, running, way, { user: 'reader' });

    await reader.subscribe('#');

    expect(await reader.until('open/2')).toEqual(['open/1 open/1']);
  });

  test('what waits for an absent client is judged by the rights it has when it comes back', async () => {
    const before = ['user writer', 'topic #', 'user reader', 'topic read #'];
    const running = await broker(before);
    const reader = await connect(resources, running, way, options('r', 'reader'));
    await reader.subscribe('#');
    await reader.client.disconnect();
    const writer = await connect(resources, running, way, { user: 'writer' });
    for (const topic of ['taken/1', 'kept/1', 'taken/2', 'kept/2']) await writer.publish(topic, topic);

    await reload(running, ['user writer', 'topic #', 'user reader', 'topic read kept/#']);
    const again = await connect(resources, running, way, options('r', 'reader'));

    expect(await again.until('kept/2')).toEqual(['kept/1 kept/1']);
  });

  test('a reload changes the rights of those who are connected, in both directions', async () => {
    const before = ['user writer', 'topic #', 'user reader', 'topic read a'];
    const running = await broker(before);
    const reader = await connect(resources, running, way, { user: 'reader' });
    await reader.subscribe('#');
    const writer = await connect(resources, running, way, { user: 'writer' });
    await writer.publish('a', '1');
    await writer.publish('b', '2');

    await reload(running, ['user writer', 'topic b', 'topic end', 'user reader', 'topic read b', 'topic read end']);

    expect(await writer.publish('a', '3')).toBe(refusedBy(way));
    await writer.publish('b', '4');
    await writer.publish('end', 'end');
    expect(await reader.until('end')).toEqual(['a 1', 'b 4']);
  });

  test('a Will is published where its client may write when it fires', async () => {
    const running = await broker(['user w', 'topic write will/#', 'user reader', 'topic read #']);
    const reader = await connect(resources, running, way, { user: 'reader' });
    await reader.subscribe('#');
    const will = (topic: string): ClientOptions => ({
      user: 'w',
      will: { topic, payload: Buffer.from(topic), qos: 1, retain: false, properties: {} },
    });
    // Set while it was allowed, fired when it is not any more.
    const revoked = await connect(resources, running, way, will('will/revoked'));
    await reload(running, ['user w', 'topic write will/ok', 'user reader', 'topic read #']);
    const never = await connect(resources, running, way, will('elsewhere'));
    const system = await connect(resources, running, way, will('$SYS/broker/uptime'));
    const allowed = await connect(resources, running, way, will('will/ok'));

    for (const client of [revoked, never, system]) {
      client.client.destroy();
      await waitFor('the client to be gone', () => client.ending);
    }
    await waitFor('the broker to see them go', () => running.process.stderr.split('] disconnected').length > 3);
    allowed.client.destroy();

    expect(await reader.until('will/ok')).toEqual([]);
  });

  test('of a shared group only those who may read take a turn', async () => {
    const running = await broker(['user writer', 'topic #', 'user reader', 'topic read a']);
    const outsider = await connect(resources, running, way, { user: 'outsider' });
    await outsider.subscribe('$share/g/a');
    const reader = await connect(resources, running, way, { user: 'reader' });
    await reader.subscribe('$share/g/a');
    const writer = await connect(resources, running, way, { user: 'writer' });

    for (const payload of ['1', '2', '3', 'end']) await writer.publish('a', payload);

    expect(await reader.until('end')).toEqual(['a 1', 'a 2', 'a 3']);
    expect(outsider.received).toEqual([]);
  });

  test('topics of the broker and of shared subscriptions are nobody’s to publish to', async () => {
    const running = await broker(['topic #', 'topic $SYS/#', 'topic $share/#', 'topic $other/#']);
    const client = await connect(resources, running, way);
    expect(await client.publish('$SYS/broker/uptime', 'x')).toBe(refusedBy(way));
    expect(await client.publish('$share/g/a', 'x')).toBe(refusedBy(way));
    expect(await client.publish('$SYS/broker/connection/b/state', '1')).toBe(heardByNobody(way));
    expect(await client.publish('$other/a', 'x')).toBe(heardByNobody(way));
  });

  test('an empty file denies everything, also to clients without a user name', async () => {
    const running = await broker([]);
    for (const user of [{}, { user: 'anne' }]) {
      const client = await connect(resources, running, way, user);
      expect(await client.subscribe('#')).toEqual([1]);
      expect(await client.publish('a', 'x')).toBe(refusedBy(way));
      await client.client.disconnect();
      expect(client.received).toEqual([]);
    }
  });

  test.each([
    ['+', '#'],
    ['#', 'c'],
    ['a/+', 'b/#'],
    ['%u', '%c'],
    ['..', '../..'],
    ['.*', '^$'],
    ['$&', '[a-z]+'],
    ['$SYS', '$SYS'],
  ])('user %j with client id %j gets by patterns nothing that is not its own', async (user, id) => {
    const running = await broker(
      ['user owner', 'topic #', 'pattern readwrite u/%u/#', 'pattern readwrite c/%c/#', 'pattern read %u/broker/#'],
      ['sys_interval 1'],
    );
    const canary = await connect(resources, running, way, { user: 'owner', id: 'victim' });
    await canary.subscribe('#');
    const client = await connect(resources, running, way, { user, id });
    await client.subscribe('#', '$SYS/#', 'u/#', 'c/#');

    for (const topic of ['u/owner/x', 'c/victim/x', 'u/x', 'x', '$SYS/broker/uptime']) {
      expect(await client.publish(topic, 'forged')).toBe(refusedBy(way));
      if (!topic.startsWith('$')) await canary.publish(topic, 'secret');
    }
    await canary.publish('end', 'end');

    expect(await canary.until('end')).toEqual(['u/owner/x secret', 'c/victim/x secret', 'u/x secret', 'x secret']);
    expect(client.received).toEqual([]);
  });

  test('a session is the property of the user who made it', async () => {
    const running = await broker(['user owner', 'topic #', 'user thief', 'topic #']);
    const owner = await connect(resources, running, way, options('device', 'owner'));
    await owner.subscribe('a');

    for (const cleanStart of [false, true]) {
      const thief = { ...options('device', 'thief'), cleanStart };
      expect(await refusalOf(resources, running, way, thief)).toBe(notAuthorized);
    }
    expect(await refusalOf(resources, running, way, { ...options('device', 'x'), id: 'other' })).toBe(0);

    // Neither the open connection nor what waits for the absent owner is touched.
    await owner.publish('a', 'still here');
    expect(await owner.until('still here')).toEqual([]);
    await owner.client.disconnect();
    expect(await refusalOf(resources, running, way, options('device', 'thief'))).toBe(notAuthorized);
    const writer = await connect(resources, running, way, { user: 'owner' });
    await writer.publish('a', 'waiting');
    const again = await connect(resources, running, way, options('device', 'owner'));
    expect(await again.until('waiting')).toEqual([]);
    const line = /user 'thief' from 127\.0\.0\.1:\d+ may not use the session of device/;
    await running.process.waitForOutput(line, 'stderr');
  });
});

const [, tcp5] = ways[1] as readonly [string, Way];

test('without session_owner_check anybody may take a session over, as with Mosquitto', async () => {
  const running = await broker(['user owner', 'topic #'], ['session_owner_check false']);
  const owner = await connect(resources, running, tcp5, persistent('device', 'owner'));
  await connect(resources, running, tcp5, persistent('device', 'thief'));
  await waitFor('the owner to be disconnected', () => owner.ending);
});

test('a session without a user name may be taken by whoever has one', async () => {
  const running = await broker(['topic #']);
  const first = await connect(resources, running, tcp5, { ...persistent('device', ''), user: undefined as never });
  await first.client.disconnect();
  expect(await refusalOf(resources, running, tcp5, persistent('device', 'anne'))).toBe(0);
});

test('with per_listener_settings each listener has its own rights', async () => {
  const running = await startBroker(resources, 'moustique', {
    config: [
      'per_listener_settings true',
      'listener {port} 127.0.0.1',
      'allow_anonymous true',
      'acl_file {dir}/narrow',
      'listener {wsport} 127.0.0.1',
      'protocol websockets',
      'allow_anonymous true',
    ],
    files: { narrow: 'topic read a\n' },
  });
  const narrow = await connect(resources, running, tcp5);
  const open = await connect(resources, running, { transport: 'ws', version: 5 });
  await narrow.subscribe('#');
  expect(await narrow.publish('a', 'x')).toBe(notAuthorized);
  expect(await open.publish('b', 'not for the narrow one')).toBe(success);
  expect(await open.publish('a', 'end')).toBe(success);
  expect(await narrow.until('end')).toEqual([]);
});

test('acl_explain tells MQTT 5.0 publishers which line denied; without it they are told nothing', async () => {
  const acl = ['user anne', 'topic #', 'topic deny secret/#'];
  const reasonOf = async (more: readonly string[], options: ClientOptions = {}): Promise<unknown> => {
    const running = await broker(acl, more);
    const client = await connect(resources, running, tcp5, { user: 'anne', ...options });
    const refused = client.client.publish('secret/1', 'x', { qos: 1 });
    return await refused.catch(({ reasonCode, reasonString }) => [reasonCode, reasonString?.replace(running.dir, '')]);
  };

  expect(await reasonOf([])).toEqual([notAuthorized, undefined]);
  expect(await reasonOf(['acl_explain true'])).toEqual([notAuthorized, '/acl:3: topic deny secret/#']);
  // [MQTT-3.1.2-29] [MQTT-3.4.2-2]
  const unasked = { connectProperties: { requestProblemInformation: false } };
  expect(await reasonOf(['acl_explain true'], unasked)).toEqual([notAuthorized, undefined]);
  const small = { id: 'c', connectProperties: { maximumPacketSize: 40 } };
  expect(await reasonOf(['acl_explain true'], small)).toEqual([notAuthorized, undefined]);
});

describe('a reload that finds a broken file', () => {
  test('ends the broker with the status of Mosquitto', async () => {
    const running = await broker(['user anne', 'topic #']);
    running.write('acl', 'nonsense\n');
    running.process.signal('SIGHUP');
    const { status, stderr } = await running.process.ended;
    expect(status).toBe(3);
    expect(stderr).toContain(`Error: Invalid line in acl_file "${running.dir}/acl": nonsense.`);
    expect(stderr).toContain(`${running.dir}/acl:1: `);
    expect(stderr).toContain(`Error opening acl file "${running.dir}/acl".`);
  });

  test('changes nothing with reload_strict false', async () => {
    const running = await broker(['user anne', 'topic #'], ['reload_strict false']);
    const anne = await connect(resources, running, tcp5, { user: 'anne' });
    running.write('acl', 'nonsense\n');
    running.process.signal('SIGHUP');
    await running.process.waitForOutput('The broker goes on with the rules it has', 'stderr');
    expect(await anne.publish('a', 'x')).toBe(noMatchingSubscribers);
    expect(anne.ending).toBeUndefined();
  });
});

test('denials are logged once a second for each client and rule, with file and line', async () => {
  const running = await broker(['user anne', 'topic a/#', 'topic deny a/x', 'topic deny a/y']);
  const anne = await connect(resources, running, tcp5, { id: 'c1', user: 'anne' });
  for (let n = 0; n < 500; n++) await anne.publish(n % 2 === 0 ? 'a/x' : 'a/y', 'x');
  const lines = running.process.stderr.split('\n').filter((line) => line.includes('Denied: '));
  const [x = '', y = ''] = lines;
  expect(x).toContain(`Denied: c1 (u'anne') may not publish to 'a/x': ${running.dir}/acl:3: topic deny a/x`);
  expect(y).toContain(`Denied: c1 (u'anne') may not publish to 'a/y': ${running.dir}/acl:4: topic deny a/y`);
  // Two rules, and as many seconds as the machine took.
  const seconds = new Set(lines.map((line) => line.split(':')[0]));
  expect(lines.length).toBeLessThanOrEqual(2 * (seconds.size + 1));
});
