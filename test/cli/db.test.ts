import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { main } from '../../src/cli/db.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { canonical, Ledger } from '../durability/ledger.ts';
import { LineLog } from '../durability/quiet-logger.ts';
import { Random } from '../durability/random.ts';
import { bytes } from '../harness/codec.ts';
import { waitFor } from '../harness/wait.ts';
import { type Outcome, runInProcess } from './in-process.ts';

let directory = '';
let database = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'moustique-db-'));
  database = join(directory, 'mosquitto.db');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const db = (words: readonly string[], input = ''): Promise<Outcome> =>
  runInProcess(main, words, { name: 'moustique db', input });

function open() {
  return openFileStore({
    ...{ path: database, autosaveIntervalSeconds: 0, autosaveOnChanges: false, segmentBytes: 1 << 18 },
    ...{ clock: systemClock(), logger: new LineLog() },
  });
}

/** A store that a process which was killed left behind: a snapshot with a journal. Returns its state. */
async function makeStore(seed: number, operations = 300): Promise<string> {
  const store = open();
  const ledger = new Ledger(new Random(seed), store.restore());
  store.attach(() => ledger.facts());
  for (let step = 0; step < operations; step++) ledger.step(store);
  await store.snapshot();
  // The second group says that the first one is safe.
  for (const _ of [1, 2]) {
    for (let step = 0; step < operations; step++) ledger.step(store);
    await waitFor('everything to be safe', () => store.committed === store.position);
  }
  const state = canonical(ledger.facts());
  // What a killed process leaves, in another place, because this one still has the lock.
  const after = join(directory, 'after');
  mkdirSync(join(after, 'mosquitto.db.journal'), { recursive: true });
  for (const name of readdirSync(`${database}.journal`).filter((file) => file.endsWith('.log'))) {
    writeFileSync(join(after, 'mosquitto.db.journal', name), readFileSync(join(`${database}.journal`, name)));
  }
  writeFileSync(join(after, 'mosquitto.db'), readFileSync(database));
  await store.close();
  database = join(after, 'mosquitto.db');
  return state;
}

async function stateOf(path: string): Promise<string> {
  database = path;
  const store = open();
  const facts = [...store.restore()];
  store.attach(() => facts);
  await store.close();
  return canonical(facts);
}

/** Path → content of every file below. */
function filesBelow(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true }).map(String).sort();
  return Object.fromEntries(
    paths
      .filter((path) => statSync(join(folder, path)).isFile() && !path.endsWith('/lock'))
      .map((path) => [path, readFileSync(join(folder, path), 'latin1')]),
  );
}

/** As Mosquitto 2.1 writes it. */
const foreign = bytes(`
  00b500 "mosquitto db" 00000000 00000006
  00000001 00000010 2a00000000000000 01 08 000000000000
  00000002 00000042
    0700000000000000 01d8496b01000000 00000002 0009 0004 0002 0003 075b 02 01
    "pubc" "me" "a/b" "hi"
    16 0101 030001 "c" 080001 "r" 090002 abcd 26 0001 "k" 0001 "v"
  00000006 0000001e 0000000000000000 00000e10 0003 0004 075b 0002 00000000 "subc" "me"
  00000003 00000017 0700000000000000 0003 0004 01 0b 11 01 "subc" 02 0b05
  00000005 00000013 00000005 0004 0003 01 2c 0000 "subc" "a/#"
  00000004 00000008 0700000000000000`);

const head = '{"format":"moustique export","version":1,"time":"2026-01-31T12:00:00.000Z"}';
const rows = [
  '{"kind":"message","id":1,"topic":"a/b","qos":2,"retain":true,"publisher":{"clientId":"pubc","username":"me","port":1883,"packetId":9},"expiresAt":"2163-02-21T14:53:53.000Z","properties":[["payload-format-indicator",1],["content-type","c"],["response-topic","r"],["correlation-data","q80="],["user-property","k","v"]],"payload":"hi"}',
  '{"kind":"session","clientId":"subc","username":"me","port":1883,"expirySeconds":3600,"lastSequence":3}',
  '{"kind":"delivery","clientId":"subc","message":1,"sequence":3,"qos":1,"state":"queued","retain":true,"dup":true,"subscriptionIdentifiers":[5]}',
  '{"kind":"subscription","clientId":"subc","filter":"a/#","qos":1,"noLocal":true,"retainAsPublished":true,"retainHandling":2,"identifier":5}',
  '{"kind":"retained","message":1}',
];

describe('check', () => {
  test('says what is there and changes nothing', async () => {
    await makeStore(1);
    const before = filesBelow(directory);
    const { status, stdout, stderr } = await db(['check', '-d', database]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Snapshot {2}.*mosquitto\.db: format 6, written by Moustique while it ran, [\d,]+ bytes$/m);
    expect(stdout).toMatch(/^Journal {3}.*\.journal: 1 file, \d+ groups? after the snapshot, [\d,]+ bytes$/m);
    expect(stdout).toMatch(/^Holds {5}\d sessions, \d+ subscriptions, \d+ messages queued or under way, /m);
    expect(stdout).toMatch(/^Damage {4}none$/m);
    expect(filesBelow(directory)).toEqual(before);
  });

  test("reads Mosquitto's file and makes no directory beside it", async () => {
    writeFileSync(database, foreign);
    const { status, stdout } = await db(['check', '-d', database, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ database, damageCount: 0, complaints: [], journal: { files: 0 } },
      ...{ snapshot: { version: 6, isOwn: false }, counts: { sessions: 1, queued: 1, retained: 1 } },
    });
    expect(readdirSync(directory)).toEqual(['mosquitto.db']);
  });

  test('a configuration names the database', async () => {
    writeFileSync(database, foreign);
    const file = join(directory, 'moustique.conf');
    writeFileSync(file, `persistence true\npersistence_location ${directory}/\n`);
    expect((await db(['check', '-c', file])).stdout).toContain(`Snapshot  ${database}: format 6, written by Mosquitto`);
    writeFileSync(file, 'persistence false\n');
    const { status, stderr } = await db(['check', '-c', file]);
    expect({ status, stderr }).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`Error: ${file} does not have 'persistence true'.`),
    });
  });

  test('names what is damaged, with file and offset, and ends with 1', async () => {
    await makeStore(2);
    const segment = `${database}.journal/0000000001.log`;
    const content = readFileSync(segment);
    // Somewhere in the records of the first groups.
    content[1400] = (content[1400] as number) ^ 0xff;
    writeFileSync(segment, content);
    const before = filesBelow(directory);
    const { status, stdout } = await db(['check', '-d', database]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /0000000001\.log: a (record|mark of the journal) is damaged \(\d+ bytes at offset 1\d\d\d\)/,
    );
    expect(filesBelow(directory)).toEqual(before);
  });
});

test('a write that the last process did not finish is no damage', async () => {
  await makeStore(2);
  const segment = `${database}.journal/0000000001.log`;
  const content = readFileSync(segment);
  const end = content.findLastIndex((byte) => byte !== 0);
  writeFileSync(segment, content.fill(0, end - 20));
  const { status, stdout } = await db(['check', '-d', database]);
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Tail {6}.*0000000001\.log: the last write was cut off at offset \d+ \(\d+ bytes, nothing of it/m,
  );
  expect(stdout).toMatch(/^Damage {4}none$/m);
});

test('repair writes what can be read anew and keeps the files as they were', async () => {
  await makeStore(3);
  const segment = `${database}.journal/0000000001.log`;
  const content = readFileSync(segment);
  content[1400] = (content[1400] as number) ^ 0xff;
  writeFileSync(segment, content);
  const snapshot = readFileSync(database);

  const { status, stdout } = await db(['repair', '-d', database]);
  expect(status).toBe(0);
  expect(stdout).toContain(`Repaired. The files as they were are in ${database}.before-repair.`);
  expect(readFileSync(`${database}.before-repair/mosquitto.db`)).toEqual(snapshot);
  expect(readFileSync(`${database}.before-repair/mosquitto.db.journal/0000000001.log`)).toEqual(content);
  expect((await db(['check', '-d', database])).status).toBe(0);
  const again = await db(['repair', '-d', database]);
  expect(again).toMatchObject({ status: 0, stdout: expect.stringContaining('There is nothing to repair.') });
});

describe('export and import', () => {
  test("a line for each fact of Mosquitto's file, and the way back", async () => {
    writeFileSync(database, foreign);
    const { status, stdout, stderr } = await db(['export', '-d', database, '-']);
    expect(status).toBe(0);
    const [first, ...others] = stdout.trimEnd().split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ format: 'moustique export', version: 1 });
    expect(others).toEqual([...rows, '{"kind":"end","lines":7}']);
    expect(stderr).toContain('1 session, 1 subscription, 1 message queued or under way, ');

    const copy = join(directory, 'copy.db');
    expect((await db(['import', '-d', copy, '-'], stdout)).status).toBe(0);
    const second = await db(['export', '-d', copy, '-']);
    expect(second.stdout.split('\n').slice(1).sort()).toEqual(stdout.split('\n').slice(1).sort());
  });

  test.each([4, 5, 6])('everything a broker keeps goes there and back: seed %i', async (seed) => {
    const state = await makeStore(seed);
    const file = join(directory, 'state.jsonl');
    expect((await db(['export', '-d', database, file])).status).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const copy = join(directory, 'copy.db');
    expect(await db(['import', '-d', copy, file])).toMatchObject({ status: 0, stdout: '' });
    expect(await stateOf(copy)).toBe(state);
  });

  test('a database that is there is replaced only when told so, and kept', async () => {
    writeFileSync(database, foreign);
    const text = [head, ...rows.slice(0, 2), '{"kind":"end","lines":4}'].join('\n');
    const refused = await db(['import', '-d', database, '-'], text);
    expect(refused).toMatchObject({
      status: 2,
      stderr: `Error: ${database} exists already; with --replace it is put aside and replaced.\n`,
    });
    expect(readFileSync(database)).toEqual(foreign);
    const { status, stderr } = await db(['import', '--replace', '-d', database, '-'], text);
    expect(status).toBe(0);
    expect(stderr).toContain(`The database that was there is in ${database}.before-import.`);
    expect(readFileSync(`${database}.before-import/mosquitto.db`)).toEqual(foreign);
  });

  const message = rows[0] ?? '';
  const session = rows[1] ?? '';
  test.each([
    ['', 1, 'it is empty'],
    ['no json', 1, 'it is no JSON'],
    ['[]', 1, 'it is no JSON object'],
    ['{"kind":"session"}', 1, 'it is no export: its first line does not have "format":"moustique export"'],
    [
      '{"format":"moustique export","version":2}',
      1,
      'written by a newer version of Moustique (export format 2, need 1)',
    ],
    [head, 1, 'it is cut off: the line of kind "end" is missing'],
    [`${head}\n{"kind":"end","lines":5}`, 2, 'lines are missing: this is line 2 and not line 5'],
    [`${head}\n{"kind":"end","lines":2}\n{}`, 3, 'nothing may follow the line of kind "end"'],
    [`${head}\n{"kind":"thing"}`, 2, '"kind" is "thing", which does not exist'],
    [`${head}\n{"kind":"session","clientId":"c"}`, 2, '"expirySeconds" is missing'],
    [
      `${head}\n{"kind":"session","clientId":"c","expirySeconds":-1}`,
      2,
      '"expirySeconds" is no whole number from 0 to ',
    ],
    [`${head}\n${session}\n${session}`, 3, 'there is a session of "subc" already'],
    [`${head}\n{"kind":"session","clientId":"c","expirySeconds":1,"colour":1}`, 2, '"colour" is not known'],
    [`${head}\n{"kind":"retained","message":4}`, 2, 'there is no message 4 before this line'],
    [`${head}\n{"kind":"subscription","clientId":"c"}`, 2, 'there is no session of "c" before this line'],
    [
      `${head}\n${session}\n{"kind":"subscription","clientId":"subc","filter":"a/#/b","qos":1}`,
      3,
      '"filter" is no Topic',
    ],
    [`${head}\n${message}\n${message}`, 3, 'there is a message 1 already'],
    [`${head}\n${message.replace('a/b', 'a/+')}`, 2, '"topic" is no Topic Name'],
    [`${head}\n${message.replace('"qos":2', '"qos":3')}`, 2, '"qos" is no whole number from 0 to 2'],
    [`${head}\n${message.replace('q80=', '!')}`, 2, '"properties" is no base64'],
    [`${head}\n${message.replace('content-type', 'colour')}`, 2, '"properties" has one that is not [name, value]'],
    [`${head}\n${message.replace('"clientId":"pubc",', '')}`, 2, '"publisher.clientId" is missing'],
    [`${head}\n${message.replace('2163-02-21T', 'soon')}`, 2, '"expiresAt" is no time such as '],
    [
      `${head}\n${message}\n${session}\n{"kind":"delivery","clientId":"subc","message":1,"sequence":3,"qos":1,"state":"awaiting-pubrec"}`,
      4,
      '"state" is no state of a QoS 1 delivery',
    ],
    [
      `${head}\n${message}\n${session}\n${rows[2] ?? ''}\n${rows[2] ?? ''}`,
      5,
      '"sequence" is not above 3, that of the delivery before it',
    ],
  ])('what is wrong is named, and nothing is changed: %s', async (text, line, complaint) => {
    const file = join(directory, 'wrong.jsonl');
    writeFileSync(file, text);
    const { status, stderr } = await db(['import', '-d', database, file]);
    expect(status).toBe(1);
    expect(stderr).toContain(`Error: ${file}:${line}: ${complaint}`);
    expect(stderr).toContain('Nothing was changed.');
    expect(readdirSync(directory)).toEqual(['wrong.jsonl']);
  });
});

test.each([['check'], ['repair'], ['export', '-'], ['import', '--replace', '-']])(
  'a database that a broker has is left alone: %s',
  async (...words) => {
    const store = open();
    for (const _ of store.restore());
    store.attach(() => []);
    await store.snapshot();
    const text = [head, '{"kind":"end","lines":2}'].join('\n');
    const { status, stderr } = await db([...words, '-d', database], text);
    await store.close();
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `Error: ${database} is in use by process ${process.pid}.\n`,
    });
  },
);

test.each([
  [[], 'Error: No command given.'],
  [['polish'], "Error: Unknown command 'polish'."],
  [['check'], 'Error: Either -d DATABASE or -c CONFIGURATION is needed.'],
  [['check', '-d'], 'Error: -d needs a file.'],
  [['check', '-d', 'x', 'y'], "Error: 'y' is one word too many; the database is named with -d or -c."],
  [['export', '-d', 'x'], "Error: 'export' needs a FILE, or - for standard output."],
  [['import', '-d', 'x'], "Error: 'import' needs a FILE, or - for standard input."],
  [['repair', '--json', '-d', 'x'], 'Error: --json belongs to check.'],
  [['check', '--replace', '-d', 'x'], 'Error: --replace belongs to import.'],
  [['check', '--loud'], "Error: Unknown option '--loud'."],
])('a wrong command line ends with 3: %j', async (words, line) => {
  const { status, stderr } = await db(words);
  expect(status).toBe(3);
  expect(stderr).toBe(`${line}\n\nUse 'moustique db --help' to see usage.\n`);
});

test('what is no database, or not there, ends with 2', async () => {
  expect(await db(['check', '-d', database])).toMatchObject({
    ...{ status: 2, stderr: `Error: There is no database ${database}.\n` },
  });
  writeFileSync(database, 'something else altogether');
  expect(await db(['check', '-d', database])).toMatchObject({
    ...{ status: 2, stderr: 'Error: Unable to restore persistent database. Unrecognised file format.\n' },
  });
  const missing = join(directory, 'missing.jsonl');
  expect(await db(['import', '-d', database, missing])).toMatchObject({
    ...{ status: 2, stderr: `Error: No such file or directory: ${missing}.\n` },
  });
});
