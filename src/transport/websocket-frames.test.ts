import { describe, expect, test } from 'vitest';
import { binaryFrame, CloseCode, closeFrame, FrameReader, pongFrame, WebSocketError } from './websocket-frames.ts';

/** 37 fa 21 3d, the mask of RFC 6455 §5.7 */
const mask = Buffer.from('37fa213d', 'hex');

/** A frame from a client: first byte, payload; the length in its shortest form. */
function masked(firstByte: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([firstByte, 0x80 | length])
      : length < 65_536
        ? Buffer.from([firstByte, 0xfe, length >> 8, length & 0xff])
        : Buffer.from([firstByte, 0xff, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  return Buffer.concat([head, mask, Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] as number)))]);
}

function collector() {
  const seen = { bytes: Buffer.alloc(0), pings: [] as string[], closes: [] as string[], pieces: 0 };
  const sink = {
    onPayload: (bytes: Buffer, start: number, end: number) => {
      seen.bytes = Buffer.concat([seen.bytes, bytes.subarray(start, end)]);
      seen.pieces++;
    },
    onPing: (payload: Buffer) => void seen.pings.push(payload.toString()),
    onCloseFrame: (payload: Buffer) => void seen.closes.push(payload.toString('hex')),
  };
  return { seen, sink };
}

function readAll(input: Buffer) {
  const { seen, sink } = collector();
  new FrameReader().push(Buffer.from(input), 0, input.length, sink);
  return seen;
}

describe('reading', () => {
  test('the example of RFC 6455 §5.7, as binary', () => {
    // 82: FIN, binary · 85: masked, 5 bytes · mask · "Hello"
    expect(readAll(Buffer.from('828537fa213d7f9f4d5158', 'hex')).bytes.toString()).toBe('Hello');
  });

  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    '%d bytes of payload, whole and in pieces of any size',
    (length) => {
      const payload = Buffer.from(Array.from({ length }, (_, index) => index % 251));
      const input = Buffer.concat([masked(0x82, payload), masked(0x82, Buffer.from('end'))]);
      const wanted = Buffer.concat([payload, Buffer.from('end')]);
      expect(readAll(input).bytes.equals(wanted)).toBe(true);
      for (const size of [1, 2, 3, 7, 1000, 65_536]) {
        if (size === 1 && length > 65_535) continue;
        const { seen, sink } = collector();
        const reader = new FrameReader();
        const chunks: Buffer[] = [];
        const piecewise = {
          ...sink,
          onPayload: (bytes: Buffer, from: number, to: number) =>
            void chunks.push(Buffer.from(bytes.subarray(from, to))),
        };
        for (let at = 0; at < input.length; at += size) {
          const chunk = Buffer.from(input.subarray(at, at + size));
          reader.push(chunk, 0, chunk.length, piecewise);
        }
        expect(Buffer.concat(chunks).equals(wanted)).toBe(true);
        expect(seen.closes).toEqual([]);
      }
    },
  );

  test('payload goes on before its frame is whole', () => {
    const { seen, sink } = collector();
    const reader = new FrameReader();
    // 1 GB announced, one byte there: 10 ^ 37
    const beginning = Buffer.concat([Buffer.from('82ff0000000040000000', 'hex'), mask, Buffer.from([0x10 ^ 0x37])]);
    reader.push(beginning, 0, beginning.length, sink);
    expect(seen.bytes.toString('hex')).toBe('10');
  });

  test('only the given range of a chunk is read and changed', () => {
    const { seen, sink } = collector();
    const chunk = Buffer.concat([Buffer.from('xx'), masked(0x82, Buffer.from('abc')), Buffer.from('yy')]);
    new FrameReader().push(chunk, 2, chunk.length - 2, sink);
    expect(seen.bytes.toString()).toBe('abc');
    expect(chunk.subarray(0, 2).toString() + chunk.subarray(-2).toString()).toBe('xxyy');
  });

  test('a message may be in fragments, with pings between them', () => {
    const seen = readAll(
      Buffer.concat([
        masked(0x02, Buffer.from('a')), // binary, more follows
        masked(0x89, Buffer.from('ping')),
        masked(0x00, Buffer.from('b')), // continuation, more follows
        masked(0x8a, Buffer.from('a pong nobody asked for')),
        masked(0x80, Buffer.from('c')), // continuation, the last
        masked(0x82, Buffer.from('d')),
      ]),
    );
    expect(seen.bytes.toString()).toBe('abcd');
    expect(seen.pings).toEqual(['ping']);
  });

  test('nothing is read behind a Close frame', () => {
    const close = masked(0x88, Buffer.from('03e8', 'hex'));
    const seen = readAll(Buffer.concat([masked(0x82, Buffer.from('a')), close, masked(0x82, Buffer.from('b')), close]));
    expect(seen.bytes.toString()).toBe('a');
    expect(seen.closes).toEqual(['03e8']);
  });

  test.each([
    ['no mask', '8200', CloseCode.protocolError],
    ['RSV1, the bit of compression', 'c280', CloseCode.protocolError],
    ['RSV2', 'a280', CloseCode.protocolError],
    ['RSV3', '9280', CloseCode.protocolError],
    ['text', '8180', CloseCode.unsupportedData],
    ['text, first fragment', '0180', CloseCode.unsupportedData],
    ['continuation of nothing', '8080', CloseCode.protocolError],
    ['a message within a message', `02800000000082 80`, CloseCode.protocolError],
    ['opcode 3', '8380', CloseCode.protocolError],
    ['opcode 7', '8780', CloseCode.protocolError],
    ['opcode 11', '8b80', CloseCode.protocolError],
    ['opcode 15', '8f80', CloseCode.protocolError],
    ['Ping in fragments', '0980', CloseCode.protocolError],
    ['Ping of 126 bytes', '89fe', CloseCode.protocolError],
    ['Close of 126 bytes', '88fe', CloseCode.protocolError],
    ['a negative length', '82ff800000000000000037fa213d', CloseCode.protocolError],
  ])('%s is refused as soon as it is seen', (_what, hex, closeCode) => {
    const { sink } = collector();
    const reader = new FrameReader();
    const chunk = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(() => reader.push(chunk, 0, chunk.length, sink)).toThrow(WebSocketError);
    try {
      new FrameReader().push(chunk, 0, chunk.length, sink);
    } catch (error) {
      expect((error as WebSocketError).closeCode).toBe(closeCode);
    }
    // Nothing is read afterwards.
    const { seen, sink: later } = collector();
    const good = masked(0x82, Buffer.from('late'));
    reader.push(good, 0, good.length, later);
    expect(seen.pieces).toBe(0);
  });
});

describe('writing', () => {
  test.each([
    [0, '8200'],
    [125, '827d'],
    [126, '827e007e'],
    [65_535, '827effff'],
    [65_536, '827f0000000000010000'],
  ])('the header of %d bytes', (length, header) => {
    const frame = binaryFrame(Buffer.alloc(length, 'x'));
    expect(frame.subarray(0, frame.length - length).toString('hex')).toBe(header);
    expect(frame.subarray(frame.length - length).every((byte) => byte === 0x78)).toBe(true);
  });

  test('Pong and Close', () => {
    expect(pongFrame(Buffer.from('p')).toString('hex')).toBe('8a0170');
    expect(closeFrame(CloseCode.normal).toString('hex')).toBe('880203e8');
    // The peer's code is sent back without its reason; one without a code is answered without one.
    expect(closeFrame(Buffer.from('03e9626965', 'hex')).toString('hex')).toBe('880203e9');
    expect(closeFrame(Buffer.alloc(0)).toString('hex')).toBe('8800');
  });
});
