import { expect, test } from 'vitest';
import { Topic, TopicBlocks } from './topic.ts';

test('a topic is its bytes, and has a text when it is asked for one', () => {
  const bytes = Buffer.from('..é/b..');
  const topic = new Topic(bytes, 2, 4);
  expect(topic.name).toBe('é/b');
  expect(topic.is(Buffer.from('xé/bx'), 1, 5)).toBe(true);
  expect(topic.is(Buffer.from('é/c'), 0, 4)).toBe(false);
  expect(topic.is(Buffer.from('é/bc'), 0, 5)).toBe(false);
  expect(Topic.of('é/b').is(bytes, 2, 6)).toBe(true);
});

test('its bytes may change their place', () => {
  const first = Buffer.from('a/b');
  const topic = new Topic(first, 0, 3);
  const other = Buffer.alloc(8);
  topic.moveTo(other, 5);
  first.fill(0);
  expect([topic.source, topic.start, topic.name]).toEqual([other, 5, 'a/b']);
});

test('topics lie side by side in blocks; a long one has a block of its own', () => {
  const blocks = new TopicBlocks();
  const [one, two] = [blocks.of('é/1'), blocks.copy(Buffer.from('xa/2'), 1, 4)];
  expect([one.source, one.start, two.start]).toEqual([two.source, 0, 4]);
  const long = 'x'.repeat(5000);
  const three = blocks.copy(Buffer.from(long), 0, 5000);
  expect(three.source).not.toBe(two.source);
  expect(three.source.length).toBe(5000);
  expect(blocks.of('b').source).not.toBe(three.source);
  expect([one.name, two.name, three.name]).toEqual(['é/1', 'a/2', long]);
  const taken = Topic.of('c/d');
  blocks.take(taken);
  expect([taken.start, taken.name]).toEqual([1, 'c/d']);
});
