import { describe, expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import { type FrameContent, packetIdOffset, publishFrameSize, TopicForm, writePublishFrame } from './publish-frame.ts';

/** A message whose parts lie inside larger buffers, as they do after reading. */
function content(topic: string, properties: string, payload: Buffer, expiryOffset = -1): FrameContent {
  const section = bytes(properties);
  return {
    topic: { source: Buffer.from(topic), start: 0, length: Buffer.byteLength(topic) },
    payloadSource: Buffer.concat([Buffer.from('<'), payload, Buffer.from('>')]),
    payloadStart: 1,
    payloadEnd: 1 + payload.length,
    propertiesSource: Buffer.concat([Buffer.from('<<'), section, Buffer.from('>')]),
    propertiesStart: 2,
    propertiesEnd: 2 + section.length,
    expiryOffset: expiryOffset < 0 ? -1 : 2 + expiryOffset,
  };
}

interface Receiver {
  readonly version: 3 | 4 | 5;
  readonly firstByte: number;
  readonly packetId?: number;
  readonly expirySeconds?: number;
  readonly form?: TopicForm;
  readonly alias?: number;
  readonly identifiers?: readonly number[];
}

/** Writes into the middle of a buffer and shows the frame; the bytes around it must stay. */
function frame(message: FrameContent, receiver: Receiver): Buffer {
  const { version, firstByte, packetId = 0, expirySeconds = -1, form = TopicForm.name, alias = 0 } = receiver;
  const identifiers = receiver.identifiers ?? null;
  const size = publishFrameSize(message, version, packetId !== 0, form, identifiers);
  const target = Buffer.alloc(size + 7, 0xee);
  const end = writePublishFrame(
    target,
    3,
    message,
    version,
    firstByte,
    packetId,
    expirySeconds,
    form,
    alias,
    identifiers,
  );
  expect(end).toBe(3 + size);
  expect(target.subarray(0, 3)).toEqual(bytes('ee ee ee'));
  expect(target.subarray(end)).toEqual(bytes('ee ee ee ee'));
  return target.subarray(3, end);
}

const properties = '03 00 01 "t"  02 00 00 00 3c  26 00 01 "k" 00 01 "v"';
const message = content('a/b', properties, Buffer.from('hi'), 5);

describe('3.x', () => {
  test('has Topic Name, Packet Identifier and payload', () => {
    expect(frame(message, { version: 4, firstByte: 0x30 })).toEqual(bytes('30 07 00 03 "a/b" "hi"'));
    expect(frame(message, { version: 3, firstByte: 0x3b, packetId: 0x1234 })).toEqual(
      bytes('3b 09 00 03 "a/b" 12 34 "hi"'),
    );
  });

  test('leaves Subscription Identifiers and expiry out', () => {
    const receiver: Receiver = { version: 4, firstByte: 0x30, identifiers: [1], expirySeconds: 5 };
    expect(frame(message, receiver)).toEqual(bytes('30 07 00 03 "a/b" "hi"'));
  });
});

describe('5.0', () => {
  test('without properties has a Property Length of 0', () => {
    const bare = content('a', '', Buffer.from('x'));
    expect(frame(bare, { version: 5, firstByte: 0x31 })).toEqual(bytes('31 05 00 01 "a" 00 "x"'));
    expect(frame(bare, { version: 5, firstByte: 0x34, packetId: 1 })).toEqual(bytes('34 07 00 01 "a" 00 01 00 "x"'));
  });

  test('v5 [MQTT-3.3.2-18] keeps the properties and their order', () => {
    expect(frame(message, { version: 5, firstByte: 0x30 })).toEqual(bytes(`30 18 00 03 "a/b" 10 ${properties} "hi"`));
  });

  test('v5 [MQTT-3.3.2-6] overwrites the expiry in place, in the copy only', () => {
    expect(frame(message, { version: 5, firstByte: 0x30, expirySeconds: 0x0102_0304 })).toEqual(
      bytes('30 18 00 03 "a/b" 10  03 00 01 "t"  02 01 02 03 04  26 00 01 "k" 00 01 "v" "hi"'),
    );
    expect(frame(message, { version: 5, firstByte: 0x30, expirySeconds: 0 })[14]).toBe(0);
    expect(frame(message, { version: 5, firstByte: 0x30, expirySeconds: 0xffff_fffe }).subarray(12, 17)).toEqual(
      bytes('02 ff ff ff fe'),
    );
    expect(message.propertiesSource.subarray(message.expiryOffset, message.expiryOffset + 4)).toEqual(
      bytes('00 00 00 3c'),
    );
    // A message without Message Expiry Interval gets none.
    const bare = content('a', '', Buffer.from('x'));
    expect(frame(bare, { version: 5, firstByte: 0x30, expirySeconds: 9 })).toEqual(bytes('30 05 00 01 "a" 00 "x"'));
  });

  test('puts a Topic Alias in front and Subscription Identifiers behind', () => {
    const receiver = { version: 5, firstByte: 0x32, packetId: 7, alias: 0x0102, identifiers: [1, 300] } as const;
    expect(frame(message, { ...receiver, form: TopicForm.nameAndAlias })).toEqual(
      bytes(`32 22 00 03 "a/b" 00 07 18  23 01 02  ${properties}  0b 01 0b ac 02  "hi"`),
    );
    expect(frame(message, { ...receiver, form: TopicForm.alias })).toEqual(
      bytes(`32 1f 00 00 00 07 18  23 01 02  ${properties}  0b 01 0b ac 02  "hi"`),
    );
  });

  test('takes an empty list of Subscription Identifiers for none', () => {
    expect(frame(content('a', '', Buffer.from('x')), { version: 5, firstByte: 0x30, identifiers: [] })).toEqual(
      bytes('30 05 00 01 "a" 00 "x"'),
    );
  });
});

describe('sizes', () => {
  test.each([31, 32, 33, 100, 116, 117, 118, 16_000, 16_374, 16_375, 16_376, 100_000])(
    'a payload of %d bytes is copied whole, with Remaining Length as long as it must be',
    (length) => {
      const payload = Buffer.from(Array.from({ length }, (_, index) => index & 0xff));
      const written = frame(content('topic/of/twenty/byte', '', payload), { version: 5, firstByte: 0x30 });
      const remaining = 2 + 20 + 1 + length;
      const headerSize = remaining < 128 ? 2 : remaining < 16_384 ? 3 : 4;
      expect(written).toHaveLength(headerSize + remaining);
      expect(written.subarray(written.length - length)).toEqual(payload);
    },
  );

  test('properties of 128 bytes need two bytes of length', () => {
    const section = `09 00 7d ${'ab'.repeat(125)}`;
    const written = frame(content('a', section, Buffer.from('x')), { version: 5, firstByte: 0x30 });
    expect(written).toEqual(bytes(`30 86 01 00 01 "a" 80 01 ${section} "x"`));
  });
});

test('packetIdOffset finds what a copy for another receiver has to change', () => {
  const short = frame(message, { version: 4, firstByte: 0x32, packetId: 0x1234 });
  expect(short.readUInt16BE(packetIdOffset(short, 0))).toBe(0x1234);
  const long = frame(content('a', '', Buffer.alloc(20_000)), { version: 5, firstByte: 0x32, packetId: 0x4321 });
  expect(long.readUInt16BE(packetIdOffset(long, 0))).toBe(0x4321);
  const inside = Buffer.concat([Buffer.from([1, 2, 3]), long]);
  expect(inside.readUInt16BE(packetIdOffset(inside, 3))).toBe(0x4321);
});
