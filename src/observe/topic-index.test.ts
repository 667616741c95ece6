import { expect, test } from 'vitest';
import { createMessage, type Message } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { firstNumber } from './first-number.ts';
import { NumberRings, ringLength } from './number-rings.ts';
import { rateOf, TopicIndex, type TopicRecord } from './topic-index.ts';

const publisher = { clientId: 'c', username: null, listenerPort: 1883 };

function topicOf(name: string): Topic {
  return Topic.of(name);
}

function message(topic: string | Topic, payload: string): Message {
  return createMessage(typeof topic === 'string' ? topicOf(topic) : topic, publisher, {
    payload: Buffer.from(payload),
  });
}

/** An index whose clock the test moves. */
function newIndex(bytesMax = 1024 * 1024): { index: TopicIndex; clock: { nowMs: number } } {
  const clock = { nowMs: 1_000_000 };
  return { index: new TopicIndex(bytesMax, () => clock.nowMs), clock };
}

test('last value, count and time of a topic; the mark finds it again, a new topic object too', () => {
  const { index, clock } = newIndex();
  const topic = topicOf('a/b');
  index.afterPublish(message(topic, '1'));
  clock.nowMs += 10;
  index.afterPublish(message(topic, 'two'));
  index.afterPublish(message('a/b', 'three'));
  const record = index.find('a/b') as TopicRecord;
  expect(topic.mark).toBe(record);
  expect(record).toMatchObject({ count: 3, sizeBytes: 5, lastMs: 1_000_010 });
  expect(index.preview(record)).toBe('three');
  expect(index.count).toBe(1);
  expect(index.node('a')?.topics).toBe(1);
});

test('requests to $CONTROL, which may hold passwords, are not kept', () => {
  const { index } = newIndex();
  index.afterPublish(message('$CONTROL/dynamic-security/v1', 'secret'));
  index.afterPublish(message('$SYS/broker/uptime', '1'));
  expect(index.find('$CONTROL/dynamic-security/v1')).toBeUndefined();
  expect(index.count).toBe(1);
});

test('above the budget the topics that were quiet longest go, with the nodes that lead nowhere else', () => {
  const { index, clock } = newIndex(20_000);
  for (let number = 0; number < 10; number++) index.afterPublish(message(`old/${number}/x`, 'x'));
  clock.nowMs += 1000;
  // Used again: it may stay.
  index.afterPublish(message('old/3/x', 'again'));
  for (let number = 0; number < 200 && index.evicted < 9; number++) index.afterPublish(message(`new/${number}`, 'x'));
  expect(index.bytes).toBeLessThanOrEqual(20_000);
  expect(index.node('old')?.topics).toBe(1);
  expect([...(index.node('old')?.children?.keys() ?? [])]).toEqual(['3']);
  expect(index.find('old/3/x')?.count).toBe(2);
  expect([...index.records()].every(({ isGone }) => !isGone)).toBe(true);
  expect([...index.records()]).toHaveLength(index.count);
});

test('a topic that was forgotten begins anew, whatever its mark says', () => {
  const { index } = newIndex(3000);
  const topic = topicOf('first');
  index.afterPublish(message(topic, 'x'));
  for (let number = 0; number < 20; number++) index.afterPublish(message(`other/${number}`, 'x'));
  expect((topic.mark as TopicRecord).isGone).toBe(true);
  index.afterPublish(message(topic, 'back'));
  const again = index.find('first') as TopicRecord;
  expect([again.count, index.preview(again)]).toEqual([1, 'back']);
});

test('bytes are those of the records, through growth and a smaller budget', () => {
  const { index } = newIndex();
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 50; number++) index.afterPublish(message(`t/${number}`, 'x'.repeat(round * 300)));
  }
  expect([...index.records()].reduce((sum, { bytes }) => sum + bytes, 0)).toBe(index.bytes);
  index.bytesMax = 10_000;
  expect(index.bytes).toBeLessThanOrEqual(10_000);
  index.bytesMax = 0;
  expect(index.count).toBe(1);
});

test('numbers are kept twice a second, sixty of them', () => {
  const { index, clock } = newIndex();
  const topic = topicOf('t');
  for (let number = 0; number < 400; number++) {
    index.afterPublish(message(topic, String(number)));
    clock.nowMs += 250;
  }
  const record = index.find('t') as TopicRecord;
  expect(index.numbers(record)).toEqual(Array.from({ length: ringLength }, (_, step) => 280 + 2 * step));
  expect(index.numbers(record, index.rings.added(record.ring) - 1)).toEqual([398]);
});

test('the rate follows what passes, and falls to nothing', () => {
  const { index, clock } = newIndex();
  const topic = topicOf('t');
  for (let step = 0; step < 600; step++) {
    index.afterPublish(message(topic, 'x'));
    clock.nowMs += 100;
  }
  const record = index.find('t') as TopicRecord;
  expect(rateOf(record, clock.nowMs)).toBeCloseTo(10, 0);
  clock.nowMs += 3_600_000;
  expect(rateOf(record, clock.nowMs)).toBeLessThan(0.01);
});

test('a tap gets the messages it wants; whole messages are kept while somebody looks', () => {
  const { index } = newIndex();
  const taken: string[] = [];
  const tap = {
    wants: (topic: string) => topic.startsWith('a/'),
    take: ({ topic }: Message) => taken.push(topic.name),
  };
  index.addTap(tap);
  for (const topic of ['a/1', 'b/1', 'a/2']) index.afterPublish(message(topic, 'x'));
  index.removeTap(tap);
  index.afterPublish(message('a/1', 'x'));
  expect(taken).toEqual(['a/1', 'a/2']);
  const record = index.find('a/1') as TopicRecord;
  index.watch(record);
  index.afterPublish(message('a/1', 'y'.repeat(1000)));
  expect(record.whole?.payloadLength).toBe(1000);
  index.unwatch(record);
  expect(record.whole).toBeNull();
});

test('the beginning of a payload as text: cut in the middle of a character, and what is no text', () => {
  const { index } = newIndex();
  const beginning = (payload: Buffer): string | null => {
    index.afterPublish(createMessage(topicOf('t'), publisher, { payload }));
    return index.previewText(index.find('t') as TopicRecord);
  };
  for (let before = 246; before <= 256; before++) {
    const text = `${'x'.repeat(before)}aé€😀`;
    const shown = beginning(Buffer.from(text));
    expect(text.startsWith(shown ?? '-')).toBe(true);
    expect(Buffer.byteLength(shown ?? '')).toBeGreaterThan(252);
  }
  expect(beginning(Buffer.from('aé€😀'))).toBe('aé€😀');
  expect(beginning(Buffer.from([0xff, 0xfe]))).toBeNull();
  expect(beginning(Buffer.from('a\0'))).toBeNull();
  expect(beginning(Buffer.from([0x61, 0xc3]))).toBeNull();
  expect(beginning(Buffer.alloc(0))).toBe('');
});

test.each([
  ['21.5', 21.5],
  [' -3 ', -3],
  ['1e3', 1000],
  ['+7', 7],
  ['.5', 0.5],
  ['123456789012345678', 123_456_789_012_345_680],
  ['{"t":20.5,"h":3}', 20.5],
  ['{"name":"a:1","t": -4}', -4],
  ['{"q":"\\"5","t":6}', 6],
  ['[1,2]', 1],
  ['{"a":{"b":[true, 9]}}', 9],
  ['{"id":"42"}', Number.NaN],
  ['{"5":"x"}', Number.NaN],
  ['', Number.NaN],
  ['on', Number.NaN],
  ['1.2.3', Number.NaN],
  ['12 C', Number.NaN],
  ['-', Number.NaN],
  ['2026-11-27', Number.NaN],
  ['0x10', Number.NaN],
])('the number in %j', (text, number) => {
  const bytes = Buffer.from(`..${text}..`);
  expect(firstNumber(bytes, 2, bytes.length - 2)).toBe(number);
});

test('rings that were given back are used again, empty', () => {
  const rings = new NumberRings();
  const taken = Array.from({ length: 300 }, () => rings.take());
  expect(new Set(taken).size).toBe(300);
  rings.add(taken[5] as number, 1);
  rings.giveBack(taken[5] as number);
  const again = rings.take();
  expect(again).toBe(taken[5]);
  expect(rings.valuesFrom(again, 0)).toEqual([]);
  rings.add(again, 23.1);
  expect(rings.valuesFrom(again, 0)).toEqual([23.1]);
});
