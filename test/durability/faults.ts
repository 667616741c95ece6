/**
 * Stores that are wrong on purpose, to show that a sweep finds what it is there to find. Each is a right store with a disk, or
 * with ears, that leave out the one thing.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Disk, WritableFile } from '../../src/store/disk.ts';
import { ProcessEnd } from './simulated-disk.ts';

export interface Fault {
  /** Stands between the store and the disk. */
  disk?(disk: Disk): Disk;
  /** The store does not hear of these. */
  readonly verbsLeftOut?: readonly string[];
}

export const faults = {
  'acknowledges before the write': {
    disk: (disk) => onFiles(disk, (file) => ({ ...file, write: async (...args) => void later(file.write, args) })),
  },
  'acknowledges before the sync': {
    disk: (disk) => onFiles(disk, (file) => ({ ...file, sync: async () => void later(file.sync, []) })),
  },
  'never syncs': { disk: (disk) => onFiles(disk, (file) => ({ ...file, sync: async () => {} })) },
  'never syncs a directory': { disk: (disk) => changed(disk, { syncDirectory: async () => {} }) },
  'takes a failed write for a write': {
    disk: (disk) => onFiles(disk, (file) => ({ ...file, write: (...args) => file.write(...args).catch(unlessEnded) })),
  },
  'takes a failed sync for a sync': {
    disk: (disk) => onFiles(disk, (file) => ({ ...file, sync: () => file.sync().catch(unlessEnded) })),
  },
  'tries a failed sync once more': {
    disk: (disk) => onFiles(disk, (file) => ({ ...file, sync: () => file.sync().catch(() => file.sync()) })),
  },
  'forgets a retained message': { verbsLeftOut: ['retainedPut'] },
  'forgets that QoS 2 was received': { verbsLeftOut: ['receivedPut'] },
  'forgets a delivery': { verbsLeftOut: ['deliveryPut'] },
  'forgets how far a delivery has come': { verbsLeftOut: ['deliveryReleased', 'deliveryRemoved'] },
} satisfies Record<string, Fault>;

async function later<Args extends unknown[]>(call: (...args: Args) => Promise<void>, args: Args): Promise<void> {
  for (let turns = 0; turns < 8; turns++) await turn();
  await call(...args).catch(() => {});
}

function unlessEnded(error: unknown): void {
  if (error instanceof ProcessEnd) throw error;
}

function onFiles(disk: Disk, change: (file: WritableFile) => WritableFile): Disk {
  return changed(disk, {
    create: async (path) => change(await disk.create(path)),
    openToWrite: async (path) => change(await disk.openToWrite(path)),
  });
}

function changed(disk: Disk, methods: Partial<Disk>): Disk {
  return new Proxy(disk, {
    get(target, name) {
      const method: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}
