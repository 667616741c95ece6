import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { createMessage } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { type Batch, readBatch } from './batch.ts';
import { Recorder } from './recorder.ts';

const publisher = { clientId: 'sensor', username: null, listenerPort: 0 };

function newRecorder(filter = 'home/#') {
  const clock = new VirtualClock();
  const sent: Batch[] = [];
  const lines: string[] = [];
  const logger = { enabled: () => true, log: (_type: string, line: string) => void lines.push(line) };
  const rules = [{ filter, keepDays: null, maxBytes: null }];
  const recorder = new Recorder(rules, {
    clock,
    logger,
    nowMs: () => clock.nowMs(),
    send: (batch) => sent.push(batch),
  });
  const publish = (name: string, payload: string | Buffer) =>
    recorder.afterPublish(createMessage(Topic.of(name), publisher, { payload: Buffer.from(payload), qos: 1 }));
  const received = () =>
    sent.flatMap((batch) => [...readBatch(batch)].map(({ topic, payload }) => `${topic} ${payload}`));
  return { clock, recorder, sent, lines, publish, received };
}

test('messages of the filters are handed over together, soon after the first', () => {
  const { clock, recorder, sent, publish, received } = newRecorder();
  publish('home/t', '1');
  publish('other', '2');
  publish('home/t', '3');
  expect(sent).toHaveLength(0);
  expect(recorder.waiting).toEqual({ messages: 2, bytes: 44, lagMs: 0 });

  clock.advance(100);

  expect(sent).toHaveLength(1);
  expect(received()).toEqual(['home/t 1', 'home/t 3']);
  clock.advance(50);
  expect(recorder.waiting).toEqual({ messages: 2, bytes: 44, lagMs: 50 });
  recorder.done(2);
  expect(recorder.waiting).toEqual({ messages: 0, bytes: 0, lagMs: 0 });
});

test('a batch that is full goes at once, and the next ones are larger', () => {
  const { clock, sent, publish } = newRecorder();
  for (let count = 0; count < 500; count++) publish('home/t', 'x'.repeat(100));
  clock.advance(100);
  expect(sent.map(({ count }) => count)).toEqual([33, 66, 132, 264, 5]);
});

test('more messages than may wait are counted, told once a minute, and welcome again when there is room', () => {
  const { clock, recorder, lines, publish } = newRecorder();
  for (let count = 0; count < 50_003; count++) publish('home/t', '1');
  expect(recorder.dropped).toBe(3);
  expect(lines).toEqual([
    'Warning: History: messages were not kept (1): larger than 4 MiB, or more than the disk takes.',
  ]);
  clock.advance(60_000);
  expect(lines.slice(1)).toEqual([
    'Warning: History: messages were not kept (2): larger than 4 MiB, or more than the disk takes.',
  ]);

  recorder.done(10);
  publish('home/t', '1');
  expect(recorder.dropped).toBe(3);
  expect(recorder.waiting.messages).toBe(49_991);
});

test('more bytes than may wait are counted, and a message that is too large', () => {
  const { recorder, publish } = newRecorder();
  publish('home/t', Buffer.alloc(4 * 1024 * 1024 + 1));
  expect(recorder.dropped).toBe(1);
  for (let count = 0; count < 4; count++) publish('home/t', Buffer.alloc(4 * 1024 * 1024 - 100));
  expect(recorder.dropped).toBe(1);
  publish('home/t', Buffer.alloc(1000));
  expect(recorder.dropped).toBe(2);
  expect(recorder.waiting.messages).toBe(4);
});

test('what a worker that died had is counted', () => {
  const { clock, recorder, publish } = newRecorder();
  publish('home/t', '1');
  clock.advance(100);
  publish('home/t', '2');
  recorder.lost();
  expect(recorder.dropped).toBe(2);
  expect(recorder.waiting).toEqual({ messages: 0, bytes: 0, lagMs: 0 });
});

test('new rules hold for topics that were seen before', () => {
  const { clock, recorder, publish, received } = newRecorder();
  publish('other', '1');
  recorder.changeRules([{ filter: 'other', keepDays: null, maxBytes: null }]);
  expect(recorder.watches('other')).toBe(true);
  expect(recorder.watches('home/t')).toBe(false);
  publish('other', '2');
  publish('home/t', '3');
  clock.advance(100);
  expect(received()).toEqual(['other 2']);
});
