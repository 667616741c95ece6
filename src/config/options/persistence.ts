import { persistenceSync } from '../duration-types.ts';
import { option } from '../option.ts';
import { boolean, integer, path, text } from '../value-types.ts';

/** What survives a restart. */
export const persistenceOptions = {
  persistence: option({
    scope: 'global',
    type: boolean(),
    default: false,
    aliases: ['retained_persistence'],
    reload: 'restart',
    doc: 'Keeps sessions, queued messages, subscriptions and retained messages in a file over restarts.',
  }),
  persistence_file: option({
    scope: 'global',
    type: text({ expects: 'file name' }),
    default: 'mosquitto.db',
    reload: 'restart',
    doc: 'Name of the database file, in the format of Mosquitto.',
  }),
  persistence_location: option({
    scope: 'global',
    type: path('directory'),
    default: null,
    reload: 'restart',
    doc: 'Directory of the database file; the working directory when not given.',
  }),
  autosave_interval: option({
    scope: 'global',
    type: integer({ min: 0, correct: (value) => Math.max(0, value) }),
    default: 1800,
    unit: 's',
    reload: 'restart',
    doc: 'How often the database file is written while running. 0 writes it only at the end and when asked by signal. With `autosave_on_changes`, a number of changes instead of seconds.',
  }),
  autosave_on_changes: option({
    scope: 'global',
    type: boolean(),
    default: false,
    reload: 'restart',
    doc: 'Counts changes (subscriptions, retained and queued messages) instead of seconds for `autosave_interval`.',
  }),
  persistence_sync: option({
    scope: 'global',
    type: persistenceSync(),
    default: 'commit',
    reload: 'restart',
    isExtension: true,
    doc: 'When an acknowledged message is on the disk: `commit` before its acknowledgement, `interval N ms` at most N milliseconds later, `os` when the operating system writes it.',
  }),
};
