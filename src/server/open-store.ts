/** `persistence` and what belongs to it → a store. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { GlobalConfig } from '../config/config.ts';
import type { Logger } from '../contracts/logger.ts';
import type { Store } from '../contracts/store.ts';
import type { SyncLevel } from '../store/journal-options.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { StartError } from './start-error.ts';

interface StoreSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The store that the configuration asks for; what it promises is said in the log.
 *
 * @throws StartError - the database cannot be used
 */
export async function openStore(global: GlobalConfig, { clock, logger }: StoreSurroundings): Promise<Store> {
  if (!global.persistence) return createMemoryStore();
  const { openFileStore } = await import('../store/file-store.ts');
  const { StoreError } = await import('../store/store-error.ts');
  const path = join(global.persistenceLocation ?? '.', global.persistenceFile);
  try {
    const store = openFileStore({
      path,
      autosaveIntervalSeconds: global.autosaveInterval,
      autosaveOnChanges: global.autosaveOnChanges,
      level: syncLevelOf(global.persistenceSync),
      clock,
      logger,
    });
    const level = syncLevelText(global.persistenceSync);
    logger.log('information', `Persistence: ${path}, persistence_sync ${level}: ${levelMeanings[store.level.kind]}.`);
    return store;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StartError(error.lines, 1, { cause: error });
  }
}

/** What an acknowledgement promises, for the log. */
const levelMeanings: Readonly<Record<SyncLevel['kind'], string>> = {
  commit: 'what is acknowledged is on disk',
  interval: 'what is acknowledged survives the end of the process, and a power cut after the interval',
  os: 'what is acknowledged survives the end of the process, and a power cut when the system has written it',
};

/** `persistence_sync` as it is written in a configuration. */
export function syncLevelText(value: GlobalConfig['persistenceSync']): string {
  return typeof value === 'string' ? value : `interval ${value.intervalMs} ms`;
}

/** `persistence_sync` as the store takes it. */
function syncLevelOf(value: GlobalConfig['persistenceSync']): SyncLevel {
  return typeof value === 'string' ? { kind: value } : { kind: 'interval', milliseconds: value.intervalMs };
}
