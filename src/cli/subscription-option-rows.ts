/** The rows of the table of client options that are about what is subscribed to, and how it is printed. */
import type { RetainHandling } from '../client/index.ts';
import { atof, atol } from './c-numbers.ts';
import { badFilter, checkText, EVERY_TOOL, isFilter, type OptionRow } from './option-row.ts';
import { UsageError } from './usage-error.ts';

const RETAIN_HANDLING: Readonly<Record<string, RetainHandling>> = { always: 0, new: 1, never: 2 };

export const subscriptionRows: readonly OptionRow[] = [
  {
    flags: ['-T', '--filter-out'],
    tools: ['sub'],
    group: 'Subscription',
    argument: 'FILTER',
    missing: 'no topic filter specified',
    help: 'Do not print messages whose topic matches; may be repeated.',
    apply: (options, value, context) => {
      checkText(value, '-T', context);
      if (!isFilter(value)) throw badFilter('filter', value);
      options.filterOuts.push(value);
    },
  },
  {
    flags: ['-U', '--unsubscribe'],
    tools: ['sub'],
    group: 'Subscription',
    argument: 'FILTER',
    missing: 'no unsubscribe topic specified',
    help: 'Remove this subscription from the session; may be repeated.',
    apply: (options, value, context) => {
      checkText(value, '-U', context);
      if (!isFilter(value)) throw badFilter('unsubscribe', value);
      options.unsubscribes.push(value);
    },
  },
  {
    flags: ['-C'],
    tools: ['sub'],
    group: 'Subscription',
    argument: 'COUNT',
    missing: 'no count specified',
    help: 'End after this many messages.',
    apply: (options, value) => {
      const count = atol(value);
      if (count < 1) throw new UsageError(`Error: Invalid message count "${count}".`, 'spaced');
      options.messageCount = count;
    },
  },
  {
    flags: ['-W'],
    tools: ['sub', 'rr'],
    group: 'Subscription',
    argument: 'SECONDS',
    missing: 'no timeout specified',
    help: 'End with status 27 after this many whole seconds.',
    apply: (options, value) => {
      const seconds = atol(value);
      if (seconds < 1) throw new UsageError(`Error: Invalid timeout "${seconds}".`, 'spaced');
      options.timeoutSeconds = seconds;
    },
  },
  {
    flags: ['-E'],
    tools: ['sub'],
    group: 'Subscription',
    help: 'End as soon as the broker has acknowledged the subscriptions.',
    apply: (options) => {
      options.isExitAfterSuback = true;
    },
  },
  {
    flags: ['-R'],
    tools: ['sub', 'rr'],
    group: 'Subscription',
    help: 'Do not print retained messages.',
    apply: (options) => {
      options.skipRetained = true;
    },
  },
  {
    flags: ['--retained-only'],
    tools: ['sub'],
    group: 'Subscription',
    help: 'Print retained messages and end at the first that is not.',
    apply: (options) => {
      options.isRetainedOnly = true;
    },
  },
  {
    flags: ['--remove-retained'],
    tools: ['sub'],
    group: 'Subscription',
    help: 'Remove every retained message that is printed from the broker.',
    apply: (options) => {
      options.removeRetained = true;
    },
  },
  {
    flags: ['--retain-as-published'],
    tools: ['sub'],
    group: 'Subscription',
    help: 'Show the retain flag as the publisher set it. Uses MQTT 5.0.',
    apply: (options) => {
      options.retainAsPublished = true;
    },
  },
  {
    flags: ['--retain-handling'],
    tools: ['sub', 'rr'],
    group: 'Subscription',
    argument: 'WHEN',
    missing: 'no option specified',
    help: 'Retained messages the broker sends: always, new (only when the subscription is new) or never. Uses MQTT 5.0.',
    completes: ['always', 'new', 'never'],
    apply: (options, value) => {
      const handling = RETAIN_HANDLING[value];
      if (handling === undefined) throw new UsageError(`Error: Unknown --retain-handling option '${value}'.`, 'spaced');
      options.retainHandling = handling;
    },
  },
  {
    flags: ['--random-filter'],
    tools: ['sub'],
    group: 'Subscription',
    argument: 'PERCENT',
    missing: 'no chance specified',
    help: 'Print only this share of the messages, 0.1 to 100, chosen at random.',
    apply: (options, value) => {
      const percent = atof(value);
      if (percent < 0.1 || percent > 100) {
        throw new UsageError('Error: --random-filter chance must be between 0.1-100.0', 'spaced');
      }
      options.randomFilterPercent = percent;
    },
  },
];

export const outputRows: readonly OptionRow[] = [
  {
    flags: ['-v', '--verbose'],
    tools: ['sub', 'rr', 'ctrl'],
    group: 'Output',
    help: 'Print the topic before the payload.',
    apply: (options) => {
      options.isVerbose = true;
    },
  },
  {
    flags: ['-F'],
    tools: ['sub', 'rr'],
    group: 'Output',
    argument: 'FORMAT',
    missing: 'no format specified',
    help: 'How to print a message: %t topic, %p payload, %j and %J JSON, %I time, %x hexadecimal and more; see the manual.',
    apply: (options, value) => {
      options.format = value;
    },
  },
  {
    flags: ['--pretty'],
    tools: ['sub', 'rr'],
    group: 'Output',
    help: 'Indent the JSON of %j and %J.',
    apply: (options) => {
      options.isPretty = true;
    },
  },
  {
    flags: ['-N'],
    tools: ['sub', 'rr'],
    group: 'Output',
    help: 'No line end after each message.',
    apply: (options) => {
      options.hasNewline = false;
    },
  },
  {
    flags: ['-w', '--watch'],
    tools: ['sub'],
    group: 'Output',
    help: 'Show each topic on a line of its own that changes with it.',
    apply: (options) => {
      options.isWatch = true;
    },
  },
  {
    flags: ['--message-rate'],
    tools: ['sub'],
    group: 'Output',
    help: 'Print only the number of messages per second.',
    apply: (options) => {
      options.isMessageRate = true;
    },
  },
  {
    flags: ['--latency'],
    tools: ['rr'],
    group: 'Output',
    help: 'Print the time from request to response.',
    apply: (options) => {
      options.isLatency = true;
    },
  },
  {
    flags: ['-d', '--debug'],
    tools: EVERY_TOOL,
    group: 'Output',
    help: 'Print a line for every packet.',
    apply: (options) => {
      options.isDebug = true;
    },
  },
  {
    flags: ['--quiet'],
    tools: EVERY_TOOL,
    group: 'Output',
    help: 'Print no errors of the running tool.',
    apply: (options) => {
      options.isQuiet = true;
    },
  },
];
