import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Message } from '../contracts/message.ts';
import { Topic } from '../topics/topic.ts';
import { ReceivedMessages } from './received-messages.ts';

const message = (): Message => {
  return new Message(Topic.of('t'), { clientId: 'p', username: null, listenerPort: 0 });
};
const byId = (entries: Iterable<readonly [number, Message | null]>) => [...entries].sort(([a], [b]) => a - b);

/** Identifiers that meet in one place of every small table, and any others. */
const packetId = fc.oneof(
  fc.integer({ min: 1, max: 65_535 }),
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 0, max: 63 }).map((step) => step * 1024 + 7),
);

test('does what a Map does, whatever the identifiers', () => {
  const step = fc.record({ what: fc.constantFrom('set', 'silent', 'take', 'take'), packetId });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const received = new ReceivedMessages();
      const map = new Map<number, Message | null>();
      for (const { what, packetId } of steps) {
        if (what === 'take') {
          expect(received.take(packetId)).toBe(map.get(packetId));
          map.delete(packetId);
        } else {
          const value = what === 'silent' ? null : message();
          received.set(packetId, value);
          map.set(packetId, value);
        }
        expect(received.has(packetId)).toBe(map.has(packetId));
        expect(received.size).toBe(map.size);
      }
      for (const [packetId, value] of map) expect(received.get(packetId)).toBe(value);
      expect(byId(received.entries())).toEqual(byId(map));
    }),
  );
});

test('takes all identifiers there are, and lets go of them', () => {
  const received = new ReceivedMessages();
  const one = message();
  for (let packetId = 65_535; packetId > 0; packetId--) received.set(packetId, one);
  expect(received.size).toBe(65_535);
  let taken = 0;
  for (let packetId = 1; packetId < 65_536; packetId++) if (received.take(packetId) === one) taken++;
  expect(taken).toBe(65_535);
  expect(received.entries()).toEqual([]);
  received.set(9, null);
  expect(received.entries()).toEqual([[9, null]]);
});
