/**
 * The options of the client tools: one row each, from which parsing, `--help`, the manual pages, `docs/tools.md` and the shell
 * completions are derived. Texts of errors are Mosquitto's.
 */
import { brokerRows, sessionRows, willRows } from './connection-option-rows.ts';
import { messageRows } from './message-option-rows.ts';
import { EVERY_TOOL, type OptionRow } from './option-row.ts';
import { outputRows, subscriptionRows } from './subscription-option-rows.ts';
import { tlsOptionRows } from './tls-option-rows.ts';

const otherRows: readonly OptionRow[] = [
  {
    flags: ['-f', '--file'],
    tools: ['ctrl'],
    group: 'Other',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'With dynsec setClientPassword: change this file of dynamic security, without a broker.',
    completes: 'file',
    apply: (options, value) => {
      options.dynsecFile = value;
    },
  },
  {
    flags: ['-o'],
    tools: EVERY_TOOL,
    group: 'Other',
    argument: 'FILE',
    missing: 'no options file specified',
    help: 'Read options from this file instead of the usual one, before those of the command line.',
    completes: 'file',
    apply: (options, value) => {
      options.optionsFile = value;
    },
  },
  {
    flags: ['--help'],
    tools: EVERY_TOOL,
    group: 'Other',
    help: 'Show this text.',
    prints: 'help',
    apply: () => {},
  },
  {
    flags: ['--version'],
    tools: EVERY_TOOL,
    group: 'Other',
    help: 'Show the version.',
    prints: 'version',
    apply: () => {},
  },
];

/** Every option of the client tools. */
export const clientOptions: readonly OptionRow[] = [
  ...brokerRows,
  ...messageRows,
  ...subscriptionRows,
  ...outputRows,
  ...sessionRows,
  ...willRows,
  ...tlsOptionRows,
  ...otherRows,
];
