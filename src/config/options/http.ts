import { httpRole } from '../http-types.ts';
import { textList } from '../listener-types.ts';
import { option } from '../option.ts';
import { integer, path } from '../value-types.ts';

/** Listeners with `protocol http_api`: the web console, the JSON interface, metrics. */
export const httpOptions = {
  http_role: option({
    scope: 'global',
    type: httpRole(),
    default: [],
    repeat: 'collect',
    reload: 'live',
    isExtension: true,
    doc: 'What a user of the broker may do in the web console: `http_role viewer|operator|admin USER`, one line per user; the user `*` stands for everybody without a line of their own. A viewer reads, an operator also publishes, kicks and deletes, an admin also sees users and configuration. Users without a role cannot log in there. Holds for users who give a password that the broker checks.',
  }),
  http_state_file: option({
    scope: 'global',
    type: path('file'),
    default: null,
    repeat: 'replace',
    reload: 'restart',
    isExtension: true,
    doc: 'File in which the web console keeps its own accounts, read-only tokens and saved messages, readable by the broker alone. When not given: `moustique-console.json` in `persistence_location`. What was changed in the console by whom is kept beside it, in a file ending in `-audit.jsonl`: the last 1,000 changes.',
  }),
  http_frame_ancestors: option({
    scope: 'global',
    type: textList('origin'),
    default: [],
    repeat: 'collect',
    reload: 'live',
    isExtension: true,
    doc: 'Pages of this origin (`https://home.example`) may show the web console in a frame. Write one line per origin; without any, nobody may.',
  }),
  http_index_memory: option({
    scope: 'global',
    type: integer({ min: 1, max: 65_536 }),
    default: 128,
    unit: 'MiB',
    reload: 'live',
    isExtension: true,
    doc: 'Memory for what the web console knows about each topic: last value, count, rate and the last 60 numbers, about 1 KiB a topic. Topics that were quiet the longest are forgotten above it; retained messages are shown all the same. Without an `http_api` listener nothing is kept.',
  }),
};
