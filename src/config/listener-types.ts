/** Values of listener lines: addresses, protocol versions, origins, and what is looked up on the machine. */
import { isIP } from 'node:net';
import { type OptionText, type ValueContext, ValueError, type ValueType } from './option.ts';
import {
  firstWord,
  integer,
  isIntegerWithin,
  parseInteger,
  path,
  strtol,
  text,
  unexpected,
  wholeText,
} from './value-types.ts';

/** Where a listener binds: a port with an optional address, or port 0 with the path of a Unix socket. */
export interface ListenerAddress {
  /** 1..65535, 0 for a Unix socket */
  readonly port: number;
  /** address or name to bind; `null` for all addresses, and for a Unix socket */
  readonly host: string | null;
  /** path of a Unix socket, else `null` */
  readonly path: string | null;
}

/** The port that MQTT has by default. */
export const defaultPort = 1883;

/** `listener PORT [ADDRESS]`, `listener 0 PATH`; what follows is ignored, a word that begins with `#` is a comment. */
export function listenerAddress(): ValueType<ListenerAddress> {
  return {
    expects: 'PORT [ADDRESS], or 0 and the path of a Unix socket',
    reads: 'word',
    parse: (line, context) => {
      const words = withoutCommentWords(line);
      const meant = context.isStrict ? undefined : addressBeforePort(words, context);
      if (meant !== undefined) return meant;
      firstWord(line, context.name);
      const port = parseListenerPort(line);
      const place = words[1];
      if (place !== undefined && !line.isLegal(place)) throw new ValueError('Malformed UTF-8 in configuration.');
      if (port === 0) {
        if (place === undefined) throw new ValueError('A listener with port 0 must provide a Unix socket path.');
        return { port, host: null, path: place };
      }
      if (words.length > 2) context.warn(`what follows '${place}' is ignored`);
      return { port, host: place ?? null, path: null };
    },
    accept: (value) => {
      throw unexpected('port, host or path of a listener', value);
    },
  };
}

function parseListenerPort(line: OptionText): number {
  try {
    const port = parseInteger(line, 'listener port');
    if (port < 0 || port > 65_535) throw new ValueError(`Invalid 'port' value (${port}).`, 'expected integer 0..65535');
    return port;
  } catch (error) {
    // The number is what people forget; say how the line goes.
    if (!(error instanceof ValueError) || error.message.startsWith('Invalid')) throw error;
    const form = 'the port comes first: listener PORT [ADDRESS]';
    throw new ValueError(error.message, line.text.includes('\t') ? `${form}; a TAB does not separate` : form);
  }
}

/** `listener localhost`, `listener 192.168.1.20`, `listener localhost 1883`: Mosquitto 2.1 refuses them, many guides teach them. */
function addressBeforePort(words: readonly string[], context: ValueContext): ListenerAddress | undefined {
  const [host, second] = words;
  // A port is the usual case, and Node takes 5 ms to compile what isIP() looks for.
  if (host === undefined || strtol(host) !== undefined) return undefined;
  if (host !== 'localhost' && isIP(host) === 0) return undefined;
  const port = second === undefined ? defaultPort : strtol(second);
  if (port === undefined || port < 1 || port > 65_535) return undefined;
  context.warn(`taken for 'listener ${port} ${host}': the port comes first`);
  return { port, host, path: null };
}

/** `port PORT` for the default listener. */
export function port(): ValueType<number> {
  return {
    expects: 'integer 1..65535',
    reads: 'word',
    parse: (line, { name }) => {
      const value = parseInteger(line, name);
      if (value < 1 || value > 65_535) {
        throw new ValueError(`Invalid '${name}' value (${value}).`, 'expected integer 1..65535');
      }
      return value;
    },
    accept: (value) => {
      if (!isIntegerWithin(value, 0, 65_535)) throw unexpected('integer 0..65535', value);
      return value;
    },
  };
}

/** Highest QoS of a listener. */
export function maximumQos(): ValueType<0 | 1 | 2> {
  const number = integer({ min: 0, max: 2, outside: () => "'max_qos' must be between 0 and 2 inclusive." });
  return {
    ...number,
    parse: (line, context) => number.parse(line, context, undefined) as 0 | 1 | 2, // within the bounds
    accept: (value) => number.accept(value) as 0 | 1 | 2, // within the bounds
  };
}

/** The MQTT versions by their protocol level: 3 is 3.1, 4 is 3.1.1, 5 is 5.0. */
export type ProtocolVersion = 3 | 4 | 5;

const protocolVersionNumbers: readonly ProtocolVersion[] = [3, 4, 5];

/** `3,4,5`, separated by commas, spaces or TABs; what is none of them is ignored with a warning. */
export function protocolVersions(): ValueType<readonly ProtocolVersion[]> {
  const expects = 'list of 3, 4 and 5';
  return {
    expects,
    reads: 'line',
    parse: (line, context) => {
      if (line.trimmed() === '') throw new ValueError(`Empty '${context.name}' value in configuration.`);
      const words = line.text.split(/[, \t]+/).filter((word) => word !== '');
      const versions = protocolVersionNumbers.filter((version) => words.includes(String(version)));
      if (versions.length === 0) {
        throw new ValueError(`Invalid '${context.name}' value (${line.trimmed()}).`, `expected ${expects}`);
      }
      const unknown = words.filter((word) => !['3', '4', '5'].includes(word));
      if (unknown.length > 0) context.warn(`'${unknown.join(' ')}' is ignored: expected ${expects}`);
      return versions;
    },
    accept: (value) => {
      if (!Array.isArray(value) || value.length === 0) throw unexpected(expects, value);
      const wanted: readonly unknown[] = value;
      const isKnown = wanted.every((one) => (protocolVersionNumbers as readonly unknown[]).includes(one));
      if (!isKnown) throw unexpected(expects, wanted.join(', '));
      return protocolVersionNumbers.filter((version) => wanted.includes(version));
    },
  };
}

/** One text per line, collected in order. */
export function textList(expects: string): ValueType<readonly string[]> {
  return {
    expects,
    reads: 'line',
    parse: (line, { name }, soFar = []) => [...soFar, wholeText(line, name)],
    accept: (value) => {
      const isList = Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '');
      if (!isList) throw unexpected(`array of ${expects}`, value);
      return value as readonly string[]; // every element was looked at
    },
  };
}

/** A directory that must exist; becomes its absolute path with a slash at the end. */
export function servedDirectory(): ValueType<string> {
  const name = path('directory');
  return {
    ...name,
    parse: (line, context, soFar) => {
      const directory = name.parse(line, context, soFar);
      if (!context.source.isDirectory(directory)) {
        // Mosquitto gives no reason here, only where the line stands.
        throw new ValueError('', `there is no directory '${directory}'`);
      }
      return `${context.source.canonicalPath(directory)}/`;
    },
  };
}

/** The name of a network interface of this machine. */
export function interfaceName(): ValueType<string> {
  const name = text({ expects: 'name of a network interface' });
  return {
    ...name,
    parse: (line, context, soFar) => {
      const value = name.parse(line, context, soFar);
      if (!context.source.hasInterface(value)) throw new ValueError(`Interface ${value} does not exist.`);
      return value;
    },
  };
}

/** The words of a line up to one that begins with `#`. */
export function withoutCommentWords(line: OptionText): readonly string[] {
  const words = line.words();
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment < 0 ? words : words.slice(0, comment);
}
