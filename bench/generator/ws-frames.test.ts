import { describe, expect, test } from 'vitest';
import { clientFrameHeader, ServerFrames } from './ws-frames.ts';

describe('client frames: FIN, binary, masked with 0', () => {
  test.each([
    [5, '828500000000'],
    [125, '82fd00000000'],
    [126, '82fe007e00000000'],
    [65_535, '82feffff00000000'],
    [65_536, '82ff000000000001000000000000'],
  ])('%i bytes', (length, expected) => {
    expect(clientFrameHeader(length).toString('hex')).toBe(expected);
  });
});

function unframe(chunks: readonly Uint8Array[]): string {
  let text = '';
  const frames = new ServerFrames((bytes, start, end) => {
    text += Buffer.from(bytes.subarray(start, end)).toString();
  });
  for (const chunk of chunks) frames.feed(chunk, 0, chunk.length);
  return text;
}

const stream = Buffer.concat([
  Buffer.from([0x82, 3]), // binary, 3 bytes
  Buffer.from('abc'),
  Buffer.from([0x89, 2]), // ping: not MQTT
  Buffer.from('??'),
  Buffer.from([0x82, 126, 0, 200]), // 200 bytes
  Buffer.from('d'.repeat(200)),
  Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1]), // one byte, written the long way
  Buffer.from('e'),
]);
const expected = `abc${'d'.repeat(200)}e`;

describe('server frames', () => {
  test('in one chunk', () => {
    expect(unframe([stream])).toBe(expected);
  });

  test('byte by byte', () => {
    expect(unframe([...stream].map((byte) => Uint8Array.of(byte)))).toBe(expected);
  });

  test('a masked one is refused', () => {
    expect(() => unframe([Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0x61])])).toThrow(/masked/);
  });
});
