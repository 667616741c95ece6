import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import { createMessage } from '../contracts/message.ts';
import type { Fact } from '../contracts/store.ts';
import { Topic } from '../topics/topic.ts';
import { crc32c } from './crc32c.ts';
import type { ReadableFile } from './disk.ts';
import { DatabaseReader } from './mosquitto-db.ts';
import { encodeDatabase } from './mosquitto-db-write.ts';

const mark = { lineage: 0x0102_0304_0506, firstBatch: 7, lastStoreId: 99, isClean: true };
const nowMs = 1_800_000_000_000;

function fileOf(content: Buffer): ReadableFile {
  return {
    size: content.length,
    read: (target, start, end, position) => content.copy(target, start, position, position + end - start),
    close: () => {},
  };
}

function write(facts: Fact[]): Buffer {
  return Buffer.concat(Array.from(encodeDatabase(facts, mark, 0xfeed), (block) => Buffer.from(block)));
}

function read(content: Buffer): { facts: Fact[]; damage: string[]; reader: DatabaseReader } {
  const damage: string[] = [];
  const reader = new DatabaseReader(fileOf(content), nowMs, (offset, length, what) => {
    damage.push(`${offset}+${length} ${what}`);
  });
  return { facts: [...reader.facts()], damage, reader };
}

function messageFact(storeId: number, topic: string, payload: string, properties = '', expiryOffset = -1): Fact {
  const message = createMessage(
    Topic.of(topic),
    { clientId: 'pub', username: 'me', listenerPort: 1883 },
    {
      payload: Buffer.from(payload),
      qos: 1,
      retain: true,
      properties: bytes(properties),
      expiryOffset,
      expiresAtMs: expiryOffset < 0 ? 0 : nowMs + 1234,
    },
  );
  message.storeId = storeId;
  return { kind: 'message', message };
}

const session = (clientId: string, lastSequence = 0): Fact => ({
  kind: 'session',
  clientId,
  username: 'marie',
  listenerPort: 8883,
  expiryIntervalSeconds: 600,
  expiresAtMs: nowMs + 600_000,
  lastSequence,
});

const delivery = (
  sequence: number,
  storeId: number,
  rest: Partial<Extract<Fact, { kind: 'delivery' }>> = {},
): Fact => ({
  kind: 'delivery',
  clientId: 'sub',
  direction: 'out',
  storeId,
  sequence,
  qos: 1,
  retain: false,
  dup: false,
  state: 11,
  subscriptionIds: [],
  ...rest,
});

/** A fact as a text that is the same for equal facts. */
/** A fact as a text; where the payload of its message lies makes no difference. */
function text(fact: Fact): string {
  if ('message' in fact) {
    const { message } = fact;
    message.payloadSource = Buffer.from(message.payload);
    message.payloadEnd -= message.payloadStart;
    message.payloadStart = 0;
  }
  return inspect(fact, { sorted: true, depth: 4, maxArrayLength: 8, breakLength: Number.POSITIVE_INFINITY });
}

test('writes the bytes that Mosquitto expects', () => {
  const content = write([
    messageFact(5, 'a/b', 'hi', '01 01 02 00000009 03 0001 "c"', 3),
    session('sub', 3),
    delivery(3, 5, { dup: true, retain: true, subscriptionIds: [9] }),
    {
      ...{ kind: 'subscription', clientId: 'sub', filter: 'a/#', qos: 1, identifier: 7 },
      ...{ noLocal: true, retainAsPublished: false, retainHandling: 2 },
    },
    { kind: 'retained', storeId: 5 },
  ]);

  const expected = bytes(`
    00b500 "mosquitto db" 00000000 00000006
    00000001 00000010           -- configuration
      6300000000000000 01 08 000000000000
    00000002 00000031           -- message
      0500000000000000 02d2496b00000000   -- 1,800,000,001.234 s: not before its time
      00000002 0000 0003 0002 0003 075b 01 01
      "pub" "me" "a/b" "hi"
      06 0101 030001 "c"         -- without Message Expiry Interval
    00000006 00000020           -- client
      58d4496b00000000 00000258 0003 0003 22b3 0005 00000000 "sub" "marie"
    00000003 00000016           -- delivery
      0500000000000000 0003 0003 01 0b 11 01 "sub" 02 0b09
    00000005 00000012           -- subscription
      00000007 0003 0003 01 24 0000 "sub" "a/#"
    00000004 00000008           -- retained
      0500000000000000
    4d515453                    -- ours`);
  expect(content.subarray(0, expected.length).toString('hex')).toBe(expected.toString('hex'));
});

test('reads back what it wrote', () => {
  const facts: Fact[] = [
    messageFact(5, 'a/b', 'hi', '01 01 03 0001 "c" 02 00000000', 7),
    messageFact(9, 'é', '', '26 0001 "k" 0001 "v"'),
    messageFact(98, 'long', 'x'.repeat(3_000_000)),
    session('sub', 70_000),
    session('other'),
    delivery(0, 5, { qos: 0 }),
    delivery(3, 9, { subscriptionIds: [1, 268_435_455], state: 3 }),
    delivery(69_999, 0, { qos: 2, state: 9 }),
    delivery(70_000, 98, { qos: 2, retain: true, dup: true }),
    delivery(12, 5, { direction: 'in', qos: 2, state: 7 }),
    {
      ...{ kind: 'subscription', clientId: 'other', filter: '#', qos: 2, identifier: 0 },
      ...{ noLocal: false, retainAsPublished: true, retainHandling: 1 },
    },
    { kind: 'retained', storeId: 5 },
    {
      ...{ kind: 'subscription', clientId: 'sub', filter: '$share/g/a/#', qos: 1, identifier: 300 },
      ...{ noLocal: false, retainAsPublished: false, retainHandling: 0 },
    },
    {
      kind: 'will',
      clientId: 'sub',
      message: (messageFact(0, 'will', 'bye') as Extract<Fact, { kind: 'message' }>).message,
      delaySeconds: 30,
      dueAtMs: nowMs + 5,
    },
  ];

  const { facts: found, damage, reader } = read(write(facts));

  expect(damage).toEqual([]);
  expect(reader.mark).toMatchObject(mark);
  expect(found.map(text)).toEqual(facts.map(text));
});

test('a message of $SYS that waits for somebody is none that is retained', () => {
  const { facts } = read(write([messageFact(2, '$SYS/broker/uptime', 'y'), session('sub'), delivery(1, 2)]));

  expect(facts.map((fact) => fact.kind)).toEqual(['message', 'session', 'delivery']);
  expect(facts[0]).toMatchObject({ message: { storeId: 2, retain: false } });
});

test('a snapshot of a newer version is refused', () => {
  const content = write([]);
  const trailer = content.length - 72;
  content.writeUInt32BE(2, trailer + 8);
  content.writeUInt32BE(crc32c(content, trailer, trailer + 68), trailer + 68);

  expect(() => read(content)).toThrow('Written by a newer version of Moustique (snapshot format 2, need 1).');
});

test('any one damaged byte costs what it held, and is named', () => {
  const facts: Fact[] = [
    messageFact(5, 'a/b', 'hi'),
    messageFact(6, 'a/c', 'ho'),
    session('sub', 70_001),
    delivery(70_000, 5, { subscriptionIds: [4, 5] }),
    delivery(70_001, 6, {}),
    {
      ...{ kind: 'subscription', clientId: 'sub', filter: '$share/g/a/#', qos: 1, identifier: 300 },
      ...{ noLocal: false, retainAsPublished: false, retainHandling: 0 },
    },
    { kind: 'retained', storeId: 5 },
  ];
  const content = write(facts);
  expect(new Set(read(content).facts.map(text))).toEqual(new Set(facts.map(text)));
  const wholes = new Set(facts.map(text));
  for (let offset = 0; offset < content.length; offset++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      content[offset] = (content[offset] as number) ^ mask;
      const { facts: found, damage } = read(content);
      content[offset] = (content[offset] as number) ^ mask;

      // A message takes its delivery and its retained entry with it; a lost exact value is replaced by a likely one.
      const intact = found.filter((fact) => wholes.has(text(fact)));
      expect(facts.length - intact.length, `byte ${offset} ^ ${mask}`).toBeLessThanOrEqual(3);
      if (intact.length < facts.length) expect(damage, `byte ${offset} ^ ${mask}`).not.toEqual([]);
    }
  }
});
