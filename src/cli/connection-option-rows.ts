/** The rows of the table of client options that are about the broker, the Session and the Will. */
import { atol } from './c-numbers.ts';
import {
  addTopic,
  CLIENT_TOOLS,
  checkText,
  EVERY_TOOL,
  isQos,
  type OptionContext,
  type OptionRow,
} from './option-row.ts';
import type { ToolOptions } from './tool-options.ts';
import { parseBrokerUrl, parseProxyUrl } from './url-option.ts';
import { UsageError } from './usage-error.ts';

export const brokerRows: readonly OptionRow[] = [
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

export const sessionRows: readonly OptionRow[] = [
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

export const willRows: readonly OptionRow[] = [
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

function idAndPrefix(): UsageError {
  return new UsageError('Error: -i and -I argument cannot be used together.', 'spaced');
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
