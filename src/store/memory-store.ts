import type { Store } from '../contracts/store.ts';

/** The store that keeps nothing: every position is 0, so no ack ever waits, and nothing is restored. */
export function createMemoryStore(): Store {
  const nothing = (): void => {};
  return {
    position: 0,
    committed: 0,
    onCommitted: null,
    trouble: null,
    onTrouble: null,
    sessionPut: nothing,
    sessionRemoved: nothing,
    subscriptionPut: nothing,
    subscriptionRemoved: nothing,
    deliveryPut: nothing,
    deliveryReleased: nothing,
    deliveryRemoved: nothing,
    receivedPut: nothing,
    receivedRemoved: nothing,
    retainedPut: nothing,
    retainedRemoved: nothing,
    willPut: nothing,
    willRemoved: nothing,
    restore: () => [],
    attach: nothing,
    snapshot: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
