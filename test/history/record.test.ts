import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from 'node-sqlite3-wasm';
import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { waitFor } from '../harness/wait.ts';
import { exported, fileOf, history, historyBroker, publisher } from './recording.ts';

const resources = useResources();

test('messages are kept byte for byte, over a restart, and read while the broker runs', async () => {
  const broker = await historyBroker(resources, ['history_topic maison/#']);
  await broker.start();
  const client = await publisher(resources, broker);
  await client.publishAsync('maison/salon/temperature', '21.5', { qos: 1, retain: true });
  await client.publishAsync('elsewhere', 'not kept', { qos: 1 });
  await client.publishAsync('maison/image', Buffer.from([0, 255]), { qos: 2 });
  const two = await waitFor('two messages in the file', async () => {
    const lines = await exported(broker);
    return lines.length === 2 && lines;
  });
  expect(two).toMatchObject([
    { topic: 'maison/salon/temperature', qos: 1, retain: true, client: 'sensor', payload: '21.5' },
    { topic: 'maison/image', qos: 2, retain: false, client: 'sensor', payloadBase64: 'AP8=' },
  ]);
  expect(Math.abs(Date.now() - (two[0]?.timeMs ?? 0))).toBeLessThan(60_000);

  await client.publishAsync('maison/salon/temperature', '22.5', { qos: 1 });
  await client.endAsync();
  // What was gathered is written when the broker ends.
  await broker.restart();
  expect((await exported(broker, 'messages', 'maison/salon/temperature')).map(({ payload }) => payload)).toEqual([
    '21.5',
    '22.5',
  ]);
  expect(await exported(broker, 'samples')).toMatchObject([
    { topic: 'maison/salon/temperature', field: '', value: 21.5 },
    { topic: 'maison/salon/temperature', field: '', value: 22.5 },
  ]);
});

test('a broker without history_topic makes no file', async () => {
  const broker = await historyBroker(resources, []);
  await broker.start();
  await (await publisher(resources, broker)).publishAsync('a', 'b', { qos: 1 });
  await broker.stop();
  expect(existsSync(fileOf(broker))).toBe(false);
});

test('a broker that was killed while it wrote goes on with a whole database', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  await broker.start();
  const client = await publisher(resources, broker);
  client.on('error', () => {});
  const payload = JSON.stringify({ a: 1, b: 2, c: 3, text: 'x'.repeat(200) });
  let count = 0;
  const flood = setInterval(() => {
    for (let turn = 0; turn < 200; turn++) client.publish(`t/${count++ % 50}`, payload, () => {});
  }, 20);
  try {
    await waitFor('some transactions', () => statSync(fileOf(broker)).size > 2_000_000);
    broker.process.signal('SIGKILL');
    await broker.process.ended;
  } finally {
    clearInterval(flood);
  }
  await broker.start();
  const lines = await exported(broker);
  expect(lines.length).toBeGreaterThan(0);
  // Whole transactions: every message has its three numbers.
  expect(await exported(broker, 'samples')).toHaveLength(lines.length * 3);
  expect(broker.process.stderr).not.toContain('damaged');
});

test('a second process is refused, and the first goes on', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  await broker.start();
  const second = await historyBroker(resources, ['history_topic #']);
  second.write(
    'moustique.conf',
    second.read('moustique.conf').replace(/history_location .*/, `history_location ${broker.dir}`),
  );
  const { status, stderr } = await second.launch().ended;
  expect(status).toBe(1);
  expect(stderr).toContain(`Error: The history ${fileOf(broker)} is being written by another process.`);
  await (await publisher(resources, broker)).publishAsync('a', 'b', { qos: 1 });
  await waitFor('the message', async () => (await exported(broker)).length === 1);
});

test('a database of a newer version, or of somebody else, is not touched and the broker does not start', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  await broker.start();
  await broker.stop();
  const database = new Database(fileOf(broker));
  database.exec('PRAGMA user_version = 99');
  database.close();
  const { status, stderr } = await broker.launch().ended;
  expect(status).toBe(1);
  expect(stderr).toContain('was written by a newer version (its tables are version 99)');
  expect(readdirSync(broker.dir).filter((name) => name.startsWith('history.db'))).not.toContain('history.db.damaged');
});

test('a damaged database is set aside, and the broker keeps on', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  writeFileSync(fileOf(broker), Buffer.alloc(8192, 0x5a));
  await broker.start();
  expect(broker.process.stderr).toMatch(
    /Error: History: .*history\.db is damaged \(.*\)\. It was moved to .*\.damaged-/,
  );
  await (await publisher(resources, broker)).publishAsync('a', 'b', { qos: 1 });
  await waitFor('the message', async () => (await exported(broker)).length === 1);
});

test('a directory that cannot be used stops the start with a clear line', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  mkdirSync(fileOf(broker));
  const { status, stderr } = await broker.launch().ended;
  expect(status).toBe(1);
  expect(stderr).toMatch(/Error: Unable to open the history: .*history\.db/);
});

test('lines that are added, changed and taken away hold with a reload', async () => {
  const broker = await historyBroker(resources, ['history_topic one', 'log_type all']);
  await broker.start();
  const client = await publisher(resources, broker);
  const publishAll = async (payload: string) => {
    for (const topic of ['one', 'two']) await client.publishAsync(topic, payload, { qos: 1 });
  };
  const reload = async (text: string) => {
    const config = broker.read('moustique.conf').replace(/^history_topic.*\n/gm, '');
    broker.write('moustique.conf', `${config}${text}\n`);
    const lines = () => broker.process.stderr.match(/History: .* kept/g)?.length ?? 0;
    const before = lines();
    broker.process.signal('SIGHUP');
    await waitFor('the line about the history', () => lines() > before);
  };
  await publishAll('1');
  await reload('history_topic two keep 1 days');
  await publishAll('2');
  await reload('');
  await publishAll('3');
  await reload('history_topic #');
  await publishAll('4');
  await broker.stop();
  const lines = await exported(broker);
  expect(lines.map(({ topic, payload }) => `${topic} ${payload}`)).toEqual(['one 1', 'two 2', 'one 4', 'two 4']);
});

test('a full disk: the broker serves, one line tells it, and what waited is written when there is room', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  await broker.start();
  const client = await publisher(resources, broker);
  const limit = async (bytes: string) => {
    const pid = String(broker.process.pid);
    expect((await runToEnd(['prlimit', '--pid', pid, `--fsize=${bytes}:unlimited`])).status).toBe(0);
  };
  // A limit on the size of files fails as a full disk does.
  await limit('100000');
  const payload = 'x'.repeat(1000);
  for (let count = 0; count < 300; count++) await client.publishAsync('t', payload, { qos: 1 });
  await waitFor('the line about the disk', () => /history\.db cannot be written/.test(broker.process.stderr));
  await client.publishAsync('t', 'still served', { qos: 1 });
  await limit('unlimited');
  await waitFor('the line that it works again', () =>
    /History: messages are written again/.test(broker.process.stderr),
  );
  await waitFor('all messages', async () => (await exported(broker).catch(() => [])).length === 301);
  expect(broker.process.stderr.match(/cannot be written/g)).toHaveLength(1);
});

test('history_write_interval gathers messages, history_max_size keeps the file small', async () => {
  const broker = await historyBroker(resources, [
    'history_topic #',
    'history_write_interval 3600',
    'history_max_size 1M',
  ]);
  await broker.start();
  const client = await publisher(resources, broker);
  await client.publishAsync('first', 'gathered', { qos: 1 });
  // Two thousand are written at once, however long the interval is.
  const payload = 'x'.repeat(1000);
  await Promise.all(Array.from({ length: 1900 }, () => client.publishAsync('t', payload, { qos: 1 })));
  expect(await exported(broker)).toEqual([]);
  await Promise.all(Array.from({ length: 2100 }, () => client.publishAsync('t', payload, { qos: 1 })));
  await client.publishAsync('last', 'there', { qos: 1 });
  await broker.stop();
  const lines = await exported(broker);
  expect(lines.at(-1)?.payload).toBe('there');
  expect(lines[0]?.payload).toBe(payload);
  expect(lines.length).toBeGreaterThan(300);
  expect(statSync(fileOf(broker)).size).toBeLessThan(4_000_000);
});

test('stats, query and export of the command line', async () => {
  const broker = await historyBroker(resources, ['history_topic maison/# keep 30 days max 100M', 'history_topic #']);
  await broker.start();
  const client = await publisher(resources, broker);
  for (const value of [1, 2, 6]) await client.publishAsync('maison/t', `{"v":${value}}`, { qos: 1 });
  await client.publishAsync('formula', '=1+1', { qos: 1 });
  await broker.stop();

  const stats = await history('stats', '-c', broker.configFile);
  expect(stats).toMatchObject({ status: 0, stderr: '' });
  expect(stats.stdout).toMatch(/^messages +4 of 2 topics$/m);
  expect(stats.stdout).toMatch(/^maison\/# +3 messages of 1 topics, about \S+ \S+ keep 30 days max 100\.0 MiB$/m);
  const json: unknown = JSON.parse((await history('stats', '--json', '-d', fileOf(broker))).stdout);
  expect(json).toMatchObject({ messages: 4, topics: 2, samples: 3, series: 1 });

  const query = await history(
    'query',
    '-c',
    broker.configFile,
    '-t',
    'maison/+',
    '--field',
    'v',
    '--bucket',
    '1d',
    '--from',
    '1d',
  );
  expect(query.stdout).toMatch(/^time,topic,field,count,min,max,avg,last\r\n/);
  const rows = query.stdout.trimEnd().split('\r\n').slice(1);
  expect(rows.reduce((sum, row) => sum + Number(row.split(',')[3]), 0)).toBe(3);

  const csv = await history('export', '-d', fileOf(broker), '-t', 'formula');
  expect(csv.stdout).toMatch(
    /^time,topic,qos,retain,client,encoding,payload\r\n[^\r]*,formula,1,0,sensor,text,'=1\+1\r\n$/,
  );
  const output = join(broker.dir, 'out.jsonl');
  expect((await history('export', '-d', fileOf(broker), '-o', output)).status).toBe(0);
  expect(broker.read('out.jsonl').split('\n')).toHaveLength(5);
});

test('the command line says what is wrong, with a status', async () => {
  const broker = await historyBroker(resources, ['history_topic #']);
  const cases: readonly (readonly [words: readonly string[], status: number, text: string])[] = [
    [[], 3, 'No command given'],
    [['plot'], 3, "Unknown command 'plot'"],
    [['stats'], 3, 'Either -d DATABASE or -c CONFIGURATION is needed'],
    [['stats', '-d', 'x', '-t', 'a'], 3, '-t belongs to query and export'],
    [['query', '-d', 'x', '--from', 'yesterday'], 3, "--from: 'yesterday' is no time"],
    [['query', '-d', 'x', '--bucket', '5'], 3, "--bucket: '5' is no length of time"],
    [['export', '-d', 'x', '--format', 'xml'], 3, "Unknown format 'xml'"],
    [['export', '-d', 'x', '--field', 'v'], 3, '--field needs --samples'],
    [['stats', '-d', join(broker.dir, 'none.db')], 2, 'No such file or directory'],
    [['stats', '-d', broker.configFile], 2, 'file is not a database'],
  ];
  for (const [words, status, text] of cases) {
    const result = await history(...words);
    expect({ words, status: result.status }).toEqual({ words, status });
    expect(result.stderr).toContain(text);
  }
  await broker.start();
  const senseless = await history('query', '-d', fileOf(broker), '-t', 'a/#/b');
  expect(senseless).toMatchObject({ status: 1, stderr: 'Error: filter: expected a Topic Filter.\n' });
});
