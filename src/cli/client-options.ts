/**
 * The options of the client tools: one row each, from which parsing, `--help`, the manual pages, `docs/tools.md` and the shell
 * completions are derived. Texts of errors are Mosquitto's.
 */
import { isTopicName, parseTopicFilter, type QoS, type RetainHandling } from '../client/index.ts';
import { atof, atol } from './c-numbers.ts';
import { CLIENT_TOOLS, checkText, EVERY_TOOL, type OptionContext, type OptionRow } from './option-row.ts';
import { tlsOptionRows } from './tls-option-rows.ts';
import type { MessageSource, ToolOptions } from './tool-options.ts';
import { parseBrokerUrl, parseProxyUrl } from './url-option.ts';
import { UsageError } from './usage-error.ts';

const brokerRows: readonly OptionRow[] = [
  {
    flags: ['-h', '--host'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'HOST',
    missing: 'no host specified',
    help: 'Name or address of the broker. Default: localhost.',
    completes: 'host',
    apply: (options, value) => {
      options.host = value;
    },
  },
  {
    flags: ['-p', '--port'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'PORT',
    missing: 'no port specified',
    help: 'Port of the broker. Default: 1883, or 8883 with --cafile, --capath or --psk. Giving 8883 turns TLS on.',
    apply: (options, value) => {
      const port = atol(value);
      if (port < 0 || port > 65_535) throw new UsageError(`Error: Invalid port given: ${port}`);
      options.port = port;
    },
  },
  {
    flags: ['-L', '--url'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'URL',
    missing: 'no URL specified',
    help: 'Everything in one: mqtt[s]://[user[:password]@]host[:port]/topic, or ws:// and wss:// for WebSockets.',
    apply: applyUrl,
  },
  {
    flags: ['--unix'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'PATH',
    missing: 'no socket path specified',
    help: 'Connect to a Unix socket.',
    completes: 'file',
    apply: (options, value) => {
      options.socketPath = value;
    },
  },
  {
    flags: ['--ws'],
    tools: EVERY_TOOL,
    group: 'Broker',
    help: 'Talk MQTT over WebSockets; the path of the request is /mqtt.',
    apply: (options) => {
      options.carrier = 'websocket';
    },
  },
  {
    flags: ['-A'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'ADDRESS',
    missing: 'no address specified',
    help: 'Local address to connect from.',
    apply: (options, value) => {
      options.bindAddress = value;
    },
  },
  {
    flags: ['-S'],
    tools: CLIENT_TOOLS,
    group: 'Broker',
    help: 'Find host and port with an SRV look-up of _mqtt._tcp (with TLS _secure-mqtt._tcp) in the domain given by -h.',
    apply: (options) => {
      options.useSrv = true;
    },
  },
  {
    flags: ['--proxy'],
    tools: EVERY_TOOL,
    group: 'Broker',
    argument: 'URL',
    missing: 'no proxy url specified',
    help: 'Connect through a SOCKS5 proxy: socks5h://[user[:password]@]host[:port].',
    apply: (options, value) => {
      options.proxy = parseProxyUrl(value);
    },
  },
  {
    flags: ['--nodelay'],
    tools: CLIENT_TOOLS,
    group: 'Broker',
    help: 'Send at once instead of waiting for more (TCP_NODELAY). Always so here; kept for scripts.',
    apply: (options) => {
      options.isNoDelay = true;
    },
  },
];

const sessionRows: readonly OptionRow[] = [
  {
    flags: ['-i', '--id'],
    tools: EVERY_TOOL,
    group: 'Session',
    argument: 'ID',
    missing: 'no id specified',
    help: 'Client Identifier. Default: none, and the broker makes one up.',
    apply: (options, value) => {
      if (options.clientIdPrefix !== undefined) throw idAndPrefix();
      options.clientId = value;
    },
  },
  {
    flags: ['-I', '--id-prefix'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    argument: 'PREFIX',
    missing: 'no id prefix specified',
    help: 'Client Identifier made of this text and the process id.',
    apply: (options, value) => {
      if (options.clientId !== undefined) throw idAndPrefix();
      options.clientIdPrefix = value;
    },
  },
  {
    flags: ['-u', '--username'],
    tools: EVERY_TOOL,
    group: 'Session',
    argument: 'NAME',
    missing: 'no username specified',
    help: 'User name.',
    apply: (options, value) => {
      options.username = value;
    },
  },
  {
    flags: ['-P', '--pw'],
    tools: EVERY_TOOL,
    group: 'Session',
    argument: 'PASSWORD',
    missing: 'no password specified',
    help: 'Password. Other users of the machine may see it in the list of processes.',
    apply: (options, value, context) => {
      options.password = context.bytesOf(value);
    },
  },
  {
    flags: ['-c', '--disable-clean-session'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    help: 'Keep the session (subscriptions, waiting messages) when the connection ends. Needs -i.',
    apply: (options) => {
      options.cleanStart = false;
    },
  },
  {
    flags: ['-x', '--session-expiry-interval'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    argument: 'SECONDS',
    missing: 'no session expiry interval specified',
    help: 'How long the broker keeps the session: 0 to 4294967294 seconds; -1, 4294967295 or ∞ for ever. Uses MQTT 5.0.',
    apply: applySessionExpiry,
  },
  {
    flags: ['-k', '--keepalive'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    argument: 'SECONDS',
    missing: 'no keepalive specified',
    help: 'Keep Alive, 5 to 65535. Default: 60.',
    apply: (options, value) => {
      const seconds = atol(value);
      if (seconds < 5 || seconds > 65_535) {
        throw new UsageError('Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.', 'spaced');
      }
      options.keepAliveSeconds = seconds;
    },
  },
  {
    flags: ['-V', '--protocol-version'],
    tools: EVERY_TOOL,
    group: 'Session',
    argument: 'VERSION',
    missing: 'no version specified',
    missingFlag: '--protocol-version',
    help: 'MQTT version: mqttv5 or 5, mqttv311 or 311, mqttv31 or 31. Default: mqttv311, for requests mqttv5.',
    completes: ['mqttv5', 'mqttv311', 'mqttv31'],
    apply: applyProtocolVersion,
  },
  {
    flags: ['-M'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    argument: 'COUNT',
    missing: 'max_inflight not specified',
    help: 'Messages of QoS 1 and 2 under way at the same time. Default: 20.',
    apply: (options, value) => {
      const count = atol(value);
      if (count < 1) throw new UsageError('Error: Maximum inflight messages must be greater than 0.', 'spaced');
      options.inflightMaximum = Math.min(count, 65_535);
    },
  },
  {
    flags: ['-D', '--property'],
    tools: CLIENT_TOOLS,
    group: 'Session',
    argument: 'COMMAND NAME VALUE',
    isProperty: true,
    help: 'Add a property to a packet of the named kind (connect, publish, subscribe, unsubscribe, disconnect, will). A user-property takes a name and a value. Uses MQTT 5.0.',
    apply: () => {},
  },
];

const willRows: readonly OptionRow[] = [
  {
    flags: ['--will-topic'],
    tools: CLIENT_TOOLS,
    group: 'Will',
    argument: 'TOPIC',
    missing: 'no will topic specified',
    help: 'Topic of the message that the broker sends when this tool is cut off.',
    apply: (options, value, context) => {
      checkText(value, '--will-topic', context);
      if (/[+#]/.test(value)) {
        throw new UsageError(`Error: Invalid will topic '${value}', does it contain '+' or '#'?`);
      }
      options.willTopic = value;
    },
  },
  {
    flags: ['--will-payload'],
    tools: CLIENT_TOOLS,
    group: 'Will',
    argument: 'PAYLOAD',
    missing: 'no will payload specified',
    help: 'Its payload. Default: empty.',
    apply: (options, value, context) => {
      options.willPayload = context.bytesOf(value);
    },
  },
  {
    flags: ['--will-qos'],
    tools: CLIENT_TOOLS,
    group: 'Will',
    argument: 'QOS',
    missing: 'no will QoS specified',
    help: 'Its Quality of Service: 0, 1 or 2. Default: 0.',
    completes: ['0', '1', '2'],
    apply: (options, value) => {
      const qos = atol(value);
      if (!isQos(qos)) throw new UsageError(`Error: Invalid will QoS ${qos}.`, 'spaced');
      options.willQos = qos;
    },
  },
  {
    flags: ['--will-retain'],
    tools: CLIENT_TOOLS,
    group: 'Will',
    help: 'Have it retained.',
    apply: (options) => {
      options.willRetain = true;
    },
  },
];

const messageRows: readonly OptionRow[] = [
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

const subscriptionRows: readonly OptionRow[] = [
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

const outputRows: readonly OptionRow[] = [
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

const otherRows: readonly OptionRow[] = [
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

const RETAIN_HANDLING: Readonly<Record<string, RetainHandling>> = { always: 0, new: 1, never: 2 };

function isQos(value: number): value is QoS {
  return value === 0 || value === 1 || value === 2;
}

function idAndPrefix(): UsageError {
  return new UsageError('Error: -i and -I argument cannot be used together.', 'spaced');
}

function setSource(options: ToolOptions, source: MessageSource): void {
  if (options.source !== undefined) {
    throw new UsageError('Error: Only one type of message can be sent at once.', 'spaced');
  }
  options.source = source;
}

function isFilter(text: string): boolean {
  return typeof parseTopicFilter(text) !== 'string';
}

function badFilter(kind: 'subscription' | 'filter' | 'unsubscribe', text: string): UsageError {
  return new UsageError(`Error: Invalid ${kind} topic '${text}', are all '+' and '#' wildcards correct?`);
}

/** `-t`, or the last part of `-L`. */
function addTopic(options: ToolOptions, topic: string, flag: string, context: OptionContext): void {
  checkText(topic, flag, context);
  if (options.tool === 'sub') {
    if (!isFilter(topic)) throw badFilter('subscription', topic);
    options.topics.push(topic);
    return;
  }
  if (!isTopicName(topic)) {
    throw new UsageError(`Error: Invalid publish topic '${topic}', does it contain '+' or '#'?`);
  }
  options.topics[0] = topic;
}

function applyUrl(options: ToolOptions, value: string, context: OptionContext): void {
  const url = parseBrokerUrl(value, options.tool !== 'ctrl');
  options.carrier = url.carrier;
  options.host = url.host;
  options.port = url.port;
  if (url.isTls) options.tls.useOsCertificates = true;
  if (url.username !== undefined) options.username = url.username;
  if (url.password !== undefined) options.password = Buffer.from(url.password);
  if (options.tool !== 'ctrl') addTopic(options, url.topic, '-L', context);
}

const NEVER_EXPIRES = 0xffff_ffff;

function applySessionExpiry(options: ToolOptions, value: string): void {
  // Mosquitto 2.1: the option alone asks for MQTT 5.0.
  options.protocolVersion = 5;
  if (value === '∞') {
    options.sessionExpiryInterval = NEVER_EXPIRES;
    return;
  }
  if (!/^\s*[+-]?\d+$/.test(value)) throw new UsageError('Error: session-expiry-interval not a number.', 'spaced');
  const seconds = Number(value);
  if (seconds < -1 || seconds > NEVER_EXPIRES) {
    throw new UsageError('Error: session-expiry-interval out of range.', 'spaced');
  }
  options.sessionExpiryInterval = seconds === -1 ? NEVER_EXPIRES : seconds;
}

function applyProtocolVersion(options: ToolOptions, value: string): void {
  switch (value) {
    case 'mqttv31':
    case '31':
      options.protocolVersion = 3;
      return;
    case 'mqttv311':
    case '311':
      options.protocolVersion = 4;
      return;
    case 'mqttv5':
    case '5':
      options.protocolVersion = 5;
      return;
    default:
      throw new UsageError('Error: Invalid protocol version argument given.', 'spaced');
  }
}
