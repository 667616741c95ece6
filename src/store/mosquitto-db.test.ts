import { expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import type { Fact } from '../contracts/store.ts';
import type { ReadableFile } from './disk.ts';
import { DatabaseReader } from './mosquitto-db.ts';

const nowMs = 1_800_000_000_000;

function fileOf(content: Buffer): ReadableFile {
  return {
    size: content.length,
    read: (target, start, end, position) => content.copy(target, start, position, position + end - start),
    close: () => {},
  };
}

function read(content: Buffer): { facts: Fact[]; damage: string[]; reader: DatabaseReader } {
  const damage: string[] = [];
  const reader = new DatabaseReader(fileOf(content), nowMs, (offset, length, what) => {
    damage.push(`${offset}+${length} ${what}`);
  });
  return { facts: [...reader.facts()], damage, reader };
}

/** What matters of a fact, without the classes around it. */
function plain(facts: Fact[]): unknown[] {
  return facts.map((fact) => {
    if (fact.kind !== 'message') return fact;
    const { message } = fact;
    return {
      storeId: message.storeId,
      topic: message.topic.name,
      payload: message.payload.toString(),
      qos: message.qos,
      retain: message.retain,
      publisher: message.publisher,
      publisherPacketId: message.publisherPacketId,
      properties: message.propertiesSource.subarray(message.propertiesStart, message.propertiesEnd).toString('hex'),
      expiryOffset: message.expiryOffset,
      expiresAtMs: message.expiresAtMs,
    };
  });
}

const header = (version: string): string => `00b500 "mosquitto db" 00000000 ${version}`;
const config6 = '00000001 00000010 99a06fffe1b60400 01 08 000000000000';

test('reads a file of Mosquitto 2.1 (version 6)', () => {
  const { facts, damage, reader } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000029 882d3bfee1b60400 0000000000000000 00000002 0001 0004 0000 0003 709f 02 01 "pubc" "a/b" "hi"
      00000006 0000001c 0000000000000000 ffffffff 0003 0004 709f 0000 00000000 "subc"
      00000003 00000014 882d3bfee1b60400 0003 0004 01 0b 00 01 "subc"
      00000005 00000013 00000007 0004 0003 01 2c 0000 "subc" "a/#"
      00000004 00000008 882d3bfee1b60400`),
  );

  expect(damage).toEqual([]);
  expect(reader.mark).toBeNull();
  expect(plain(facts)).toEqual([
    {
      storeId: 1,
      topic: 'a/b',
      payload: 'hi',
      qos: 2,
      retain: true,
      publisher: { clientId: 'pubc', username: null, listenerPort: 28_831 },
      publisherPacketId: 1,
      properties: '',
      expiryOffset: -1,
      expiresAtMs: 0,
    },
    {
      kind: 'session',
      clientId: 'subc',
      username: null,
      listenerPort: 28_831,
      expiryIntervalSeconds: 0xffff_ffff,
      expiresAtMs: 0,
      lastSequence: 3,
    },
    {
      kind: 'delivery',
      clientId: 'subc',
      direction: 'out',
      storeId: 1,
      sequence: 3,
      qos: 1,
      retain: false,
      dup: false,
      state: 11,
      subscriptionIds: [],
    },
    {
      kind: 'subscription',
      clientId: 'subc',
      filter: 'a/#',
      qos: 1,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
      identifier: 7,
    },
    { kind: 'retained', storeId: 1 },
  ]);
});

test('rebuilds the properties of a message and the moment it expires', () => {
  const { facts } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000033
        0100000000000000 01d8496b00000000 00000001 0000 0001 0002 0001 0000 01 00
        "p" "me" "t" "x"
        0d 01 01 26 0001 "k" 0001 "v" 03 0001 "c"`),
  );

  expect(plain(facts)).toMatchObject([
    {
      publisher: { clientId: 'p', username: 'me', listenerPort: 0 },
      // The five properties as they were, then Message Expiry Interval, to be filled in at delivery.
      properties: '01012600016b000176030001630200000000',
      expiryOffset: 14,
      expiresAtMs: 1_800_001_537_000,
    },
  ]);
});

test('leaves out an expired message and what refers to it', () => {
  const { facts, damage } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000022 0100000000000000 00d2496b00000000 00000000 0000 0001 0000 0001 0000 01 00 "p" "t"
      00000002 00000022 0200000000000000 01d2496b00000000 00000000 0000 0001 0000 0001 0000 01 00 "p" "t"
      00000004 00000008 0100000000000000
      00000004 00000008 0200000000000000`),
  );

  expect(damage).toEqual([]);
  expect(facts).toMatchObject([{ kind: 'message', message: { expiresAtMs: nowMs + 1000 } }, { kind: 'retained' }]);
});

test('numbers deliveries whose Packet Identifiers have gone round', () => {
  const delivery = (packetId: string): string => `00000003 00000011 0100000000000000 ${packetId} 0001 01 0b 00 01 "s"`;
  const { facts } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000022 0100000000000000 0000000000000000 00000000 0000 0001 0000 0001 0000 01 00 "p" "t"
      ${delivery('fffe')} ${delivery('ffff')} ${delivery('0001')} ${delivery('0001')}`),
  );

  const sequences = facts.flatMap((fact) => (fact.kind === 'delivery' ? [fact.sequence] : []));
  expect(sequences).toEqual([65_534, 65_535, 65_536, 131_071]);
});

test.each([
  [0, 1, 11],
  [2, 1, 11],
  [3, 1, 3],
  [5, 1, 5],
  [6, 1, 9],
  [9, 1, 9],
  [11, 1, 11],
  [7, 0, 7],
  [10, 0, 7],
  [11, 0, 7],
])('takes state %i in direction %i as %i', (state, direction, kept) => {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  const { facts } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000022 0100000000000000 0000000000000000 00000000 0000 0001 0000 0001 0000 01 00 "p" "t"
      00000003 00000011 0100000000000000 0001 0001 02 ${hex(state)} 11 ${hex(direction)} "s"`),
  );

  expect(facts[1]).toMatchObject({
    state: kept,
    storeId: kept === 9 ? 0 : 1,
    direction: direction === 1 ? 'out' : 'in',
    dup: true,
    retain: true,
  });
});

test('reads Subscription Identifiers of a delivery', () => {
  const { facts } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000022 0100000000000000 0000000000000000 00000000 0000 0001 0000 0001 0000 01 00 "p" "t"
      00000003 00000017 0100000000000000 0001 0001 01 0b 00 01 "s" 05 0b 05 0b 8101`),
  );

  expect(facts[1]).toMatchObject({ subscriptionIds: [5, 129] });
});

test('reads version 5, whose clients have neither port nor user name', () => {
  const { facts } = read(
    bytes(`${header('00000005')} ${config6}
      00000006 00000014 10d2496b00000000 00000e10 0009 0004 "subc"`),
  );

  expect(facts).toEqual([
    {
      kind: 'session',
      clientId: 'subc',
      username: null,
      listenerPort: 0,
      expiryIntervalSeconds: 3600,
      expiresAtMs: 1_800_000_016_000,
      lastSequence: 9,
    },
  ]);
});

test.each([
  ['00000004', '0002 "me" 075b', '0000000000000000', { clientId: 'pub', username: 'me', listenerPort: 1883 }],
  ['00000003', '', '0000000000000000', { clientId: 'pub', username: null, listenerPort: 0 }],
  ['00000002', '', '', { clientId: 'pub', username: null, listenerPort: 0 }],
])('reads version %s', (version, owner, time, publisher) => {
  const withLength = (type: string, body: string): string =>
    `${type} ${bytes(body).length.toString(16).padStart(8, '0')} ${body}`;
  const { facts, damage } = read(
    bytes(`${header(version)}
      ${withLength('0001', '01 08 0700000000000000')}
      ${withLength('0002', `0700000000000000 0003 "pub" ${owner} 0005 0000 0003 "a/b" 01 01 00000002 "hi"`)}
      ${withLength('0006', `0003 "sub" 0004 ${time}`)}
      ${withLength('0003', '0003 "sub" 0700000000000000 0004 01 01 01 03 01')}
      ${withLength('0005', '0003 "sub" 0003 "a/#" 01')}
      ${withLength('0004', '0700000000000000')}`),
  );

  expect(damage).toEqual([]);
  expect(plain(facts)).toMatchObject([
    { storeId: 1, topic: 'a/b', payload: 'hi', qos: 1, retain: true, publisher, publisherPacketId: 5 },
    { kind: 'session', clientId: 'sub', expiryIntervalSeconds: 0xffff_ffff, lastSequence: 4 },
    { kind: 'delivery', clientId: 'sub', storeId: 1, sequence: 4, qos: 1, state: 3, retain: true, dup: true },
    { kind: 'subscription', clientId: 'sub', filter: 'a/#', qos: 1 },
    { kind: 'retained', storeId: 1 },
  ]);
});

test('refuses what is not a database, and a newer version, in the words of Mosquitto', () => {
  expect(() => read(Buffer.from('something else that is long enough'))).toThrow('Unrecognised file format.');
  expect(() => read(Buffer.from('short'))).toThrow('Unrecognised file format.');
  expect(() => read(bytes(header('00000007')))).toThrow(
    'Unsupported persistent database format version 7 (need version 6).',
  );
  expect(read(bytes(header('00000006'))).facts).toEqual([]);
});

test('skips a chunk of a type that nobody knows', () => {
  const { facts, damage, reader } = read(
    bytes(`${header('00000006')} ${config6}
      00000063 00000003 010203
      00000006 0000001c 0000000000000000 ffffffff 0003 0004 709f 0000 00000000 "subc"`),
  );

  expect(damage).toEqual([]);
  expect([...reader.unknownTypes]).toEqual([0x63]);
  expect(facts).toMatchObject([{ kind: 'session', clientId: 'subc' }]);
});

test('a chunk that cannot be read costs itself and says where it lies', () => {
  const { facts, damage } = read(
    bytes(`${header('00000006')} ${config6}
      00000002 00000022 0100000000000000 0000000000000000 00000009 0000 0001 0000 0001 0000 01 00 "p" "t"
      00000004 00000008 0100000000000000
      00000006 0000001c 0000000000000000 ffffffff 0003 0004 709f 0000 00000000 "subc"`),
  );

  expect(damage).toEqual(['47+34 chunk of type 2: payload is cut off']);
  expect(facts).toMatchObject([{ kind: 'session', clientId: 'subc' }]);
});

test('a file that ends in the middle of a chunk gives what comes before', () => {
  const { facts, damage } = read(
    bytes(`${header('00000006')} ${config6}
      00000006 0000001c 0000000000000000 ffffffff 0003 0004 709f 0000 00000000 "subc"
      00000004 00000008 0100`),
  );

  expect(damage).toEqual(['83+10 a chunk of type 4 claims 8 bytes and is cut off']);
  expect(facts).toMatchObject([{ kind: 'session', clientId: 'subc' }]);
});
