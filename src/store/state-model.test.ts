import { expect, test } from 'vitest';
import { createMessage } from '../contracts/message.ts';
import { DeliveryState } from '../contracts/store.ts';
import { Topic } from '../topics/topic.ts';
import { StateModel } from './state-model.ts';

function messageOf(storeId: number) {
  const topic = Topic.of('t');
  const message = createMessage(
    topic,
    { clientId: 'p', username: null, listenerPort: 1 },
    { payload: Buffer.alloc(1) },
  );
  message.storeId = storeId;
  return message;
}

/** A model of a snapshot in which QoS 0 messages wait for one client. */
function modelWith(...storeIds: readonly number[]): StateModel {
  const model = new StateModel();
  for (const storeId of new Set(storeIds)) model.add({ kind: 'message', message: messageOf(storeId) });
  const session = { username: null, listenerPort: 1, expiryIntervalSeconds: 60, expiresAtMs: 0, lastSequence: 0 };
  model.add({ kind: 'session', clientId: 'c', ...session });
  for (const storeId of storeIds) {
    model.add({
      ...{ kind: 'delivery', clientId: 'c', direction: 'out', storeId, sequence: 0, qos: 0, retain: false, dup: false },
      ...{ state: DeliveryState.queued, subscriptionIds: [] },
    });
  }
  return model;
}

const waiting = (model: StateModel): number[] =>
  [...model.facts(0, true)].flatMap((fact) => (fact.kind === 'delivery' ? [fact.storeId] : []));

test('a QoS 0 message that came while the snapshot was written is there once', () => {
  const model = modelWith(1, 2, 2);
  model.message(messageOf(2));
  model.deliveryPut('c', 0, 2, 0, false, []);
  model.deliveryPut('c', 0, 2, 0, false, []);
  model.message(messageOf(3));
  model.deliveryPut('c', 0, 3, 0, false, []);
  expect(waiting(model)).toEqual([1, 2, 2, 3]);
});

test('after they were sent another one of the same message counts', () => {
  const model = modelWith(1);
  model.deliveryRemoved('c', 0);
  model.message(messageOf(1));
  model.deliveryPut('c', 0, 1, 0, false, []);
  expect(waiting(model)).toEqual([1]);
});

test('deliveries are told by their numbers, in whatever order they were put', () => {
  const model = modelWith();
  model.message(messageOf(1));
  for (const sequence of [70, 3, 200, 4]) model.deliveryPut('c', sequence, 1, 1, false, []);
  model.deliveryRemoved('c', 200);
  const sequences = [...model.facts(0, true)].flatMap((fact) => (fact.kind === 'delivery' ? [fact.sequence] : []));
  expect(sequences).toEqual([3, 4, 70]);
});
