import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { systemClock, VirtualClock } from '../../src/base/clock.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import type { SyncLevel } from '../../src/store/journal-options.ts';
import { turns } from '../durability/lives.ts';
import { LineLog } from '../durability/quiet-logger.ts';
import { Random } from '../durability/random.ts';
import { SimulatedDisk } from '../durability/simulated-disk.ts';
import { waitFor } from '../harness/wait.ts';
import { describeStore, type StoreUnderTest } from './store.contract.ts';

const small = { autosaveIntervalSeconds: 0, autosaveOnChanges: false, segmentBytes: 1 << 16, compactBytes: 1 << 17 };

function simulated(disk: SimulatedDisk, level: SyncLevel): StoreUnderTest {
  const clock = new VirtualClock();
  const store = openFileStore({ ...small, path: '/data/mosquitto.db', clock, logger: new LineLog(), disk, level });
  return {
    store,
    async settle() {
      await turns(60);
      clock.advance(200);
      await turns(20);
    },
    reopen: async () => simulated(disk, level),
    kill: async () => simulated(disk.afterKill(), level),
  };
}

const levels: readonly SyncLevel[] = [{ kind: 'commit' }, { kind: 'interval', milliseconds: 100 }, { kind: 'os' }];
for (const level of levels) {
  describeStore(`file, ${level.kind}, on a simulated disk`, true, async () =>
    simulated(new SimulatedDisk(new Random(1)), level),
  );
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** On the machine's disk; a store that is left alone stands in for a killed one, reading a copy of its files. */
function real(directory: string): StoreUnderTest {
  const path = join(directory, 'mosquitto.db');
  const store = openFileStore({ ...small, path, clock: systemClock(), logger: new LineLog() });
  return {
    store,
    async settle() {
      await waitFor('everything to be safe', () => store.committed === store.position);
    },
    reopen: async () => real(directory),
    async kill() {
      const { cpSync } = await import('node:fs');
      const copy = newDirectory();
      cpSync(directory, copy, { recursive: true });
      await store.close();
      return real(copy);
    },
  };
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'moustique-store-'));
  directories.push(directory);
  return directory;
}

describeStore('file, on the disk of the machine', true, async () => real(newDirectory()));
