import { expect, test } from 'vitest';
import { protocolErrorOf } from '../../test/harness/codec.ts';
import { checkFirstByte, firstByteOf } from './fixed-header.ts';

function named(firstBytes: readonly number[]): [name: string, firstByte: number][] {
  return firstBytes.map((firstByte) => [firstByte.toString(16), firstByte]);
}

test('names the fifteen types', () => {
  const fromClient = [0x10, 0x3d, 0x40, 0x50, 0x62, 0x70, 0x82, 0xa2, 0xc0, 0xe0, 0xf0];
  expect(fromClient.map((firstByte) => checkFirstByte(firstByte, 5, 'client'))).toEqual([
    'connect',
    'publish',
    'puback',
    'pubrec',
    'pubrel',
    'pubcomp',
    'subscribe',
    'unsubscribe',
    'pingreq',
    'disconnect',
    'auth',
  ]);
  const fromServer = [0x20, 0x90, 0xb0, 0xd0];
  expect(fromServer.map((firstByte) => checkFirstByte(firstByte, 5, 'server'))).toEqual([
    'connack',
    'suback',
    'unsuback',
    'pingresp',
  ]);
  expect(firstByteOf('pubrel')).toBe(0x62);
  expect(firstByteOf('disconnect')).toBe(0xe0);
});

test('v5 type 0 is forbidden', () => {
  expect(protocolErrorOf(() => checkFirstByte(0x00, 5, 'client')).reasonCode).toBe(0x82);
});

test.each(named([0x20, 0x90, 0xb0, 0xd0]))('0x%s may not be sent by a client, but by a server', (_name, firstByte) => {
  expect(protocolErrorOf(() => checkFirstByte(firstByte, 5, 'client')).reasonCode).toBe(0x82);
  expect(checkFirstByte(firstByte, 5, 'server')).toBeDefined();
});

test.each(named([0x10, 0x82, 0xa2, 0xc0]))('0x%s may not be sent by a server, but by a client', (_name, firstByte) => {
  expect(protocolErrorOf(() => checkFirstByte(firstByte, 5, 'server')).reasonCode).toBe(0x82);
  expect(checkFirstByte(firstByte, 5, 'client')).toBeDefined();
});

test('AUTH and a DISCONNECT from the server exist in 5.0 only', () => {
  expect(checkFirstByte(0xf0, 5, 'client')).toBe('auth');
  expect(protocolErrorOf(() => checkFirstByte(0xf0, 4, 'client')).reasonCode).toBe(0x82);
  expect(checkFirstByte(0xe0, 5, 'server')).toBe('disconnect');
  expect(protocolErrorOf(() => checkFirstByte(0xe0, 4, 'server')).reasonCode).toBe(0x82);
  expect(checkFirstByte(0xe0, 3, 'client')).toBe('disconnect');
});

test.each(named([0x41, 0x52, 0x60, 0x63, 0x74, 0x80, 0x83, 0xa0, 0xc8, 0xe1, 0xf1]))(
  'v5 [MQTT-2.1.3-1] refuses reserved flags: 0x%s',
  (_name, firstByte) => {
    expect(protocolErrorOf(() => checkFirstByte(firstByte, 5, 'client')).reasonCode).toBe(0x81);
  },
);

test('MQTT 3.1 ignores unused flags and takes DUP where the packet has QoS 1', () => {
  for (const firstByte of [0x41, 0x5f, 0x7a, 0xc8, 0xe1]) expect(checkFirstByte(firstByte, 3, 'client')).toBeDefined();
  for (const firstByte of [0x6a, 0x63, 0x8a, 0xaa]) expect(checkFirstByte(firstByte, 3, 'client')).toBeDefined();
  // The same packets in 3.1.1.
  for (const firstByte of [0x41, 0x6a, 0x8a]) {
    expect(protocolErrorOf(() => checkFirstByte(firstByte, 4, 'client')).reasonCode).toBe(0x81);
  }
  // Without QoS 1 they are wrong in 3.1 too.
  for (const firstByte of [0x60, 0x80, 0xa4]) {
    expect(protocolErrorOf(() => checkFirstByte(firstByte, 3, 'client')).reasonCode).toBe(0x81);
  }
});
