/** The rows of the table of client options that are about what is published, and where to. */
import { atof, atol } from './c-numbers.ts';
import { addTopic, checkText, EVERY_TOOL, isQos, type OptionRow } from './option-row.ts';
import type { MessageSource, ToolOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';

export const messageRows: readonly OptionRow[] = [
  {
    flags: ['-t', '--topic'],
    tools: ['pub', 'sub', 'rr'],
    group: 'Message',
    argument: 'TOPIC',
    missing: 'no topic specified',
    help: 'Topic to publish to, or to subscribe to (wildcards + and # allowed, may be repeated).',
    apply: (options, value, context) => addTopic(options, value, '-t', context),
  },
  {
    flags: ['-m', '--message'],
    tools: ['pub', 'rr'],
    group: 'Message',
    argument: 'PAYLOAD',
    missing: 'no message specified',
    help: 'Send this text.',
    apply: (options, value, context) => setSource(options, { from: 'argument', payload: context.bytesOf(value) }),
  },
  {
    flags: ['-f', '--file'],
    tools: ['pub', 'rr'],
    group: 'Message',
    argument: 'FILE',
    missing: 'no file specified',
    help: 'Send the contents of a file.',
    completes: 'file',
    apply: (options, value) => setSource(options, { from: 'file', path: value }),
  },
  {
    flags: ['-s', '--stdin-file'],
    tools: ['pub', 'rr'],
    group: 'Message',
    help: 'Send all of standard input as one message.',
    apply: (options) => setSource(options, { from: 'stdin' }),
  },
  {
    flags: ['-l', '--stdin-line'],
    tools: ['pub', 'rr'],
    group: 'Message',
    help: 'Send every line of standard input as a message; an empty line is an empty message. (rr takes the option and ignores it.)',
    apply: (options) => {
      if (options.tool === 'pub') setSource(options, { from: 'lines' });
    },
  },
  {
    flags: ['-n', '--null-message'],
    tools: ['pub', 'rr'],
    group: 'Message',
    help: 'Send an empty message.',
    apply: (options) => setSource(options, { from: 'nothing' }),
  },
  {
    flags: ['-q', '--qos'],
    tools: EVERY_TOOL,
    group: 'Message',
    argument: 'QOS',
    missing: 'no QoS specified',
    help: 'Quality of Service: 0 at most once, 1 at least once, 2 exactly once. Default: 0.',
    completes: ['0', '1', '2'],
    apply: (options, value) => {
      const qos = atol(value);
      if (!isQos(qos)) throw new UsageError(`Error: Invalid QoS given: ${qos}`);
      options.qos = qos;
    },
  },
  {
    flags: ['-r', '--retain'],
    tools: ['pub'],
    group: 'Message',
    help: 'Have the broker keep the message for later subscribers. With -n: remove the kept one.',
    apply: (options) => {
      options.isRetain = true;
    },
  },
  {
    flags: ['--repeat'],
    tools: ['pub'],
    group: 'Message',
    argument: 'COUNT',
    missing: 'no count specified',
    help: 'Send the message this many times. Not for -l.',
    apply: (options, value) => {
      const count = atol(value);
      if (count < 1) throw new UsageError('Error: --repeat argument must be >0.', 'spaced');
      options.repeatCount = count;
    },
  },
  {
    flags: ['--repeat-delay'],
    tools: ['pub'],
    group: 'Message',
    argument: 'SECONDS',
    missing: 'no time specified',
    help: 'Pause between them, fractions allowed. Default: 0.',
    apply: (options, value) => {
      const seconds = atof(value);
      if (seconds < 0) throw new UsageError('Error: --repeat-delay argument must be >=0.0.', 'spaced');
      options.repeatDelaySeconds = seconds;
    },
  },
  {
    flags: ['-e', '--response-topic'],
    tools: ['rr'],
    group: 'Message',
    argument: 'TOPIC',
    missing: 'no response topic specified',
    help: 'Topic on which the response is awaited.',
    apply: (options, value, context) => {
      checkText(value, '-e', context);
      if (value === '' || /[+#]/.test(value)) {
        throw new UsageError(`Error: Invalid response topic '${value}', does it contain '+' or '#'?`);
      }
      options.responseTopic = value;
    },
  },
];

function setSource(options: ToolOptions, source: MessageSource): void {
  if (options.source !== undefined) {
    throw new UsageError('Error: Only one type of message can be sent at once.', 'spaced');
  }
  options.source = source;
}
