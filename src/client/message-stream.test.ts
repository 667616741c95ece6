import { expect, test } from 'vitest';
import type { PublishPacket } from '../codec/packet.ts';
import { MessageStream } from './message-stream.ts';

const message = (text: string): PublishPacket => ({
  type: 'publish',
  topic: 'a',
  payload: Buffer.from(text),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: {},
});

function bench() {
  const calls: string[] = [];
  const stream = new MessageStream(
    () => calls.push('resume'),
    () => calls.push('return'),
  );
  return { stream, calls };
}

test('gives out what came before and after it was asked for, and ends', async () => {
  const { stream } = bench();
  stream.push(message('one'));
  const texts: string[] = [];
  const loop = (async () => {
    for await (const { payload } of stream) texts.push(payload.toString());
  })();
  stream.push(message('two'));
  await Promise.resolve();
  stream.push(message('three'));
  stream.end();
  await loop;
  expect(texts).toEqual(['one', 'two', 'three']);
});

test('asks for a pause when a thousand wait, and goes on when half are taken', async () => {
  const { stream, calls } = bench();
  for (let index = 1; index < 1000; index++) expect(stream.push(message('x'))).toBe(true);
  expect(stream.push(message('x'))).toBe(false);
  for (let index = 0; index < 499; index++) await stream.next();
  expect(calls).toEqual([]);
  await stream.next();
  expect(calls).toEqual(['resume']);
});

test('asks for a pause when much waits', () => {
  const { stream } = bench();
  expect(stream.push(message('x'.repeat(4 * 1024 * 1024)))).toBe(false);
});

test('leaving the loop lets go of everything', async () => {
  const { stream, calls } = bench();
  for (let index = 0; index < 1000; index++) stream.push(message('x'));
  for await (const _ of stream) break;
  expect(calls).toEqual(['return', 'resume']);
});
