import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { isListening } from '../harness/ports.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, refusalOf, type Way, ways } from './clients.ts';

const resources = useResources();
const [[, tcp311], [, tcp5]] = ways as readonly [readonly [string, Way], readonly [string, Way]];

const serverBusy = 0x89;

const broker = (...config: readonly string[]): Promise<TestBroker> =>
  startBroker(resources, 'moustique', { config: ['listener {port} 127.0.0.1', 'allow_anonymous true', ...config] });

describe('global_max_connections', () => {
  test('closes one connection more than the limit without an answer, and counts over all listeners', async () => {
    const running = await startBroker(resources, 'moustique', {
      config: [
        'global_max_connections 2',
        'listener {port} 127.0.0.1',
        'listener {wsport} 127.0.0.1',
        'protocol websockets',
        'allow_anonymous true',
      ],
    });
    const first = await connect(resources, running, tcp5);
    const second = await connect(resources, running, { transport: 'ws', version: 5 });
    await expect(connect(resources, running, tcp5)).rejects.toMatchObject({ kind: 'lost' });
    await running.process.waitForOutput('Client connection from 127.0.0.1 denied: max_connections exceeded.', 'stderr');

    // Closing and connecting again at once works.
    await second.client.disconnect();
    expect(await refusalOf(resources, running, tcp5, {})).toBe(0);
    expect(first.ending).toBeUndefined();
  });
});

describe('global_max_clients', () => {
  test('counts sessions, those of absent clients too', async () => {
    const running = await broker('global_max_clients 2');
    const kept = { id: 'kept', cleanStart: false, connectProperties: { sessionExpiryInterval: 3600 } };
    const first = await connect(resources, running, tcp5, kept);
    await first.client.disconnect();
    const second = await connect(resources, running, tcp5, { id: 'second' });

    expect(await refusalOf(resources, running, tcp5, { id: 'third' })).toBe(serverBusy);
    await expect(connect(resources, running, tcp311, { id: 'third' })).rejects.toMatchObject({ kind: 'lost' });
    // Who has a session already is no further client.
    expect(await refusalOf(resources, running, tcp5, kept)).toBe(0);

    await second.client.disconnect();
    expect(await refusalOf(resources, running, tcp5, { id: 'third' })).toBe(0);
  });
});

describe('check_retain_source', () => {
  const acl = (writer: string): string => `user writer\n${writer}topic write end\nuser reader\ntopic read #\n`;

  test.each([
    ['true', []],
    ['false', ['a kept']],
  ])('%s: what its publisher may not write any more is kept back: %j', async (value, expected) => {
    const running = await startBroker(resources, 'moustique', {
      config: [
        'listener {port} 127.0.0.1',
        'allow_anonymous true',
        'acl_file {dir}/acl',
        'persistence true',
        'persistence_location {dir}/',
        `check_retain_source ${value}`,
      ],
      files: { acl: acl('topic write a\n') },
    });
    const writer = await connect(resources, running, tcp5, { id: 'w', user: 'writer' });
    await writer.publish('a', 'kept', { qos: 1, retain: true });
    await writer.publish('end', 'end', { qos: 1, retain: true });
    running.write('acl', acl(''));
    // Who published it, and where, outlives the broker.
    await running.restart();

    const reader = await connect(resources, running, tcp5, { user: 'reader' });
    await reader.subscribe('#');
    expect(await reader.until('end')).toEqual(expected);
  });

  test('true: what its publisher may still write is delivered', async () => {
    const running = await startBroker(resources, 'moustique', {
      config: ['listener {port} 127.0.0.1', 'allow_anonymous true', 'acl_file {dir}/acl', 'check_retain_source true'],
      files: { acl: acl('topic write a\n') },
    });
    const writer = await connect(resources, running, tcp5, { user: 'writer' });
    await writer.publish('a', 'kept', { qos: 1, retain: true });
    const reader = await connect(resources, running, tcp5, { user: 'reader' });
    await reader.subscribe('a');
    expect(await reader.until('kept')).toEqual([]);
  });
});

describe('bind_interface', () => {
  test('listens on the addresses of the interface only', async () => {
    const loopback = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.[0]?.internal);
    const [name = 'lo'] = loopback ?? [];
    const running = await startBroker(resources, 'moustique', {
      config: ['listener {port}', `bind_interface ${name}`, 'socket_domain ipv4', 'allow_anonymous true'],
    });
    expect(await isListening(running.port())).toBe(true);
    await running.process.waitForOutput(' running', 'stderr');
    expect(running.process.stderr.match(/Opening ipv. listen socket/g)).toEqual(['Opening ipv4 listen socket']);
  });

  test('ends the start when the interface has no such address', async () => {
    const running = await prepareBroker(resources, 'moustique', {
      config: ['listener {port} 192.0.2.1', 'bind_interface lo', 'allow_anonymous true'],
    });
    const { status, stderr } = await running.launch().ended;
    expect(status).toBe(1);
    expect(stderr).toContain('Error: Interface lo has no address 192.0.2.1.');
  });
});

test('retain_expiry_interval is taken, and changes with a reload', async () => {
  const running = await broker('retain_expiry_interval 1');
  running.write('moustique.conf', running.read('moustique.conf').replace('interval 1', 'interval 10000000'));
  running.process.signal('SIGHUP');
  await running.process.waitForOutput('Reloading config.', 'stderr');
  await waitFor('the broker to serve', async () => (await refusalOf(resources, running, tcp5, {})) === 0);
});
