import { logDestinations, logTypeSet } from '../logging-types.ts';
import { option } from '../option.ts';
import { boolean, integer, text } from '../value-types.ts';

/** What is logged, where, and in which form. */
export const loggingOptions = {
  log_dest: option({
    scope: 'global',
    type: logDestinations(),
    default: ['stderr'],
    repeat: 'collect',
    reload: 'live',
    unsupported: { values: ['dlt'], why: 'it exists on Android only' },
    doc: 'Where log lines go. Write one line per destination; the first one replaces the default. `file PATH` appends to a file, `topic` publishes below `$SYS/broker/log`, `none` forgets the destinations above it.',
  }),
  log_type: option({
    scope: 'global',
    type: logTypeSet(),
    default: ['error', 'warning', 'notice', 'information'],
    repeat: 'collect',
    reload: 'live',
    doc: 'Which kinds of lines are logged. Write one line per kind; `all` is every kind, `none` forgets the kinds above it. The options -v and -q of the command line win.',
  }),
  log_timestamp: option({
    scope: 'global',
    type: boolean(),
    default: true,
    reload: 'live',
    doc: 'Begins each log line with the time.',
  }),
  log_timestamp_format: option({
    scope: 'global',
    type: text({ expects: 'strftime format' }),
    default: null,
    reload: 'live',
    doc: 'The form of the time in log lines, in the directives of strftime and local time, for example `%Y-%m-%dT%H:%M:%S`. Without it: seconds since 1970.',
  }),
  log_facility: option({
    scope: 'global',
    type: integer({ min: 0, max: 7 }),
    default: null,
    reload: 'live',
    doc: 'The facility local0 to local7 for syslog; `daemon` when not given.',
  }),
  connection_messages: option({
    scope: 'global',
    type: boolean(),
    default: true,
    reload: 'live',
    doc: 'Logs when clients connect and disconnect.',
  }),
};
