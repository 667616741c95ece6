import { beforeEach, describe, expect, test } from 'vitest';
import { bytes, protocolErrorOf } from '../../test/harness/codec.ts';
import { PACKET_SIZE_MAX, type PacketSink, StreamDecoder } from './stream-decoder.ts';

const CONNECT = '10 0d 00 04 "MQTT" 04 02 00 3c 00 01 "c"';

let packets: string[];
let stopAfter: number;
let inChunk: boolean[];
let chunk: Buffer;

const sink: PacketSink = {
  onPacket(firstByte, buf, bodyStart, bodyEnd) {
    packets.push(`${firstByte.toString(16)} ${buf.toString('latin1', bodyStart, bodyEnd)}`);
    inChunk.push(buf === chunk);
    return packets.length !== stopAfter;
  },
};

beforeEach(() => {
  packets = [];
  inChunk = [];
  stopAfter = 0;
});

function push(decoder: StreamDecoder, source: string | Buffer): number {
  chunk = typeof source === 'string' ? bytes(source) : source;
  return decoder.push(chunk, 0, chunk.length, sink);
}

/** A decoder that is past CONNECT. */
function opened(maximumPacketSize = 1_000_000): StreamDecoder {
  const decoder = new StreamDecoder(maximumPacketSize, 'connect');
  push(decoder, CONNECT);
  packets = [];
  inChunk = [];
  return decoder;
}

describe('whole packets', () => {
  test('are handed on in order, where they lie', () => {
    const decoder = opened();
    expect(push(decoder, 'c0 00  30 03 00 01 "a"  c0 00')).toBe(3);
    expect(packets).toEqual(['c0 ', '30 \u0000\u0001a', 'c0 ']);
    expect(inChunk).toEqual([true, true, true]);
    expect(decoder.heldBytes).toBe(0);
  });

  test('are looked for in the range only', () => {
    const decoder = opened();
    const surrounded = bytes('ff c0 00 ff');
    expect(decoder.push(surrounded, 1, 3, sink)).toBe(1);
    expect(packets).toEqual(['c0 ']);
  });

  test.each([127, 128, 16_383, 16_384, 100_000])('of %d bytes of Remaining Length', (length) => {
    const decoder = opened();
    const header =
      length < 128
        ? [length]
        : length < 16_384
          ? [length | 128, length >> 7]
          : [(length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14];
    const packet = Buffer.concat([Buffer.from([0x30, ...header.map((byte) => byte & 255)]), Buffer.alloc(length, 'x')]);
    expect(push(decoder, packet)).toBe(1);
    expect(packets[0]).toHaveLength(3 + length);
  });
});

describe('split packets', () => {
  const stream = bytes(`${CONNECT}  30 03 00 01 "a"  c0 00  32 84 01 00 02 "bc" 00 07 ${'41'.repeat(126)}  e0 00`);
  const expected = ['10 ', '30 ', 'c0 ', '32 ', 'e0 '];

  test('arrive whole wherever the stream is cut', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      packets = [];
      const decoder = new StreamDecoder(1000, 'connect');
      decoder.push(stream, 0, cut, sink);
      decoder.push(stream, cut, stream.length, sink);
      expect(packets.map((packet) => packet.slice(0, 3))).toEqual(expected);
      expect(packets[3]).toBe(`32 \u0000\u0002bc\u0000\u0007${'A'.repeat(126)}`);
      expect(decoder.heldBytes).toBe(0);
    }
  });

  test('arrive whole byte by byte', () => {
    const decoder = new StreamDecoder(1000, 'connect');
    for (let at = 0; at < stream.length; at++) decoder.push(stream, at, at + 1, sink);
    expect(packets.map((packet) => packet.slice(0, 3))).toEqual(expected);
  });

  test('are copied, the ones behind them are not', () => {
    const decoder = opened();
    push(decoder, 'c0');
    expect(decoder.heldBytes).toBe(1);
    expect(push(decoder, '00  c0 00')).toBe(2);
    expect(inChunk).toEqual([false, true]);
  });

  test('hold the bytes that arrived, not the bytes that were announced', () => {
    const decoder = opened(PACKET_SIZE_MAX);
    push(decoder, '30 ff ff ff 7f 00 01'); // 256 MB to come
    expect(decoder.heldBytes).toBe(7);
    expect(packets).toEqual([]);
  });

  test('do not depend on the chunk staying as it was', () => {
    const decoder = opened();
    push(decoder, '30 05 00 01 "a"');
    chunk.fill(0xff);
    push(decoder, '"hi"');
    expect(packets).toEqual(['30 \u0000\u0001ahi']);
  });
});

describe('stopping', () => {
  test('leaves the rest unread until resume, in order and each once', () => {
    const decoder = opened();
    stopAfter = 1;
    expect(push(decoder, 'c0 00  30 03 00 01 "a"  d0 00  e0')).toBe(1);
    expect(packets).toEqual(['c0 ']);
    expect(decoder.isStopped).toBe(true);
    chunk.fill(0xff); // the chunk is the socket's again
    stopAfter = 2;
    expect(decoder.resume(sink)).toBe(1);
    expect(decoder.isStopped).toBe(true);
    stopAfter = 0;
    expect(decoder.resume(sink)).toBe(1);
    expect(decoder.isStopped).toBe(false);
    push(decoder, '00');
    expect(packets).toEqual(['c0 ', '30 \u0000\u0001a', 'd0 ', 'e0 ']);
  });

  test('stores what arrives meanwhile', () => {
    const decoder = opened();
    stopAfter = 1;
    push(decoder, 'c0 00  d0');
    expect(push(decoder, '00  e0 00')).toBe(0);
    stopAfter = 0;
    expect(decoder.resume(sink)).toBe(2);
    expect(packets).toEqual(['c0 ', 'd0 ', 'e0 ']);
  });

  test('works on a split packet, too', () => {
    const decoder = opened();
    push(decoder, 'c0');
    stopAfter = 1;
    expect(push(decoder, '00  e0 00')).toBe(1);
    stopAfter = 0;
    expect(decoder.resume(sink)).toBe(1);
    expect(packets).toEqual(['c0 ', 'e0 ']);
  });

  test('behind the last packet stops nothing', () => {
    const decoder = opened();
    stopAfter = 1;
    push(decoder, 'c0 00');
    expect(decoder.isStopped).toBe(false);
    expect(push(decoder, 'e0 00')).toBe(1);
  });

  test('closing gives everything up', () => {
    const decoder = opened();
    const closing: PacketSink = {
      onPacket: (...packet) => {
        sink.onPacket(...packet);
        decoder.close();
        return true;
      },
    };
    const stream = bytes('c0 00  e0 00  d0');
    expect(decoder.push(stream, 0, stream.length, closing)).toBe(1);
    expect(decoder.heldBytes).toBe(0);
    expect(push(decoder, 'e0 00')).toBe(0);
    expect(packets).toEqual(['c0 ']);
  });
});

describe('refuses', () => {
  test('v5 [MQTT-3.1.0-1] a first byte that is no CONNECT, at once and without a word', () => {
    for (const source of ['c0', '30', '00', '20', 'ff', '"GET / HTTP/1.1"']) {
      const error = protocolErrorOf(() => push(new StreamDecoder(1000, 'connect'), source));
      expect(error).toMatchObject({ silent: true, statement: 'MQTT-3.1.0-1' });
    }
    expect(push(new StreamDecoder(1000, 'connect'), CONNECT)).toBe(1);
    expect(push(new StreamDecoder(1000, 'connect'), CONNECT.replace('10', '1f'))).toBe(1); // legal in MQTT 3.1
    expect(push(new StreamDecoder(1000, 'connack'), '20 02 00 00')).toBe(1);
    expect(protocolErrorOf(() => push(new StreamDecoder(1000, 'connack'), CONNECT)).silent).toBe(true);
    expect(push(new StreamDecoder(1000, 'any'), 'c0 00')).toBe(1);
  });

  test('v5 [MQTT-3.2.2-15] a packet above the maximum before its body arrives', () => {
    const decoder = opened(20);
    const exact = Buffer.concat([Buffer.from([0x30, 18]), Buffer.alloc(18)]);
    expect(push(decoder, exact)).toBe(1);
    expect(protocolErrorOf(() => push(decoder, '30 13'))).toMatchObject({ reasonCode: 0x95, silent: false });
    const arrived = Buffer.concat([Buffer.from([0x30, 19]), Buffer.alloc(19)]);
    expect(protocolErrorOf(() => push(opened(20), arrived))).toMatchObject({ reasonCode: 0x95, silent: false });
  });

  test('the same when the header is split', () => {
    const decoder = opened(200);
    push(decoder, '30 c7');
    expect(protocolErrorOf(() => push(decoder, '01')).reasonCode).toBe(0x95);
    const smaller = opened(200);
    push(smaller, '30 c5');
    push(smaller, '01'); // 3 + 197 bytes
    expect(smaller.heldBytes).toBe(3);
  });

  test('a CONNECT above the maximum without a word, because its version is unknown', () => {
    expect(protocolErrorOf(() => push(new StreamDecoder(20, 'connect'), '10 ff 01'))).toMatchObject({
      reasonCode: 0x95,
      silent: true,
    });
  });

  test('a Remaining Length of five bytes, without a word', () => {
    expect(protocolErrorOf(() => push(opened(), '30 80 80 80 80'))).toMatchObject({ reasonCode: 0x81, silent: true });
    const split = opened();
    for (const byte of ['30', 'ff', 'ff', 'ff']) push(split, byte);
    expect(protocolErrorOf(() => push(split, 'ff')).silent).toBe(true);
  });

  test('v5 [MQTT-1.5.5-1] padding in the Remaining Length, where the version forbids it', () => {
    expect(push(opened(), 'c0 80 00')).toBe(1);
    const strict = opened();
    strict.requireShortestLength = true;
    expect(push(strict, 'c0 00')).toBe(1);
    expect(push(strict, `30 80 01 ${'00'.repeat(128)}`)).toBe(1);
    expect(protocolErrorOf(() => push(strict, 'c0 80 00')).reasonCode).toBe(0x81);
    const split = opened();
    split.requireShortestLength = true;
    push(split, 'c0 80');
    expect(protocolErrorOf(() => push(split, '80 00')).reasonCode).toBe(0x81);
  });

  test('everything after an error', () => {
    const decoder = opened(20);
    protocolErrorOf(() => push(decoder, '30 7f'));
    expect(push(decoder, 'c0 00')).toBe(0);
    expect(decoder.resume(sink)).toBe(0);
    expect(packets).toEqual([]);
  });
});
