/** Values of bridge lines: remote addresses, topic mappings, back-off and TCP keep alive. */
import { withoutCommentWords } from './listener-types.ts';
import { OptionText, type ValueContext, ValueError, type ValueType } from './option.ts';
import { firstWord, integer, isIntegerWithin, parseInteger, strtol, unexpected, wholeText } from './value-types.ts';

/** A broker to connect to. */
export interface BridgeAddress {
  readonly host: string;
  /** 1..65535 */
  readonly port: number;
}

/** `host[:port] …`, at most 1,000 of them; ends at a word that begins with `#`. */
export function bridgeAddresses(): ValueType<readonly BridgeAddress[]> {
  return {
    expects: 'HOST[:PORT] …',
    reads: 'word',
    parse: (line, { name }) => {
      firstWord(line, name);
      const words = withoutCommentWords(line);
      if (words.length === 0) throw new ValueError(`Empty '${name}' value in configuration.`);
      if (words.length > 1000) throw new ValueError(`Invalid '${name}' value: more than 1000 addresses.`);
      return words.map(bridgeAddress);
    },
    accept: (value) => {
      const isAddress = (one: unknown): one is BridgeAddress =>
        typeof one === 'object' &&
        one !== null &&
        'host' in one &&
        typeof one.host === 'string' &&
        one.host !== '' &&
        'port' in one &&
        isIntegerWithin(one.port, 1, 65_535);
      if (!Array.isArray(value) || value.length === 0 || !value.every(isAddress)) {
        throw unexpected('array of { host, port }', value);
      }
      return value.map(({ host, port }) => ({ host, port }));
    },
  };
}

/** The port stands behind the last colon, so an IPv6 address needs one. */
function bridgeAddress(word: string): BridgeAddress {
  const colon = word.lastIndexOf(':');
  if (colon < 0) return { host: word, port: 1883 };
  const digits = word.slice(colon + 1);
  const port = Number.parseInt(digits, 10) || 0;
  if (port < 1 || port > 65_535) {
    throw new ValueError(`Invalid bridge port value (${port}).`, 'expected HOST:PORT with a port in 1..65535');
  }
  return { host: word.slice(0, colon), port };
}

/** Which topics a bridge carries, in which direction, and how their names change on the way. */
export interface BridgeTopic {
  /** Topic Filter between the prefixes; '' maps the one topic `localPrefix` to the one topic `remotePrefix` */
  readonly pattern: string;
  readonly direction: 'out' | 'in' | 'both';
  readonly qos: 0 | 1 | 2;
  /** '' for none */
  readonly localPrefix: string;
  /** '' for none */
  readonly remotePrefix: string;
}

const directions = ['out', 'in', 'both'] as const;

/**
 * `pattern [out|in|both [qos [local-prefix [remote-prefix]]]]`, collected over the lines.
 *
 * `""` is an empty text, quotes hold a text with spaces together, a word that begins with `#` at the place of the QoS or
 * of a prefix ends the line. A mapping written twice is taken once.
 */
export function bridgeTopics(): ValueType<readonly BridgeTopic[]> {
  return {
    expects: 'PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]',
    reads: 'line',
    parse: (line, context, soFar = []) => {
      const topic = bridgeTopic(line, context);
      const isSame = (other: BridgeTopic) => JSON.stringify(other) === JSON.stringify(topic);
      if (!soFar.some(isSame)) return [...soFar, topic];
      context.warn(`Duplicate bridge topic '${topic.pattern}', skipping`);
      return soFar;
    },
    accept: (value) => {
      if (!Array.isArray(value)) throw unexpected('array of { pattern, direction?, qos?, … }', value);
      return value.map(acceptedTopic);
    },
  };
}

function bridgeTopic(line: OptionText, context: ValueContext): BridgeTopic {
  const value = wholeText(line, context.name);
  const [pattern = '', directionWord = 'out', ...rest] = quotedWords(value);
  const direction = directions.find((one) => one === directionWord.toLowerCase());
  if (direction === undefined) throw new ValueError(`Invalid bridge topic direction '${directionWord}'.`);
  const comment = rest.findIndex((word) => word.startsWith('#'));
  const [qosWord = '0', localPrefix = '', remotePrefix = ''] = comment < 0 ? rest : rest.slice(0, comment);
  const qos = strtol(qosWord);
  if (qos !== 0 && qos !== 1 && qos !== 2) throw new ValueError(`Invalid bridge QoS level '${qosWord}'.`);
  return checkedTopic({ pattern, direction, qos, localPrefix, remotePrefix });
}

function acceptedTopic(value: unknown): BridgeTopic {
  if (typeof value !== 'object' || value === null) throw unexpected('{ pattern, direction?, qos?, … }', value);
  const given: Partial<Record<keyof BridgeTopic, unknown>> = value;
  const { pattern, direction = 'out', qos = 0, localPrefix = '', remotePrefix = '' } = given;
  const way = directions.find((one) => one === direction);
  if (way === undefined) throw unexpected("direction 'out', 'in' or 'both'", direction);
  if (qos !== 0 && qos !== 1 && qos !== 2) throw unexpected('qos 0, 1 or 2', qos);
  if (typeof pattern !== 'string') throw unexpected('pattern as text', pattern);
  if (typeof localPrefix !== 'string') throw unexpected('localPrefix as text', localPrefix);
  if (typeof remotePrefix !== 'string') throw unexpected('remotePrefix as text', remotePrefix);
  return checkedTopic({ pattern, direction: way, qos, localPrefix, remotePrefix });
}

function checkedTopic(topic: BridgeTopic): BridgeTopic {
  const { pattern, localPrefix, remotePrefix } = topic;
  for (const [side, prefix] of Object.entries({ local: localPrefix, remote: remotePrefix })) {
    if (/[+#]/.test(prefix)) throw new ValueError(`Invalid bridge topic ${side} prefix '${prefix}'.`);
  }
  if (pattern === '' && (localPrefix === '' || remotePrefix === '')) {
    throw new ValueError('Invalid bridge remapping.', 'an empty pattern needs both prefixes');
  }
  for (const [side, prefix] of Object.entries({ local: localPrefix, remote: remotePrefix })) {
    if (isTopicFilter(prefix + pattern)) continue;
    throw new ValueError(`Invalid bridge topic ${side} prefix and pattern combination '${prefix + pattern}'.`);
  }
  return topic;
}

/** `#` only as the whole last level, `+` only as a whole level, at most 200 slashes (Mosquitto's limit). */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/');
  const isLegal = (level: string, index: number) =>
    level === '+' || (level === '#' && index === levels.length - 1) || !/[+#]/.test(level);
  return filter !== '' && levels.length <= 201 && levels.every(isLegal);
}

/** Words between spaces, where `"` at both ends holds several together. */
export function quotedWords(value: string): readonly string[] {
  const words: string[] = [];
  let open: string | undefined;
  for (const piece of value.split(' ')) {
    if (open !== undefined) {
      open += ` ${piece}`;
    } else if (piece.startsWith('"')) {
      open = piece;
    } else if (piece !== '') {
      words.push(piece);
    }
    if (open !== undefined && open.length > 1 && open.endsWith('"')) {
      words.push(open.slice(1, -1));
      open = undefined;
    }
  }
  if (open !== undefined) throw new ValueError(`Missing closing quote in topic value (${value}).`);
  return words;
}

/** How long a bridge waits before it tries again. */
export interface RestartTimeout {
  /** 1..3600; the whole wait when there is no cap, else the shortest */
  readonly baseSeconds: number;
  /** longest wait, at most 7200; `null` for a constant wait */
  readonly capSeconds: number | null;
  /** a connection that lasted this long resets the wait to `baseSeconds` */
  readonly stableSeconds: number;
}

/** `base [cap [stable]]` */
export function restartTimeout(): ValueType<RestartTimeout> {
  const expects = 'BASE [CAP [STABLE]]';
  return {
    expects,
    reads: 'word',
    parse: (line, { name, warn }) => {
      firstWord(line, name);
      const [base, cap, stable] = withoutCommentWords(line);
      const baseSeconds = wholeNumber(base, name);
      if (baseSeconds < 1) warn('restart_timeout interval too low, using 1 second.');
      return limitedRestart(baseSeconds, cap === undefined ? null : wholeNumber(cap, name), wholeNumber(stable, name));
    },
    accept: (value) => {
      if (typeof value !== 'object' || value === null) throw unexpected('{ baseSeconds, capSeconds, … }', value);
      const given: Partial<Record<keyof RestartTimeout, unknown>> = value;
      const { baseSeconds, capSeconds = null, stableSeconds = 0 } = given;
      if (!isIntegerWithin(baseSeconds, 1, 3600)) throw unexpected('baseSeconds 1..3600', baseSeconds);
      if (capSeconds !== null && !isIntegerWithin(capSeconds, 1, 7200))
        throw unexpected('capSeconds 1..7200', capSeconds);
      if (!isIntegerWithin(stableSeconds, 0, 2_147_483_647)) throw unexpected('stableSeconds from 0', stableSeconds);
      return limitedRestart(baseSeconds, capSeconds, stableSeconds);
    },
  };
}

function limitedRestart(base: number, cap: number | null, stableSeconds: number): RestartTimeout {
  const baseSeconds = Math.min(3600, Math.max(1, base));
  if (cap !== null && cap < baseSeconds) {
    throw new ValueError('backoff cap is lower than the base in restart_timeout.');
  }
  if (stableSeconds < 0) throw new ValueError('stable connection period cannot be negative in restart_timeout.');
  return { baseSeconds, capSeconds: cap === null ? null : Math.min(7200, cap), stableSeconds };
}

/** TCP keep alive of a bridge's connection. */
export interface TcpKeepalive {
  readonly idleSeconds: number;
  readonly intervalSeconds: number;
  readonly probes: number;
}

/** `idle interval count`, three positive integers. */
export function tcpKeepalive(): ValueType<TcpKeepalive> {
  return {
    expects: 'IDLE INTERVAL COUNT (three positive integers)',
    reads: 'word',
    parse: (line, { name }) => {
      firstWord(line, name);
      const [idleSeconds = 0, intervalSeconds = 0, probes = 0] = line
        .words()
        .slice(0, 3)
        .map((word) => wholeNumber(word, name));
      if (!(idleSeconds > 0 && intervalSeconds > 0 && probes > 0)) {
        throw new ValueError(`Invalid '${name}' value (${line.trimmed()}).`, 'expected three positive integers');
      }
      return { idleSeconds, intervalSeconds, probes };
    },
    accept: (value) => {
      const form = '{ idleSeconds, intervalSeconds, probes }';
      if (typeof value !== 'object' || value === null) throw unexpected(form, value);
      const given: Partial<Record<keyof TcpKeepalive, unknown>> = value;
      const positive = (one: unknown) => integer({ min: 1 }).accept(one);
      return {
        idleSeconds: positive(given.idleSeconds),
        intervalSeconds: positive(given.intervalSeconds),
        probes: positive(given.probes),
      };
    },
  };
}

function wholeNumber(word: string | undefined, name: string): number {
  return word === undefined ? 0 : parseInteger(new OptionText(word), name);
}
