import { expect, test } from 'vitest';
import { protocolErrorOf } from '../../test/harness/codec.ts';
import { validateTopicNameBytes } from './topic-name-bytes.ts';

function check(topic: string | Buffer): void {
  const name = Buffer.from(topic as string);
  validateTopicNameBytes(name, 0, name.length);
}

test.each(['a', '/', 'maison/salon/temp', '$SYS/broker', ' ', 'é/😀', '/'.repeat(200), 'x'.repeat(65_535)])(
  'takes %.40s',
  (topic) => expect(() => check(topic)).not.toThrow(),
);

test.each([
  ['v5 [MQTT-4.7.3-1] the empty name', ''],
  ['v5 [MQTT-3.3.2-2] a #', 'a/#'],
  ['v5 [MQTT-3.3.2-2] a +', 'a/+/b'],
  ['v5 [MQTT-3.3.2-2] a wildcard inside a level', 'a+b'],
  ['v5 [MQTT-4.7.3-2] NUL', 'a\u0000'],
  ['201 slashes', '/'.repeat(201)],
  ['65,535 slashes', '/'.repeat(65_535)],
  ['ill-formed bytes', Buffer.from([0x61, 0xc3])],
])('refuses %s with 0x81', (_name, topic) => {
  expect(protocolErrorOf(() => check(topic)).reasonCode).toBe(0x81);
});

test('looks at nothing outside the range', () => {
  const buf = Buffer.from('#a/b#');
  expect(() => validateTopicNameBytes(buf, 1, 4)).not.toThrow();
  expect(protocolErrorOf(() => validateTopicNameBytes(buf, 1, 5)).statement).toBe('MQTT-3.3.2-2');
});
