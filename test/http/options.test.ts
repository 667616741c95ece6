import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { ConsoleClient, linkToken, loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();

test('http_index_memory bounds what is known about topics, also after a reload', async () => {
  const broker = await startWithUsers(resources, ['http_index_memory 1', 'sys_interval 0']);
  const otto = await loggedIn(broker, 'otto');
  for (let index = 0; index < 1200; index += 100) {
    const some = Array.from({ length: 100 }, (_, offset) => `many/${index + offset}/${'x'.repeat(100)}`);
    await Promise.all(some.map((topic) => otto.post('/publish', { topic, payload: { text: 'x'.repeat(200) } })));
  }
  type Shown = { topicIndex: { topics: number; bytes: number; maxBytes: number; evicted: number } };
  const { topicIndex } = await otto.get<Shown>('/broker');
  expect(topicIndex).toMatchObject({ maxBytes: 1024 * 1024 });
  expect(topicIndex.bytes).toBeLessThanOrEqual(1024 * 1024);
  expect(topicIndex.topics + topicIndex.evicted).toBe(1200);
  expect(topicIndex.evicted).toBeGreaterThan(100);
  // Those seen last are known.
  expect(await otto.get('/topics/search?q=many/1199/')).toMatchObject({ total: 1 });
  expect(await otto.get('/topics/search?q=many/0/')).toMatchObject({ total: 0 });

  broker.write('moustique.conf', broker.read('moustique.conf').replace('http_index_memory 1', 'http_index_memory 2'));
  broker.process.signal('SIGHUP');
  await waitFor('the reload', async () => (await otto.get<Shown>('/broker')).topicIndex.maxBytes === 2 * 1024 * 1024);
});

test('http_frame_ancestors lets pages of an origin show the console in a frame', async () => {
  const broker = await startWithUsers(resources, [
    'http_frame_ancestors https://home.example',
    'http_frame_ancestors https://wall.example',
  ]);
  const { headers } = await new ConsoleClient(broker.port('http')).ask('GET', '/');
  expect(headers.get('content-security-policy')).toContain(
    'frame-ancestors https://home.example https://wall.example;',
  );
  expect(headers.get('x-frame-options')).toBeNull();
});

test('http_state_file says where accounts are kept; a file that cannot be used keeps the broker from starting', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api', 'allow_anonymous true'],
      'http_state_file {dir}/here/accounts.json',
    ],
  });
  const client = new ConsoleClient(broker.port('http'));
  await client.post('/first-run', { token: await linkToken(broker), username: 'ann', password: 'correct horse' });
  expect(existsSync(join(broker.dir, 'here/accounts.json'))).toBe(true);
  await broker.stop();

  broker.write('here/accounts.json', '{"version":1,"accounts":[{"name":"ann","role":"chief"}]}');
  const { status, stderr, stdout } = await broker.launch().ended;
  expect(status).toBe(13);
  expect(stderr + stdout).toContain('here/accounts.json: accounts.0.role: ');
});

test('where the link cannot be shown it is not: the log goes to topics', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api', 'allow_anonymous true'],
      ...['log_dest topic', 'log_dest stderr'],
    ],
  });
  await waitFor('the end of the start', () => broker.process.stderr.includes(' running'));
  expect(broker.process.stderr).toContain('its link is not shown');
  expect(broker.process.stderr).not.toContain('token=');
});
