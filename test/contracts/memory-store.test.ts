import { createMemoryStore } from '../../src/store/memory-store.ts';
import { describeStore, type StoreUnderTest } from './store.contract.ts';

function subject(): StoreUnderTest {
  return {
    store: createMemoryStore(),
    settle: () => Promise.resolve(),
    reopen: () => Promise.resolve(subject()),
    kill: () => Promise.resolve(subject()),
  };
}

describeStore('memory', false, () => Promise.resolve(subject()));
