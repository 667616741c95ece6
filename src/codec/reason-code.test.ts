import { expect, test } from 'vitest';
import {
  mayCarry,
  ReasonCode,
  reasonCodeName,
  reasonCodeOfReturnCode,
  reasonCodes,
  returnCodeOf,
} from './reason-code.ts';

test('every code has one row and rows ascend', () => {
  const codes = reasonCodes.map((row) => row.code);
  expect(codes).toEqual([...codes].sort((a, b) => a - b));
  expect(new Set(codes)).toEqual(new Set(Object.values(ReasonCode)));
  expect(codes).toHaveLength(43);
});

test('says which packets may carry a code', () => {
  expect(mayCarry('puback', 0x10)).toBe(true);
  expect(mayCarry('pubrel', 0x10)).toBe(false);
  expect(mayCarry('pubcomp', 0x92)).toBe(true);
  expect(mayCarry('suback', 0x02)).toBe(true);
  expect(mayCarry('suback', 0x03)).toBe(false);
  expect(mayCarry('disconnect', 0x04)).toBe(true);
  expect(mayCarry('connack', 0x04)).toBe(false);
  expect(mayCarry('auth', 0x19)).toBe(true);
  expect(mayCarry('auth', 0xff)).toBe(false);
});

test('maps Reason Codes to the CONNACK return codes of 3.x and back', () => {
  expect([0x00, 0x84, 0x85, 0x88, 0x86, 0x87].map(returnCodeOf)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(returnCodeOf(ReasonCode.ServerBusy)).toBe(3);
  expect(returnCodeOf(ReasonCode.MalformedPacket)).toBeUndefined();
  expect([0, 1, 2, 3, 4, 5].map(reasonCodeOfReturnCode)).toEqual([0x00, 0x84, 0x85, 0x88, 0x86, 0x87]);
  expect(reasonCodeOfReturnCode(6)).toBe(0x80);
});

test('names codes as the standard prints them', () => {
  expect(reasonCodeName(0x00)).toBe('Success');
  expect(reasonCodeName(0x00, 'disconnect')).toBe('Normal disconnection');
  expect(reasonCodeName(0x00, 'suback')).toBe('Granted QoS 0');
  expect(reasonCodeName(0x8e)).toBe('Session taken over');
  expect(reasonCodeName(0xee)).toBe('0xEE');
});
