/** Reviewed differences between Debian's tools (2.0.11) and ours: what may differ, and why. Everything else must be equal. */
import type { Vector } from './golden-vectors.ts';

/** What a tool did. */
export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** A difference in wording: both sides are rewritten to one text before they are compared. */
export interface Rewording {
  readonly reason: string;
  /** Absent: every tool. */
  readonly tool?: Vector['tool'];
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** A difference in behaviour of some command lines: what ours does is written out. */
export interface Deviation {
  readonly reason: string;
  readonly matches: (vector: Vector) => boolean;
  /** Ours, as far as it is fixed: a whole stream, or a pattern. */
  readonly ours: {
    readonly stdout?: string | RegExp;
    readonly stderr?: string | RegExp;
    readonly status?: number;
  };
}

export const rewordings: readonly Rewording[] = [
  {
    reason: '2.1 ends the texts of its library without a full stop',
    pattern:
      /(Connection Refused: [a-z ]+|The connection was (?:refused|lost)|communicating with the broker|A TLS error occurred|Lookup error)\.(?=\n|\))/g,
    replacement: '$1',
  },
  {
    reason: '2.1 prints a missing name without brackets',
    pattern: /\(null\)(?= (?:sending|received)|')/g,
    replacement: 'null',
  },
  {
    reason: '2.1 capitalises this one',
    pattern: /Error: unsupported URL scheme\./g,
    replacement: 'Error: Unsupported URL scheme.',
  },
  {
    reason: '2.1 names the command that it does not know',
    pattern: /Error: Invalid command (?:\S+ )?given in --property argument\./g,
    replacement: 'Error: Invalid command given in --property argument.',
  },
  {
    reason: '2.1 names the property that it does not know',
    pattern: /Error: Invalid property name (?:\S+ )?given in --property argument\./g,
    replacement: 'Error: Invalid property name given in --property argument.',
  },
  {
    reason: '2.1 can also unsubscribe only',
    tool: 'sub',
    pattern: /Error: You must specify a topic to subscribe to(?: \(-t\) or unsubscribe from \(-U\))?\./g,
    replacement: 'Error: You must specify a topic to subscribe to.',
  },
  {
    reason: '2.1 says why a file cannot be read',
    pattern: /Error: Unable to (?:open file "([^"]+)"|read file "([^"]+)": [^\n]+)\./g,
    replacement: 'Error: Unable to read file "$1$2".',
  },
  {
    reason: '2.0 forgets to say that it disconnects',
    tool: 'rr',
    pattern: /Client \S+ sending DISCONNECT\n/g,
    replacement: '',
  },
];

const has = (vector: Vector, ...words: readonly string[]): boolean => {
  const start = words[0] === undefined ? -1 : vector.args.indexOf(words[0]);
  return start >= 0 && words.every((word, index) => vector.args[start + index] === word);
};

const WITHOUT_TOPIC_OR_MESSAGE: ReadonlySet<string> = new Set(
  [[], ['-p', '{port}'], ['-p', '{port}', '-m', 'x'], ['-p', '{port}', '-t', 'source']].map((args) =>
    JSON.stringify(args),
  ),
);

const isPrint = (vector: Vector, word: string) => vector.args.includes(word) && !vector.args.includes('7');

export const deviations: readonly Deviation[] = [
  {
    reason: 'the help is our own: grouped, and made from the table of options',
    matches: (vector) => isPrint(vector, '--help'),
    ours: {
      stdout: /^mosquitto_(\w+) .*\nmosquitto_\1 version [\d.]+\.\n\nUsage: mosquitto_\1 /,
      stderr: '',
      status: 1,
    },
  },
  {
    reason: 'the version is our own',
    matches: (vector) => isPrint(vector, '--version'),
    ours: { stdout: /^mosquitto_\w+ version [\d.]+\.\n$/, stderr: '', status: 1 },
  },
  {
    reason: 'the help that follows is our own',
    matches: ({ tool, args, optionsFile }) =>
      tool === 'pub' && optionsFile === undefined && WITHOUT_TOPIC_OR_MESSAGE.has(JSON.stringify(args)),
    ours: {
      stdout: /^mosquitto_pub .*\n.*\n\nUsage: /,
      stderr: 'Error: Both topic and message must be supplied.\n',
      status: 1,
    },
  },
  {
    reason: 'a number that does not fit is printed as given, not cut down to 32 bits',
    matches: (vector) => has(vector, '-q', '99999999999'),
    ours: { stderr: "Error: Invalid QoS given: 99999999999\n\nUse 'mosquitto_pub --help' to see usage.\n", status: 1 },
  },
  {
    reason: 'a port that does not exist is found before connecting, as with -p',
    matches: (vector) => has(vector, '-L', 'mqtt://localhost:65536/a'),
    ours: { stderr: /^Error: Invalid port given: 65536\n/, status: 1 },
  },
  {
    reason:
      'only a broker may send this property in a PUBLISH [MQTT-3.3.4-6]; the text is that of other properties in wrong places',
    matches: (vector) => has(vector, '-D', 'publish', 'subscription-identifier', '3'),
    ours: {
      stderr: /^Error: subscription-identifier property not allowed for publish in --property argument\.\n/,
      status: 1,
    },
  },
  {
    reason: '2.0 ends without a word when rr cannot read its file',
    matches: (vector) => vector.tool === 'rr' && has(vector, '-f', '{dir}/none'),
    ours: {
      stdout: '',
      stderr: /^Error: Unable to read file ".*": No such file or directory\.\nError loading /,
      status: 1,
    },
  },
  {
    reason: '2.0 reads nothing with -s of rr, and sends an empty message',
    matches: (vector) => vector.tool === 'rr' && (has(vector, '-s') || has(vector, '--stdin-file')),
    ours: { stdout: /all\nof it\n$/, stderr: '', status: 0 },
  },
];
