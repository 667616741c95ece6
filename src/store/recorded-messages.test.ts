import { expect, test } from 'vitest';
import { createMessage } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { RecordedMessages } from './recorded-messages.ts';

function message(storeId: number) {
  const topic = Topic.of('t');
  const made = createMessage(topic, { clientId: '', username: null, listenerPort: 0 }, { payload: Buffer.alloc(0) });
  made.storeId = storeId;
  return made;
}

test('a message is to be written the first time it is referred to', () => {
  const recorded = new RecordedMessages();
  expect([1, 2, 9000, 1, 2, 9000, 3].map((id) => recorded.note(message(id)))).toEqual([
    ...[true, true, true, false, false, false, true],
  ]);
});

test('a journal that begins anew has none of the earlier ones', () => {
  const recorded = new RecordedMessages();
  for (const id of [1, 2, 3, 4]) recorded.note(message(id));
  recorded.restart();

  // The snapshot need not have it any more when something new refers to it.
  expect(recorded.note(message(3))).toBe(true);
  expect(recorded.note(message(3))).toBe(false);
  expect(recorded.note(message(5))).toBe(true);
  expect(recorded.note(message(5))).toBe(false);
  expect(recorded.highest).toBe(5);
});

test('an id far away is written each time rather than remembered', () => {
  const recorded = new RecordedMessages();
  expect(recorded.note(message(1e9))).toBe(true);
  expect(recorded.note(message(1e9))).toBe(true);
  // The next beginning brings the ids near again.
  recorded.restart();
  expect(recorded.note(message(1e9 + 1))).toBe(true);
  expect(recorded.note(message(1e9 + 1))).toBe(false);
});

test('ids that were restored count as given out', () => {
  const recorded = new RecordedMessages();
  recorded.seen(4);
  recorded.seen(2);
  recorded.restart();
  expect([recorded.highest, recorded.note(message(5)), recorded.note(message(5))]).toEqual([4, true, false]);
});
