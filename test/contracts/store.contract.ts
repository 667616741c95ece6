/** What every store promises (src/contracts/store.ts), run by the test of each implementation. */
import { describe, expect, test } from 'vitest';
import type { Fact, Store } from '../../src/contracts/store.ts';
import { canonical, Ledger } from '../durability/ledger.ts';
import { Random } from '../durability/random.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Lets the store finish what it has under way. */
  settle(): Promise<void>;
  /** The store of the next process, after this one was closed. */
  reopen(): Promise<StoreUnderTest>;
  /** The store of the next process, after this one was killed. */
  kill(): Promise<StoreUnderTest>;
}

/** @param isDurable - whether the store promises to keep anything */
export function describeStore(name: string, isDurable: boolean, open: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    function begin(subject: StoreUnderTest, seed: number): { ledger: Ledger; facts: Fact[] } {
      const facts = [...subject.store.restore()];
      const ledger = new Ledger(new Random(seed), facts);
      subject.store.attach(() => ledger.facts());
      return { ledger, facts };
    }

    test('a new store is empty and stands at 0', async () => {
      const { store } = await open();
      expect([...store.restore()]).toEqual([]);
      expect([store.position, store.committed]).toEqual([0, 0]);
      store.attach(() => []);
      await store.close();
    });

    test('positions grow with what is told, and committed never passes them', async () => {
      const subject = await open();
      const { store } = subject;
      const { ledger } = begin(subject, 1);
      const seen: number[] = [];
      store.onCommitted = () => {
        expect(store.committed).toBeLessThanOrEqual(store.position);
        seen.push(store.committed);
      };
      let before = 0;
      for (let count = 0; count < 50; count++) {
        ledger.step(store);
        expect(store.position).toBeGreaterThanOrEqual(before);
        before = store.position;
        if (count % 10 === 9) await subject.settle();
      }
      await subject.settle();

      expect(store.committed).toBe(store.position);
      expect(store.position > 0).toBe(isDurable);
      expect(seen).toEqual([...seen].sort((first, second) => first - second));
      expect(new Set(seen).size).toBe(seen.length);
      await store.close();
    });

    if (isDurable)
      test('everything told is there after a stop, with its messages before what refers to them', async () => {
        const subject = await open();
        const { ledger } = begin(subject, 2);
        for (let count = 0; count < 300; count++) ledger.step(subject.store);
        const state = canonical(ledger.facts());
        await subject.store.close();

        const next = await subject.reopen();
        const { facts } = begin(next, 3);
        expect(canonical(facts)).toBe(state);
        expectOrder(facts);
        await next.store.close();
      });

    if (isDurable)
      test('everything called safe is there after the process was killed', async () => {
        const subject = await open();
        const { ledger } = begin(subject, 4);
        for (let count = 0; count < 300; count++) ledger.step(subject.store);
        await subject.settle();
        expect(subject.store.committed).toBe(subject.store.position);
        const state = canonical(ledger.facts());

        const next = await subject.kill();
        const { facts } = begin(next, 5);
        expect(canonical(facts)).toBe(state);
        expectOrder(facts);
        await next.store.close();
      });

    if (isDurable)
      test('a snapshot while facts are told loses none of them', async () => {
        const subject = await open();
        const { ledger } = begin(subject, 6);
        for (let count = 0; count < 100; count++) ledger.step(subject.store);
        const snapshots = [subject.store.snapshot()];
        for (let count = 0; count < 100; count++) {
          ledger.step(subject.store);
          if (count % 20 === 0) {
            await subject.settle();
            snapshots.push(subject.store.snapshot());
          }
        }
        await Promise.all(snapshots);
        await subject.settle();
        const state = canonical(ledger.facts());

        const next = await subject.kill();
        const { facts } = begin(next, 7);
        expect(canonical(facts)).toBe(state);
        await next.store.close();
      });

    if (!isDurable)
      test('nothing is there after a stop', async () => {
        const subject = await open();
        const { ledger } = begin(subject, 2);
        for (let count = 0; count < 50; count++) ledger.step(subject.store);
        await subject.store.snapshot();
        await subject.store.close();

        const next = await subject.reopen();
        expect([...next.store.restore()]).toEqual([]);
      });
  });
}

function expectOrder(facts: readonly Fact[]): void {
  const messages = new Set<number>([0]);
  const sessions = new Set<string>();
  for (const fact of facts) {
    if (fact.kind === 'message') messages.add(fact.message.storeId);
    if (fact.kind === 'session') sessions.add(fact.clientId);
    if (fact.kind === 'delivery' || fact.kind === 'retained') expect(messages).toContain(fact.storeId);
    if ('clientId' in fact) expect(sessions).toContain(fact.clientId);
  }
}
