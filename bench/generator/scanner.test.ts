import { describe, expect, test } from 'vitest';
import { MalformedStream, type PacketHandler, PacketScanner } from './scanner.ts';

/** Writes down what the scanner reports, payloads as text. */
class Recorder implements PacketHandler {
  readonly seen: string[] = [];

  onPublish(bytes: Uint8Array, firstByte: number, packetId: number, payload: number, end: number): void {
    const text = Buffer.from(bytes.subarray(payload, end)).toString();
    this.seen.push(`publish ${firstByte.toString(16)} #${packetId} ${text}`);
  }

  onAck(firstByte: number, packetId: number, reasonCode: number): void {
    this.seen.push(`ack ${firstByte.toString(16)} #${packetId} ${reasonCode}`);
  }

  onOther(bytes: Uint8Array, start: number, body: number, end: number): void {
    this.seen.push(`other ${bytes[start]?.toString(16)} ${end - body}`);
  }
}

function scan(chunks: readonly Uint8Array[], isV5 = false): string[] {
  const recorder = new Recorder();
  const scanner = new PacketScanner(recorder, isV5);
  for (const chunk of chunks) scanner.feed(chunk, 0, chunk.length);
  return recorder.seen;
}

const longPayload = 'p'.repeat(300);
const stream = Buffer.concat([
  Buffer.from([0x20, 2, 0, 0]), // CONNACK
  Buffer.from([0x30, 6, 0, 1, 0x61]), // PUBLISH a …
  Buffer.from('one'),
  Buffer.from([0x32, 8, 0, 1, 0x61, 0, 9]), // QoS 1, identifier 9
  Buffer.from('two'),
  Buffer.from([0x40, 2, 0x01, 0x02]), // PUBACK 258
  Buffer.from([0x34, 0xb1, 0x02, 0, 1, 0x61, 0, 10]), // QoS 2, 305 bytes
  Buffer.from(longPayload),
  Buffer.from([0x50, 3, 0, 10, 0x87]), // PUBREC with a Reason Code
  Buffer.from([0xd0, 0]), // PINGRESP
]);
const expected = [
  'other 20 2',
  'publish 30 #0 one',
  'publish 32 #9 two',
  'ack 40 #258 0',
  `publish 34 #10 ${longPayload}`,
  'ack 50 #10 135',
  'other d0 0',
];

test('reports every packet of one chunk', () => {
  expect(scan([stream])).toEqual(expected);
});

test('split in two at every byte it reports the same', () => {
  for (let at = 1; at < stream.length; at++) {
    expect(scan([stream.subarray(0, at), stream.subarray(at)]), `split at ${at}`).toEqual(expected);
  }
});

test('byte by byte it reports the same', () => {
  expect(scan([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
});

test('reads only between start and end', () => {
  const recorder = new Recorder();
  const scanner = new PacketScanner(recorder, false);
  scanner.feed(Buffer.concat([Buffer.from('??'), stream, Buffer.from('??')]), 2, 2 + stream.length);
  expect(recorder.seen).toEqual(expected);
});

describe('MQTT 5.0 properties of a PUBLISH are skipped', () => {
  test('none', () => {
    expect(scan([Buffer.from([0x30, 6, 0, 1, 0x61, 0, 0x78, 0x79])], true)).toEqual(['publish 30 #0 xy']);
  });

  test('three bytes: Topic Alias 5', () => {
    const packet = Buffer.from([0x30, 8, 0, 0, 3, 0x23, 0, 5, 0x78, 0x79]);
    expect(scan([packet], true)).toEqual(['publish 30 #0 xy']);
  });

  test('more than 127 bytes', () => {
    const property = Buffer.concat([Buffer.from([0x03, 0, 127]), Buffer.alloc(127, 0x74)]); // Content Type, 130 bytes
    const packet = Buffer.concat([
      Buffer.from([0x32, 0x8a, 0x01, 0, 1, 0x61, 0, 7, 0x82, 0x01]), // 138 = 5 + 2 + 130 + 1
      property,
      Buffer.from('x'),
    ]);
    expect(scan([packet], true)).toEqual(['publish 32 #7 x']);
  });
});

describe('what cannot be MQTT stops the measurement', () => {
  test('a Remaining Length of five bytes', () => {
    expect(() => scan([Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])])).toThrow(MalformedStream);
  });

  test('the same, byte by byte', () => {
    expect(() => scan([0x30, 0x80, 0x80, 0x80, 0x80, 0x01].map((byte) => Uint8Array.of(byte)))).toThrow(
      MalformedStream,
    );
  });

  test('packet type 0', () => {
    expect(() => scan([Buffer.from([0x00, 0])])).toThrow(MalformedStream);
  });

  test('a topic longer than the packet', () => {
    expect(() => scan([Buffer.from([0x30, 3, 0, 9, 0x61])])).toThrow(MalformedStream);
  });
});
