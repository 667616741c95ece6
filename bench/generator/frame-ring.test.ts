import { describe, expect, test } from 'vitest';
import { FrameRing, type FrameRingOptions, packetIdOf } from './frame-ring.ts';

const options: FrameRingOptions = {
  level: 4,
  qos: 0,
  retain: false,
  topicNames: ['t/a', 't/b'],
  payloadBytes: 16,
  publisher: 7,
  framesMin: 4,
  isWebSocket: false,
};

/** Payload of publisher 7 with this sequence number, at time 0. */
function payload(sequence: number): number[] {
  return [7, 0, 0, 0, sequence & 0xff, sequence >> 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
}
const frameA = (sequence: number): number[] => [0x30, 21, 0, 3, 0x74, 0x2f, 0x61, ...payload(sequence)];
const frameB = (sequence: number): number[] => [0x30, 21, 0, 3, 0x74, 0x2f, 0x62, ...payload(sequence)];

test('takes frames as one slice, topics in turn, sequence numbers rising', () => {
  const ring = new FrameRing(options);
  expect([...ring.take(3)]).toEqual([...frameA(0), ...frameB(1), ...frameA(2)]);
  expect(ring.sequence).toBe(3);
});

test('returns fewer at the end of the ring and goes on at its start', () => {
  const ring = new FrameRing(options);
  ring.take(3);
  expect([...ring.take(3)]).toEqual(frameB(3));
  expect([...ring.take(1)]).toEqual(frameA(4));
});

test('more topics than frames asked for: one frame each', () => {
  expect(new FrameRing({ ...options, framesMin: 1 }).frameCount).toBe(2);
});

describe('Packet Identifiers', () => {
  test('are patched at QoS 1', () => {
    const ring = new FrameRing({ ...options, qos: 1, topicNames: ['t'] });
    expect([...ring.take(2)]).toEqual([
      ...[0x32, 21, 0, 1, 0x74, 0, 1, ...payload(0)],
      ...[0x32, 21, 0, 1, 0x74, 0, 2, ...payload(1)],
    ]);
  });

  test('stand before the properties of MQTT 5.0', () => {
    const ring = new FrameRing({ ...options, level: 5, qos: 2, topicNames: ['t'] });
    ring.take(1);
    expect([...ring.take(1)]).toEqual([0x34, 22, 0, 1, 0x74, 0, 2, 0, ...payload(1)]);
  });

  test('are 1..65535 in turn', () => {
    expect([0, 65_534, 65_535].map(packetIdOf)).toEqual([1, 65_535, 1]);
  });
});

test('for WebSocket each packet has its own masked frame', () => {
  const ring = new FrameRing({ ...options, isWebSocket: true });
  expect([...ring.take(1)]).toEqual([0x82, 0x80 | 23, 0, 0, 0, 0, ...frameA(0)]);
});

test('a timed frame is a copy that carries its time', () => {
  const ring = new FrameRing(options);
  const first = ring.takeTimed(1.5);
  ring.takeTimed(2.5);
  expect(first.readDoubleLE(first.length - 8)).toBe(1.5);
  expect(first.readUInt32LE(first.length - 12)).toBe(0);
});

test('refuses topics of different lengths', () => {
  expect(() => new FrameRing({ ...options, topicNames: ['a', 'bb'] })).toThrow(/one length/);
});

test('refuses a payload without room for the counters', () => {
  expect(() => new FrameRing({ ...options, payloadBytes: 15 })).toThrow(/16 bytes/);
});
