import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConnectRequest, ReasonCode } from '../../src/index.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { connackPropertiesOf, connect, Inbox, inboxOf, refusalOf, startBroker } from './embedding.ts';

const resources = useResources();

describe('authenticate', () => {
  test('sees the CONNECT and decides, at once or later', async () => {
    const requests: ConnectRequest[] = [];
    const { broker, url } = await startBroker(resources, {
      authenticate: (request) => {
        requests.push(request);
        const isRight = request.username === 'anne' && request.password?.toString() === 'secret';
        return request.clientId === 'later' ? Promise.resolve(isRight) : isRight;
      },
    });

    await connect(resources, url, { clientId: 'now', username: 'anne', password: 'secret' });
    await connect(resources, url, { clientId: 'later', username: 'anne', password: 'secret', protocolVersion: 4 });
    expect(await refusalOf(url, { username: 'anne', password: 'wrong' })).toBe(0x87);
    expect(await refusalOf(url, { clientId: 'later' })).toBe(0x87);
    expect(await refusalOf(url, { protocolVersion: 4 })).toBe(5);

    expect(broker.clients.map(({ clientId, username }) => [clientId, username])).toEqual([
      ['now', 'anne'],
      ['later', 'anne'],
    ]);
    expect(requests[0]).toMatchObject({
      clientId: 'now',
      username: 'anne',
      password: Buffer.from('secret'),
      hasCertificateIdentity: false,
      address: '127.0.0.1',
      listenerPort: broker.listeners[0]?.port,
      protocolVersion: 5,
    });
    expect(requests[3]).toMatchObject({ clientId: 'later', username: null, password: null });
  });

  test('may refuse with a Reason Code; older clients get the return code that says the same', async () => {
    const { url } = await startBroker(resources, {
      authenticate: ({ username }) => {
        if (username === 'wrong') return { reasonCode: ReasonCode.BadUserNameOrPassword };
        if (username === 'busy') return { reasonCode: ReasonCode.ServerBusy };
        return { reasonCode: ReasonCode.Banned };
      },
    });

    expect(await refusalOf(url, { username: 'wrong' })).toBe(0x86);
    expect(await refusalOf(url, { username: 'wrong', protocolVersion: 4 })).toBe(4);
    expect(await refusalOf(url, { username: 'busy' })).toBe(0x89);
    expect(await refusalOf(url, { username: 'busy', protocolVersion: 4 })).toBe(3);
    expect(await refusalOf(url, { username: 'else' })).toBe(0x8a);
  });

  test('may say why in words, which MQTT 5.0 clients get', async () => {
    const lines = new Inbox<string>();
    const { url } = await startBroker(resources, {
      logType: ['error'],
      log: (_type, line) => lines.add(line),
      authenticate: ({ username }) => ({
        reasonCode: ReasonCode.Banned,
        reason: username === 'anne' ? 'your account is closed' : 'a\0b',
      }),
    });
    expect(await connackPropertiesOf(url, { username: 'anne' })).toEqual({ reasonString: 'your account is closed' });
    expect(await connackPropertiesOf(url, { username: 'bob' })).toBeUndefined();
    expect(await lines.first(1)).toEqual([
      'Error: authenticate gave a reason that is no text of at most 65535 bytes without control characters.',
    ]);
    expect(await refusalOf(url, { username: 'anne', protocolVersion: 4 })).toBe(5);
  });

  test('that fails or answers nonsense lets nobody in, and the log tells', async () => {
    const lines = new Inbox<string>();
    const { url } = await startBroker(resources, {
      logType: ['error'],
      log: (_type, line) => lines.add(line.replace(/\\n.*/, '')),
      authenticate: ({ username }) => {
        if (username === 'throws') throw new Error('no database');
        if (username === 'rejects') return Promise.reject(new Error('no network'));
        if (username === 'code') return { reasonCode: 0 } as never;
        return (username === 'truthy' ? 'yes' : undefined) as unknown as boolean;
      },
    });

    expect(await refusalOf(url, { username: 'throws' })).toBe(0x88);
    expect(await refusalOf(url, { username: 'throws', protocolVersion: 4 })).toBe(3);
    expect(await refusalOf(url, { username: 'rejects' })).toBe(0x88);
    expect(await refusalOf(url, { username: 'truthy' })).toBe(0x87);
    expect(await refusalOf(url, { username: 'nothing' })).toBe(0x87);
    expect(await refusalOf(url, { username: 'code' })).toBe(0x87);

    const nonsense =
      'Error: authenticate gave neither true nor false nor { reasonCode: 128 or above }; the client is refused.';
    expect(await lines.first(6)).toEqual([
      'Error: authenticate failed; the client is refused: Error: no database',
      'Error: authenticate failed; the client is refused: Error: no database',
      'Error: authenticate failed; the client is refused: Error: no network',
      nonsense,
      nonsense,
      nonsense,
    ]);
  });

  test('makes one client wait, not the others', async () => {
    let answer = (_isRight: boolean): void => {};
    const { broker, url } = await startBroker(resources, {
      authenticate: ({ clientId }) =>
        clientId === 'slow' ? new Promise<boolean>((resolve) => (answer = resolve)) : true,
    });

    const slow = connect(resources, url, { clientId: 'slow' });
    await connect(resources, url, { clientId: 'quick' });
    expect(broker.clients.map(({ clientId }) => clientId)).toEqual(['quick']);
    answer(true);
    await slow;

    expect(broker.clients.map(({ clientId }) => clientId)).toEqual(['slow', 'quick']);
  });

  test('stands instead of passwordFile and allowAnonymous, and the log says so', async () => {
    const lines = new Inbox<string>();
    const { url } = await startBroker(resources, {
      allowAnonymous: false,
      listeners: [{ port: 0, host: '127.0.0.1', listenerAllowAnonymous: false }],
      logType: ['warning'],
      log: (_type, line) => lines.add(line),
      authenticate: () => true,
    });

    await connect(resources, url);

    expect(lines.all).toEqual([
      'Warning: allowAnonymous has no effect: authenticate decides who may come in.',
      'Warning: listeners[0].listenerAllowAnonymous has no effect: authenticate decides who may come in.',
    ]);
  });
});

describe.each(['at once', 'later'])('authorize that answers %s', (when) => {
  const answer = (isAllowed: boolean): boolean | Promise<boolean> =>
    when === 'at once' ? isAllowed : Promise.resolve(isAllowed);

  test('decides about every PUBLISH and every subscription', async () => {
    const asked: string[] = [];
    const { broker, url } = await startBroker(resources, {
      authorize: ({ clientId, username }, action, topic) => {
        asked.push(`${clientId}/${username} ${action} ${topic}`);
        return answer(!topic.startsWith('secret'));
      },
    });
    const inbox = new Inbox();
    broker.subscribe('#', (message) => {
      if (!message.topic.startsWith('$')) inbox.add(message);
    });
    const client = await connect(resources, url, { clientId: 'c', username: 'anne' });
    const granted = await client
      .subscribeAsync(['open/#', 'secret/#', '$share/g/secret'])
      .catch((error: Error) => error);

    const denied = await client.publishAsync('secret/1', 'x', { qos: 1 }).catch((error: Error) => error);
    await client.publishAsync('secret/2', 'x');
    await client.publishAsync('open/1', 'x', { qos: 2 });

    expect(String(granted)).toContain('Not authorized');
    expect(String(denied)).toContain('Not authorized');
    expect((await inbox.first(1)).map(({ topic }) => topic)).toEqual(['open/1']);
    // The program's, open/# and $share/g/secret.
    expect(broker.stats).toMatchObject({ subscriptionsCount: 2, sharedSubscriptionsCount: 1 });
    expect(asked).toEqual([
      'c/anne subscribe open/#',
      'c/anne subscribe secret/#',
      'c/anne subscribe $share/g/secret',
      'c/anne publish secret/1',
      'c/anne publish secret/2',
      'c/anne publish open/1',
    ]);
  });

  test('decides about the Will when it is sent', async () => {
    const { broker, url } = await startBroker(resources, {
      authorize: (_client, _action, topic) => answer(topic !== 'forbidden'),
    });
    const inbox = new Inbox();
    broker.subscribe('#', (message) => {
      if (!message.topic.startsWith('$')) inbox.add(message);
    });
    for (const topic of ['forbidden', 'allowed']) {
      const client = await connect(resources, url, {
        will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false },
      });
      client.stream.destroy();
    }

    expect((await inbox.first(1)).map(({ topic }) => topic)).toEqual(['allowed']);
  });

  test('keeps the order of a client', async () => {
    const { broker, url } = await startBroker(resources, {
      authorize: (_client, _action, topic) => answer(topic !== 'not/7'),
    });
    const inbox = new Inbox();
    broker.subscribe('not/+', inbox.add);
    const client = await connect(resources, url);

    for (let number = 1; number <= 20; number++) client.publish(`not/${number}`, String(number), { qos: 1 }, () => {});

    const numbers = (await inbox.first(19)).map((message) => Number(message.text()));
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => index + 1).filter((number) => number !== 7));
  });
});

test('with an aclFile both have to allow, and the file decides what clients are given', async () => {
  const aclFile = join(tempDir(resources), 'acl');
  writeFileSync(aclFile, 'topic readwrite a/#\ntopic write b/#\n', { mode: 0o600 });
  const { broker, url } = await startBroker(resources, {
    aclFile,
    authorize: (_client, _action, topic) => !topic.endsWith('/secret'),
  });
  const inbox = new Inbox();
  broker.subscribe('+/+', inbox.add);
  const client = await connect(resources, url);
  const given = inboxOf(client);
  await client.subscribeAsync(['a/+', 'b/+']);

  for (const topic of ['a/secret', 'c/open', 'b/open', 'a/open']) await client.publishAsync(topic, 'x');

  expect((await inbox.first(2)).map(({ topic }) => topic)).toEqual(['b/open', 'a/open']);
  expect(await given.first(1)).toEqual(['a/open x']);
});

test('authorize that fails or answers nonsense denies, and the log tells', async () => {
  const lines = new Inbox<string>();
  const { broker, url } = await startBroker(resources, {
    logType: ['error'],
    log: (_type, line) => lines.add(line.replace(/\\n.*/, '')),
    authorize: (_client, _action, topic) => {
      if (topic === 'throws') throw new Error('no rules');
      if (topic === 'rejects') return Promise.reject(new Error('no network'));
      return (topic === 'nonsense' ? 1 : true) as boolean;
    },
  });
  const inbox = new Inbox();
  broker.subscribe('#', (message) => {
    if (!message.topic.startsWith('$')) inbox.add(message);
  });
  const client = await connect(resources, url);

  for (const topic of ['throws', 'rejects', 'nonsense', 'fine']) await client.publishAsync(topic, 'x');

  expect((await inbox.first(1)).map(({ topic }) => topic)).toEqual(['fine']);
  expect(lines.all).toEqual([
    'Error: authorize failed; the client is denied: Error: no rules',
    'Error: authorize failed; the client is denied: Error: no network',
    'Error: authorize gave neither true nor false; the client is denied.',
  ]);
});

test('who is kicked from inside authorize is gone', async () => {
  const { broker, url } = await startBroker(resources, {
    authorize: ({ clientId }, action) => {
      if (action === 'publish') broker.kick(clientId);
      return true;
    },
  });
  const bystander = await connect(resources, url, { clientId: 'bystander' });
  const inbox = inboxOf(bystander);
  await bystander.subscribeAsync('#');
  const reasons = new Inbox<number | undefined>();
  const client = await connect(resources, url, { clientId: 'anne' });
  client.on('disconnect', ({ reasonCode }) => reasons.add(reasonCode));

  client.publish('a', 'x', { qos: 1 }, () => {});

  expect(await reasons.first(1)).toEqual([ReasonCode.AdministrativeAction]);
  broker.publish('marker', '');
  await inbox.until((line) => line === 'marker ');
  expect(inbox.all).not.toContain('a x');
});
