import { expect, test } from 'vitest';
import { createMessage } from '../contracts/message.ts';
import { RecordedMessages } from './recorded-messages.ts';

function message(storeId: number) {
  const topic = { name: 't', bytes: Buffer.from('t') };
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

test('after a snapshot only what it holds counts as written', () => {
  const recorded = new RecordedMessages();
  for (const id of [1, 2, 3, 4]) recorded.note(message(id));
  recorded.rebase(Float64Array.of(4, 2));

  expect(recorded.note(message(2))).toBe(false);
  expect(recorded.note(message(4))).toBe(false);
  // Nobody durable held these at that moment, so the snapshot left them out.
  expect(recorded.note(message(3))).toBe(true);
  expect(recorded.note(message(3))).toBe(false);
  expect(recorded.note(message(5))).toBe(true);
  expect(recorded.note(message(5))).toBe(false);
});

test('an id far away is written each time rather than remembered', () => {
  const recorded = new RecordedMessages();
  expect(recorded.note(message(1e9))).toBe(true);
  expect(recorded.note(message(1e9))).toBe(true);
  // The next snapshot brings the ids near again.
  recorded.rebase(Float64Array.of(1e9));
  expect(recorded.note(message(1e9))).toBe(false);
  expect(recorded.note(message(1e9 + 1))).toBe(true);
  expect(recorded.note(message(1e9 + 1))).toBe(false);
});
