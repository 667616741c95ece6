import { expect, test } from 'vitest';
import type { NewMessage } from '../archive.ts';
import { numbersIn, storedPayload } from '../numbers.ts';
import { lineOf, linePrefix } from './line-protocol.ts';

function line(topic: string, payload: string | Buffer, prefix = linePrefix('mqtt', {})): string | undefined {
  const stored = storedPayload(Buffer.from(payload));
  const message: NewMessage = {
    ...{ at: 1_800_000_000_000_001, topic, clientId: '', qos: 0, retain: false },
    ...{ payload: stored, numbers: numbersIn(stored) },
  };
  return lineOf(prefix, message);
}

test('numbers are fields, text is a string, time is in nanoseconds', () => {
  expect(line('a/b', '21.5')).toBe('mqtt,topic=a/b value=21.5 1800000000000001000');
  expect(line('a/b', '7')).toBe('mqtt,topic=a/b value=7 1800000000000001000');
  expect(line('a/b', '{"t":1,"s":{"h":2.5},"on":true}')).toBe('mqtt,topic=a/b t=1,s.h=2.5,on=1 1800000000000001000');
  expect(line('a/b', 'Bonjour')).toBe('mqtt,topic=a/b payload="Bonjour" 1800000000000001000');
});

test('what cannot be sent is left out: nothing, bytes, very long texts', () => {
  expect(line('a', '')).toBeUndefined();
  expect(line('a', Buffer.from([0xff]))).toBeUndefined();
  expect(line('a', 'x'.repeat(60_001))).toBeUndefined();
});

test('tags of the configuration come first, sorted', () => {
  const prefix = linePrefix('my data,x', { site: 'at home', area: 'a=b' });
  expect(line('a', '1', prefix)).toBe('my\\ data\\,x,area=a\\=b,site=at\\ home,topic=a value=1 1800000000000001000');
});

test.each([
  ['a b', 'a\\ b'],
  ['a,b=c', 'a\\,b\\=c'],
  ['a\\b', 'a\\b'],
  // Servers disagree about a backslash in front of a separator, and none can write one at the end.
  ['a\\', 'a'],
  ['a\\\\', 'a'],
  ['a\\,b', 'a\\,b'],
  ['\\', '_'],
  ['a\nmqtt,topic=x value=1', 'a\\ mqtt\\,topic\\=x\\ value\\=1'],
  ['été', 'été'],
])('the topic %j is written %j', (topic, written) => {
  expect(line(topic, '1')).toBe(`mqtt,topic=${written} value=1 1800000000000001000`);
});

test('the path of a number is escaped like a tag', () => {
  expect(line('a', '{"a b":1,"c,d":2,"e=f":3}')).toBe(
    'mqtt,topic=a ["a\\ b"]=1,["c\\,d"]=2,["e\\=f"]=3 1800000000000001000',
  );
});

test('no text ends its line or its quotes', () => {
  expect(line('a', 'x" 1\nmqtt value=2\\')).toBe(
    'mqtt,topic=a payload="x\\" 1\\\\nmqtt value=2\\\\" 1800000000000001000',
  );
});
