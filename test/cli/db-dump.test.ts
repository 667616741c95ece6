import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { main } from '../../src/cli/db-dump.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { Ledger } from '../durability/ledger.ts';
import { LineLog } from '../durability/quiet-logger.ts';
import { Random } from '../durability/random.ts';
import { bytes } from '../harness/codec.ts';
import { waitFor } from '../harness/wait.ts';
import { type Outcome, runInProcess } from './in-process.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moustique-dump-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function dump(content: Buffer, ...words: string[]): Promise<Outcome> {
  const path = join(directory, 'test.db');
  writeFileSync(path, content);
  return runInProcess(main, [...words, path], { name: 'mosquitto_db_dump' });
}

// As Mosquitto 2.1 writes it, with one message that has every property.
const version6 = bytes(`
  00b500 "mosquitto db" 00000000 00000006
  00000001 00000010 2a00000000000000 01 08 000000000000
  00000002 00000042
    0700000000000000 01d8496b00000000 00000002 0009 0004 0002 0003 075b 02 01
    "pubc" "me" "a/b" "hi"
    16 0101 030001 "c" 080001 "r" 090002 abcd 26 0001 "k" 0001 "v"
  00000006 0000001e 01d8496b00000000 00000e10 0003 0004 075b 0002 00000000 "subc" "me"
  00000003 00000017 0700000000000000 0003 0004 01 0b 11 01 "subc" 02 0b05
  00000005 00000013 00000005 0004 0003 01 2c 0000 "subc" "a/#"
  00000004 00000008 0700000000000000`);

test('prints every chunk as Mosquitto does', async () => {
  const { status, stdout, stderr } = await dump(version6);

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    'Mosquitto DB dump',
    'CRC: 0',
    'DB version: 6',
    'DB_CHUNK_CFG:',
    '\tLength: 16',
    '\tShutdown: 1',
    '\tDB ID size: 8',
    '\tLast DB ID: 42',
    'DB_CHUNK_BASE_MSG:',
    '\tLength: 66',
    '\tStore ID: 7',
    '\tSource Port: 1883',
    '\tSource MID: 9',
    '\tTopic: a/b',
    '\tQoS: 2',
    '\tRetain: 1',
    '\tPayload Length: 2',
    '\tExpiry Time: 1800001537',
    '\tPayload: hi',
    '\tProperties:',
    '\t\tPayload format indicator: 1',
    '\t\tContent type: c',
    '\t\tResponse topic: r',
    '\t\tCorrelation data: ABCD',
    '\t\tUser property: k , v',
    'DB_CHUNK_CLIENT:',
    '\tLength: 30',
    '\tClient ID: subc',
    '\tUsername: me',
    '\tListener port: 1883',
    '\tLast MID: 3',
    '\tSession expiry time: 1800001537',
    '\tSession expiry interval: 3600',
    'DB_CHUNK_CLIENT_MSG:',
    '\tLength: 23',
    '\tClient ID: subc',
    '\tStore ID: 7',
    '\tMID: 3',
    '\tQoS: 1',
    '\tRetain: 1',
    '\tDirection: 1',
    '\tState: 11',
    '\tDup: 1',
    '\tSubscription identifier: 5',
    'DB_CHUNK_SUB:',
    '\tLength: 19',
    '\tClient ID: subc',
    '\tTopic: a/#',
    '\tQoS: 1',
    '\tSubscription ID: 5',
    '\tOptions: 0x2C',
    'DB_CHUNK_RETAIN:',
    '\tLength: 8',
    '\tStore ID: 7',
    '',
  ]);
});

test('--stats counts chunks', async () => {
  const { stdout } = await dump(version6, '--stats');

  expect(stdout).toBe(
    [
      'DB_CHUNK_CFG:        1\n',
      'DB_CHUNK_BASE_MSG:   1\n',
      'DB_CHUNK_CLIENT_MSG: 1\n',
      'DB_CHUNK_RETAIN:     1\n',
      'DB_CHUNK_SUB:        1\n',
      'DB_CHUNK_CLIENT:     1\n',
    ].join(''),
  );
});

test('--client-stats counts subscriptions and messages of each client, with the messages they share', async () => {
  const { stdout } = await dump(version6, '--client-stats');

  expect(stdout).toBe('SC: 1 SS: 19 MC: 1 MS: 89   subc\n');
});

test('--json prints one object, indented with tabs', async () => {
  const { stdout } = await dump(version6, '--json');

  expect(stdout).toMatch(/^{\n\t"base-messages":\t\[{\n\t\t\t"storeid":\t7,\n\t\t\t"expiry-time":\t1800001537,\n/);
  expect(JSON.parse(stdout)).toEqual({
    'base-messages': [
      {
        storeid: 7,
        'expiry-time': 1_800_001_537,
        'source-mid': 9,
        'source-port': 1883,
        qos: 2,
        retain: 1,
        topic: 'a/b',
        clientid: 'pubc',
        username: 'me',
        payload: 'aGk=',
        properties: [
          { identifier: 'payload-format-indicator', value: 1 },
          { identifier: 'content-type', value: 'c' },
          { identifier: 'response-topic', value: 'r' },
          { identifier: 'correlation-data', value: 'ABCD' },
          { identifier: 'user-property', name: 'k', value: 'v' },
        ],
      },
    ],
    clients: [
      {
        clientid: 'subc',
        username: 'me',
        'session-expiry-time': 1_800_001_537,
        'session-expiry-interval': 3600,
        'last-mid': 3,
        'listener-port': 1883,
      },
    ],
    'client-messages': [
      {
        clientid: 'subc',
        storeid: 7,
        mid: 3,
        qos: 1,
        state: 11,
        'retain-dup': 0x11,
        direction: 1,
        'subscription-identifier': 5,
      },
    ],
    'retained-messages': [{ storeid: 7 }],
    subscriptions: [{ clientid: 'subc', topic: 'a/#', qos: 1, options: 0x2c, identifier: 5 }],
  });
});

test('reads version 4, and leaves a payload out that is no text', async () => {
  const { stdout } = await dump(
    bytes(`
      00b500 "mosquitto db" 00000000 00000004
      0001 0000000a 00 08 0100000000000000
      0002 00000024 0100000000000000 0003 "pub" 0002 "me" 075b 0005 0000 0003 "a/b" 01 00 00000002 ff00
      0005 0000000b 0003 "sub" 0003 "a/#" 01`),
  );

  expect(stdout).toContain('DB version: 4\n');
  expect(stdout).toContain('\tPayload Length: 2\n\tExpiry Time: 0\nDB_CHUNK_SUB:\n');
  expect(stdout).toContain('\tClient ID: sub\n\tTopic: a/#\n\tQoS: 1\n');
});

test('a file that is missing, foreign, newer or damaged is named, with the status of Mosquitto', async () => {
  const missing = await runInProcess(main, [join(directory, 'none')], { name: 'mosquitto_db_dump' });
  expect([missing.status, missing.stderr]).toEqual([0, `Error: Unable to open ${join(directory, 'none')}\n`]);
  const foreign = await dump(Buffer.from('this is something else'));
  expect([foreign.status, foreign.stderr]).toEqual([1, 'Error: Unrecognised file format.\n']);
  const newer = await dump(bytes('00b500 "mosquitto db" 00000000 00000007'));
  expect(newer.status).toBe(1);
  expect(newer.stderr).toBe('Error: Unsupported persistent database format version 7 (need version 6).\n');
  const damaged = await dump(version6.subarray(0, 70));
  expect(damaged.status).toBe(1);
  expect(damaged.stderr).toMatch(/Error: Corrupt persistent database\.\n$/);
  expect((await runInProcess(main, [], {})).status).toBe(1);
  expect((await dump(version6, '--nonsense')).stderr).toMatch(/^Usage: db_dump \[--stats/);
});

test('prints the journal and our part of a snapshot', async () => {
  const path = join(directory, 'mosquitto.db');
  const options = { path, autosaveIntervalSeconds: 0, autosaveOnChanges: false, clock: systemClock() };
  const store = openFileStore({ ...options, logger: new LineLog() });
  const ledger = new Ledger(new Random(3), store.restore());
  store.attach(() => ledger.facts());
  await waitFor('the first snapshot', () => readdirSync(directory).includes('mosquitto.db'));
  await store.snapshot();
  for (let count = 0; count < 60; count++) ledger.step(store);
  await waitFor('everything to be safe', () => store.committed === store.position);

  const segment = join(`${path}.journal`, '0000000001.log');
  const plain = await runInProcess(main, [segment], {});
  expect(plain.status).toBe(0);
  expect(plain.stdout).toMatch(/^Moustique journal\nSegment: 1\nFirst batch: 1\n/);
  expect(plain.stdout).toMatch(/^\tsessionPut clientId="\w+"/m);
  expect(plain.stdout).toMatch(/^\tmessage storeId=1 topic="/m);
  const json = await runInProcess(main, ['--json', segment], {});
  expect(JSON.parse(json.stdout)).toMatchObject({ number: 1, firstBatch: 1 });
  const stats = await runInProcess(main, ['--stats', segment], {});
  expect(stats.stdout).toMatch(/^deliveryPut: +\d+$/m);

  await store.snapshot();
  const snapshot = await runInProcess(main, [path], {});
  expect(snapshot.status).toBe(0);
  expect(snapshot.stdout).toMatch(/^MOUSTIQUE:\n\tLength: \d+\n\tLineage: \d+\n/m);
  await store.close();
});
