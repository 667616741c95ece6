import { expect, test } from 'vitest';
import { bytes } from '../../test/harness/codec.ts';
import { ByteWriter } from './byte-writer.ts';
import { crc32c } from './crc32c.ts';
import { beginRecord, endRecord, RecordType, recordEnd, recordIsIntact } from './record.ts';

const salt = 0x1234_5678;

function record(text: string): Buffer {
  const writer = new ByteWriter(64);
  const start = beginRecord(writer, RecordType.sessionRemoved);
  writer.text16(text);
  endRecord(writer, start, salt);
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

test('a frame is length, type, check and checksum before the body', () => {
  const made = record('c1');
  const head = bytes('00000004 05 00');
  const body = bytes('0002 "c1"');
  const headChecksum = crc32c(head, 0, 6, salt);

  expect(made.subarray(0, 6)).toEqual(head);
  expect(made.readUInt16BE(6)).toBe((headChecksum ^ (headChecksum >>> 16)) & 0xffff);
  expect(made.readUInt32BE(8)).toBe(crc32c(body, 0, 4, headChecksum));
  expect(made.subarray(12)).toEqual(body);
  expect(recordEnd(made, 0, made.length, salt)).toBe(made.length);
  expect(recordIsIntact(made, 0, made.length, salt)).toBe(true);
});

test('a frame that reaches beyond the end, or has another salt, is none', () => {
  const made = record('client');
  expect(recordEnd(made, 0, made.length - 1, salt)).toBe(0);
  expect(recordEnd(made, 0, 11, salt)).toBe(0);
  expect(recordEnd(made, 0, made.length, salt + 1)).toBe(0);
  expect(recordEnd(Buffer.alloc(64), 0, 64, salt)).toBe(0);
  expect(recordEnd(made, 0, made.length, salt)).toBe(made.length);
});

test('any changed bit is noticed', () => {
  const made = record('some client');
  for (let bit = 0; bit < made.length * 8; bit++) {
    const at = bit >> 3;
    made[at] = (made[at] as number) ^ (1 << (bit & 7));
    const end = recordEnd(made, 0, made.length, salt);
    expect(end === 0 || !recordIsIntact(made, 0, end, salt), `bit ${bit}`).toBe(true);
    made[at] = (made[at] as number) ^ (1 << (bit & 7));
  }
  expect(recordIsIntact(made, 0, made.length, salt)).toBe(true);
});
