/** Deliveries that end before their group is sealed, and groups that gather under load. */
import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/base/clock.ts';
import type { Message } from '../../src/contracts/message.ts';
import type { Fact } from '../../src/contracts/store.ts';
import { Life, turns } from './lives.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const session = {
  ...{ clientId: 'c', username: null, listenerPort: 1, expiryIntervalSeconds: 60, expiresAtMs: 0 },
  lastSequence: 0,
};

/** A store with one session, at rest. */
async function begin(seed: number) {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const life = new Life(disk, random, { compactBytes: 1 << 30 });
  life.store.attach(() => []);
  await life.settle();
  life.store.sessionPut(session);
  await life.settle();
  expect(life.committed).toBe(life.store.position);
  let storeId = 0;
  const next = (): Message => {
    const message = life.ledger.message(1, false);
    message.storeId = ++storeId;
    return message;
  };
  return { life, disk, next };
}

/** What a start finds after the process was killed. */
async function afterKill(disk: SimulatedDisk): Promise<Fact[]> {
  disk.end();
  await turns(3);
  const random = new Random(99);
  const store = new Life(disk.afterKill(), random);
  const found = [...store.ledger.facts()];
  store.disk.end();
  await turns(2);
  return found;
}

const ofKind = <Kind extends Fact['kind']>(facts: Fact[], kind: Kind): Extract<Fact, { kind: Kind }>[] =>
  facts.filter((fact): fact is Extract<Fact, { kind: Kind }> => fact.kind === kind);

test('of a delivery that came and went within a group the journal keeps the number, nothing else', async () => {
  const { life, disk, next } = await begin(1);
  const bytesBefore = life.store.journalBytes;
  for (let sequence = 1; sequence <= 100; sequence++) life.store.deliveryPut('c', sequence, next(), 1, false, null);
  for (let sequence = 1; sequence <= 100; sequence++) {
    if (sequence !== 40) life.store.deliveryRemoved('c', sequence);
  }
  await life.settle();

  expect(life.committed).toBe(life.store.position);
  expect(life.store.journalBytes - bytesBefore).toBeLessThan(1000);
  const facts = await afterKill(disk);
  expect(ofKind(facts, 'session').map(({ lastSequence }) => lastSequence)).toEqual([100]);
  expect(ofKind(facts, 'delivery').map(({ sequence, storeId }) => [sequence, storeId])).toEqual([[40, 40]]);
  expect(ofKind(facts, 'message').map(({ message }) => message.storeId)).toEqual([40]);
});

test('one that goes after its group was sealed is removed by a record of its own', async () => {
  const { life, disk, next } = await begin(2);
  life.store.deliveryPut('c', 1, next(), 1, false, null);
  await life.settle();
  life.store.deliveryPut('c', 2, next(), 1, false, null);
  life.store.deliveryRemoved('c', 1);
  await life.settle();

  const facts = await afterKill(disk);
  expect(ofKind(facts, 'delivery').map(({ sequence }) => sequence)).toEqual([2]);
});

test('what is told in between finds the deliveries before it written', async () => {
  const { life, disk, next } = await begin(3);
  const message = next();
  life.store.deliveryPut('c', 1, message, 1, false, null);
  life.store.retainedPut(message);
  life.store.deliveryRemoved('c', 1);
  life.store.deliveryPut('c', 2, next(), 1, false, null);
  life.store.sessionRemoved('c');
  life.store.sessionPut(session);
  await life.settle();

  const facts = await afterKill(disk);
  expect(ofKind(facts, 'delivery')).toEqual([]);
  expect(ofKind(facts, 'retained').map(({ storeId }) => storeId)).toEqual([1]);
  expect(ofKind(facts, 'session').map(({ lastSequence }) => lastSequence)).toEqual([0]);
});

test('a snapshot that saw the delivery does not bring it back', async () => {
  const { life, disk, next } = await begin(4);
  const message = next();
  life.store.attach(function* () {
    // The walk is in the middle of the state when a delivery comes, is seen, and goes.
    life.store.deliveryPut('c', 1, message, 1, false, null);
    life.store.deliveryPut('c', 2, message, 1, false, null);
    yield { kind: 'message', message };
    yield { kind: 'session', ...session };
    yield {
      ...{
        kind: 'delivery',
        clientId: 'c',
        direction: 'out',
        storeId: 1,
        sequence: 1,
        qos: 1,
        retain: false,
        dup: false,
      },
      ...{ state: 3, subscriptionIds: [] },
    };
    life.store.deliveryRemoved('c', 1);
    life.store.deliveryRemoved('c', 2);
  });
  const saved = life.store.snapshot();
  await life.settle();
  await saved;

  expect(ofKind(await afterKill(disk), 'delivery')).toEqual([]);
});

test('deliveries held back are kept when the disk fails, and come with the next group that it takes', async () => {
  const { life, disk, next } = await begin(5);
  disk.onCall = () => {
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  };
  life.store.deliveryPut('c', 1, next(), 1, false, null);
  await turns(2);
  life.store.deliveryPut('c', 2, next(), 1, false, null);
  life.store.deliveryRemoved('c', 1);
  await turns(20);
  expect(life.store.trouble).toBe('EIO');
  disk.onCall = null;
  life.clock.advance(1100);
  await life.settle();

  expect(life.store.trouble).toBe(null);
  expect(life.committed).toBe(life.store.position);
  expect(ofKind(await afterKill(disk), 'delivery').map(({ sequence }) => sequence)).toEqual([2]);
});

test('after a large group the next one gathers for two milliseconds, unless somebody waits for the disk', async () => {
  const { life } = await begin(6);
  expect(life.clock).toBeInstanceOf(VirtualClock);
  const tell = (count: number): void => {
    for (let told = 0; told < count; told++) life.store.sessionRemoved('nobody');
  };
  tell(700);
  await turns(20);
  expect(life.committed).toBe(life.store.position);
  tell(1);
  await turns(20);
  expect(life.committed).toBe(life.store.position - 1);
  tell(1);
  life.clock.advance(1);
  await turns(20);
  expect(life.committed).toBe(life.store.position - 2);
  life.clock.advance(1);
  await turns(20);
  expect(life.committed).toBe(life.store.position);
  // The group before was a small one.
  tell(1);
  await turns(20);
  expect(life.committed).toBe(life.store.position);

  tell(700);
  await turns(20);
  tell(1);
  const closed = life.store.close();
  await turns(60);
  await closed;
  expect(life.store.committed).toBe(life.store.position);
});
