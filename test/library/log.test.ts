import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, Inbox, startBroker } from './embedding.ts';

const resources = useResources();

test('a function gets the lines of the usual types, without time, nothing in them forged', async () => {
  const lines = new Inbox<string>();
  const { broker, url } = await startBroker(resources, { log: (type, line) => lines.add(`${type}: ${line}`) });
  const { port } = broker.listeners[0] as { port: number };
  const client = await connect(resources, url, { clientId: 'anne', username: 'a\u2028b' });
  const { localPort } = client.stream as unknown as { localPort: number };
  await client.endAsync();

  expect(await lines.first(4)).toEqual([
    'information: Opening ipv4 listen socket on port 0.',
    `notice: New connection from 127.0.0.1:${localPort} on port ${port}.`,
    `notice: New client connected from 127.0.0.1:${localPort} as anne (p5, c1, k60, u'a\\u2028b').`,
    `notice: Client anne [127.0.0.1:${localPort}] disconnected.`,
  ]);
});

test('logType chooses the lines', async () => {
  const lines = new Inbox<string>();
  const { url } = await startBroker(resources, {
    logType: ['debug', 'subscribe'],
    log: (type, line) => lines.add(`${type}: ${line}`),
  });
  const client = await connect(resources, url, { clientId: 'anne' });
  await client.subscribeAsync('a/#');

  expect(await lines.until((line) => line.startsWith('subscribe: '))).toBe('subscribe: anne 0 a/#');
  expect(lines.all).toContain('debug: Received SUBSCRIBE from anne');
  expect(lines.all.filter((line) => line.startsWith('notice'))).toEqual([]);
});

test('logDest is served as well when it is given', async () => {
  const file = join(tempDir(resources), 'broker.log');
  const lines = new Inbox<string>();
  const { broker } = await startBroker(resources, {
    logDest: [{ file }, 'topic'],
    logTimestamp: false,
    log: (_type, line) => lines.add(line),
  });
  const published = new Inbox();
  broker.subscribe('$SYS/broker/log/#', published.add);
  await connect(resources, broker.listeners[0]?.url ?? '', { clientId: 'anne' });

  const connected = await lines.until((line) => line.startsWith('New client connected'));
  await waitFor('the line in the file', () => readFileSync(file, 'utf8').includes(`\n${connected}\n`));
  await published.until((message) => message.text() === connected);
});

test('a function may publish the lines it gets', async () => {
  const { broker, url } = await startBroker(resources, {
    log: (_type, line) => broker.publish('log', line),
  });
  const inbox = new Inbox();
  broker.subscribe('log', inbox.add);
  await connect(resources, url, { clientId: 'anne' });
  await inbox.until((message) => message.text().startsWith('New client connected'));
});
