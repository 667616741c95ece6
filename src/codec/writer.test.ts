import { expect, test } from 'vitest';
import { PacketTooLong, packetWriter } from './writer.ts';

test('v5 [MQTT-1.5.5-1] a packet above the largest Remaining Length cannot be written', () => {
  expect(() => packetWriter(0x30, 268_435_456)).toThrow(PacketTooLong);
  expect(packetWriter(0xc0, 0).finish()).toEqual(Buffer.from([0xc0, 0x00]));
});
