import { expect, test } from 'vitest';
import { ByteReader, FormatError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

function reader(fill: (writer: ByteWriter) => void): ByteReader {
  const writer = new ByteWriter(1);
  fill(writer);
  return new ByteReader(writer.bytes, 0, writer.length);
}

test('numbers come back at both ends of their range', () => {
  for (const value of [0, 255, 0x8000_0000, 0xffff_ffff]) {
    expect(reader((writer) => writer.u32(value)).u32('number')).toBe(value);
  }
  for (const value of [0, 0xffff_ffff, 0x1_0000_0000, Number.MAX_SAFE_INTEGER]) {
    expect(reader((writer) => writer.u64(value)).u64('number')).toBe(value);
  }
  expect(reader((writer) => writer.u16(0xffff)).u16('number')).toBe(0xffff);
  const tooLarge = reader((writer) => writer.raw(Buffer.alloc(8, 255), 0, 8));
  expect(() => tooLarge.u64('number')).toThrow(new FormatError('number is out of range'));
  expect(() => reader((writer) => writer.u16(1)).u32('number')).toThrow(FormatError);
});

test.each([
  ['sensor', 'sensor'],
  ['sensor', 'sensos'],
  ['sensor', 'senso'],
  ['', ''],
  ['', 'x'],
  ['käse', 'käse'],
  ['é', 'Ã©'],
  ['ab', 'é'],
])('text %j is read as it is when %j is likely', (text, likely) => {
  const read = reader((writer) => {
    writer.text16(text);
    writer.u8(7);
  });
  expect(read.text16Like(likely, 'text')).toBe(text);
  expect(read.u8('what follows')).toBe(7);
});

test('a likely text that is cut off is refused', () => {
  const { bytes } = reader((writer) => writer.text16('sensor'));
  expect(() => new ByteReader(bytes, 0, 7).text16Like('sensor', 'text')).toThrow(new FormatError('text is cut off'));
});
