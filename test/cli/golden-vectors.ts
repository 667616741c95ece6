/** Command lines that are run through Debian's tools and ours; see `golden.test.ts`. */
import { spellings } from './golden-spellings.ts';

/** One command line. */
export interface Vector {
  readonly tool: 'pub' | 'sub' | 'rr';
  /** `{port}` is the broker, `{locked}` one that wants a login, `{dead}` a port where nobody listens, `{dir}` a folder of files, `{id}` a client's own name. */
  readonly args: readonly string[];
  readonly input?: string;
  /** Lines of the tool's options file, found through XDG_CONFIG_HOME. */
  readonly optionsFile?: readonly string[];
}

const BROKER = ['-p', '{port}'];

/** Options that take one argument, per tool, in the version that both know. */
const SHARED_WITH_ARGUMENT = [
  ...[
    '-A',
    '-h',
    '--host',
    '-i',
    '--id',
    '-I',
    '--id-prefix',
    '-k',
    '--keepalive',
    '-L',
    '--url',
    '-M',
    '-p',
    '--port',
  ],
  ...['-P', '--pw', '-q', '--qos', '-t', '--topic', '-u', '--username', '-V', '--protocol-version', '-x', '--unix'],
  ...[
    '--will-topic',
    '--will-payload',
    '--will-qos',
    '--cafile',
    '--capath',
    '--cert',
    '--key',
    '--keyform',
    '--ciphers',
  ],
  ...['--tls-version', '--tls-alpn', '--tls-engine', '--tls-engine-kpass-sha1', '--psk', '--psk-identity', '--proxy'],
  ...['-D', '--property'],
] as const;

const WITH_ARGUMENT: Readonly<Record<Vector['tool'], readonly string[]>> = {
  pub: [...SHARED_WITH_ARGUMENT, '-f', '--file', '-m', '--message', '--repeat', '--repeat-delay'],
  sub: [...SHARED_WITH_ARGUMENT, '-C', '-T', '--filter-out', '-U', '--unsubscribe', '-W', '-F', '--random-filter'],
  rr: [...SHARED_WITH_ARGUMENT, '-e', '-f', '--file', '-m', '--message', '-W', '-F'],
};

function* missingArguments(): Generator<Vector> {
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    for (const flag of WITH_ARGUMENT[tool]) yield { tool, args: [flag] };
  }
}

/** Options that a tool does not have, and words that are none. */
function* unknownOptions(): Generator<Vector> {
  const others: Readonly<Record<Vector['tool'], readonly string[]>> = {
    pub: ['-v', '-N', '-R', '-C', '-W', '-F', '-T', '-U', '-E', '-e', '--pretty', '--retained-only', '-b', '--latency'],
    sub: ['-m', '-f', '-s', '-l', '-n', '-r', '--repeat', '--repeat-delay', '-e', '-b', '--latency'],
    rr: ['-r', '--repeat', '--repeat-delay', '-C', '-T', '-U', '-E', '--retained-only', '--remove-retained', '-b'],
  };
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    for (const flag of [...others[tool], '--bogus', 'word', '-p1883', '-dq', '-', '--', ''])
      yield { tool, args: [flag] };
  }
}

/** Wrong and unusual values, behind a complete command line for pub. */
const PUB_VALUES: readonly (readonly string[])[] = [
  ...['3', '-1', 'foo', '', '1x', ' 2', '+1', '99999999999'].map((qos) => ['-q', qos]),
  ...['4', '5', '65535', '65536', 'foo', '-1', '0'].map((seconds) => ['-k', seconds]),
  ...['65536', '-1'].map((port) => ['-p', port]),
  ...['0', 'foo', '-1', '1', '100'].map((count) => ['-M', count]),
  ...['6', '3', '4', '311', '31', '5', 'mqttv311', 'mqttv31', 'mqttv5', 'MQTTV5', 'v5', ''].map((name) => ['-V', name]),
  ...['foo', '', '12abc', '-2', '4294967296', '99999999999999'].map((seconds) => ['-x', seconds]),
  ...['0', '-1', 'foo', '1', '2'].map((count) => ['--repeat', count]),
  ...['-1', '0', 'foo', '0.01'].map((seconds) => ['--repeat-delay', seconds]),
  ['--will-payload', 'w'],
  ['--will-retain'],
  ['--will-qos', '1'],
  ['--will-qos', '3'],
  ['--will-qos', '-1'],
  ['--will-topic', 'a/#'],
  ['--will-topic', '+'],
  ['--will-topic', 'w', '--will-payload', 'p', '--will-qos', '1', '--will-retain'],
  ['--will-topic', 'w'],
  ['--cert', 'c'],
  ['--key', 'k'],
  ['--cert', 'c', '--key', 'k'],
  ['--psk', '1234'],
  ['--psk-identity', 'i'],
  ['--psk', 'xyz', '--psk-identity', 'i'],
  ['--psk', '12', '--psk-identity', 'i', '--cafile', 'f'],
  ['--psk', '12', '--psk-identity', 'i', '--capath', 'f'],
  ['--keyform', 'pem'],
  ['--keyform', 'foo'],
  ['--keyform', 'foo', '--cert', 'c', '--key', 'k'],
  ['--tls-engine-kpass-sha1', 'aa'],
  ['--tls-version', 'foo'],
  ['--tls-version', 'tlsv1.2'],
  ['--ciphers', 'foo'],
  ['--insecure'],
  ['--tls-alpn', 'mqtt'],
  ['--nodelay'],
  ['--quiet'],
  ['--proxy', 'foo'],
  ['--proxy', 'http://a'],
  ['--proxy', 'socks5h://'],
  ['--proxy', 'socks5h://host:foo'],
  ['--proxy', 'socks5h://localhost:{dead}'],
  ['--unix', '{dir}/none'],
  ['-A', '127.0.0.1'],
  ['-A', '192.0.2.1'],
  ['-h', '127.0.0.1'],
  ['-h', 'host.invalid'],
  ['-p', '{dead}'],
  ['-p', '{dead}', '--quiet'],
  ['-p', '{dead}', '-V', '5', '-d'],
  ['-i', '{id}'],
  ['-i', '{id}', '-c'],
  ['-i', '{id}', '-c', '-V', '5'],
  ['-i', '{id}', '-c', '-V', '5', '-x', '10'],
  ['-i', 'a', '-I', 'b'],
  ['-I', 'b', '-i', 'a'],
  ['-I', 'prefix'],
  ['-c'],
  ['-c', '-V', '5'],
  ['-c', '-I', 'b'],
  ['-c', '-V', '31'],
  ['-i', ''],
  ['-c', '-i', ''],
  ['-P', 'pw'],
  ['-u', 'user'],
  ['-u', 'user', '-P', 'pw'],
  ['-u', '', '-P', ''],
  ['-V', '5', '-P', 'pw'],
  ['-u', 'x\u0001y'],
  ['-m', 'twice'],
  ['-n'],
  ['-f', '/etc/hostname'],
  ['-t', 'b/+'],
  ['-t', '#'],
  ['-t', 'x\u0001y'],
  ['-t', '\uffff'],
  ['-t', 'other'],
  ['-D', 'connect'],
  ['-D', 'connect', 'receive-maximum'],
  ['-D', 'bogus', 'content-type', 'x'],
  ['-D', 'publish', 'bogus', 'x'],
  ['-D', 'publish', 'user-property', 'x'],
  ['-D', 'publish', 'user-property', 'x', 'y'],
  ['-D', 'PUBLISH', 'Content-Type', 'x'],
  ['-D', 'connect', 'content-type', 'x'],
  ['-D', 'publish', 'receive-maximum', '3'],
  ['-D', 'publish', 'subscription-identifier', '3'],
  ['-D', 'connect', 'receive-maximum', '0'],
  ['-D', 'connect', 'receive-maximum', 'foo'],
  ['-D', 'connect', 'receive-maximum', '-1'],
  ['-D', 'connect', 'receive-maximum', '65536'],
  ['-D', 'connect', 'receive-maximum', '5'],
  ['-D', 'connect', 'receive-maximum', '5', '-D', 'connect', 'receive-maximum', '6'],
  ['-D', 'connect', 'maximum-packet-size', '0'],
  ['-D', 'connect', 'maximum-packet-size', '1000'],
  ['-D', 'connect', 'topic-alias-maximum', '3'],
  ['-D', 'connect', 'request-problem-information', '0'],
  ['-D', 'connect', 'request-problem-information', '2'],
  ['-D', 'connect', 'request-response-information', '1'],
  ['-D', 'connect', 'session-expiry-interval', '3'],
  ['-D', 'connect', 'session-expiry-interval', '3', '-x', '4'],
  ['-D', 'connect', 'user-property', 'k', 'v'],
  ['-D', 'connect', 'authentication-method', 'nobody-knows'],
  ['-D', 'publish', 'content-type', 'a', '-D', 'publish', 'content-type', 'b'],
  ['-D', 'publish', 'payload-format-indicator', '1'],
  ['-D', 'publish', 'payload-format-indicator', '256'],
  ['-D', 'publish', 'message-expiry-interval', '4294967295'],
  ['-D', 'publish', 'message-expiry-interval', '4294967296'],
  ['-D', 'publish', 'response-topic', 'r/t'],
  ['-D', 'publish', 'correlation-data', 'abc'],
  ['-D', 'publish', 'correlation-data', ''],
  ['-D', 'publish', 'topic-alias', '0'],
  ['-D', 'publish', 'topic-alias', '4'],
  ['-D', 'publish', 'topic-alias', '65536'],
  ['-D', 'puback', 'reason-string', 'x'],
  ['-D', 'auth', 'reason-string', 'x'],
  ['-D', 'will', 'content-type', 'x', '--will-topic', 'w'],
  ['-D', 'will', 'will-delay-interval', '3', '--will-topic', 'w'],
  ['-D', 'will', 'receive-maximum', '3'],
  ['-D', 'disconnect', 'reason-string', 'bye'],
  ['-D', 'disconnect', 'session-expiry-interval', '0'],
  ['-D', 'subscribe', 'user-property', 'a', 'b'],
  ['-D', 'unsubscribe', 'user-property', 'a', 'b'],
  ['-D', 'unsubscribe', 'content-type', 'b'],
];

/** Values of sub's own options. */
const SUB_VALUES: readonly (readonly string[])[] = [
  ['-E'],
  ['-E', '-q', '1'],
  ['-E', '-q', '2'],
  ['-E', '-q', '3'],
  ['-E', '-c'],
  ['-E', '-c', '-i', '{id}'],
  ['-E', '-V', '31'],
  ['-E', '-V', '5'],
  ['-E', '-t', 'second', '-q', '1'],
  ['-E', '-U', 'gone'],
  ['-E', '-T', 'hidden'],
  ['-E', '-t', 'bad/#/x'],
  ['-E', '-t', 'bad+'],
  ['-E', '-T', 'bad#'],
  ['-E', '-U', 'bad#'],
  ['-E', '-t', '$SYS/#'],
  ['-E', '-t', '$share/group/topic'],
  ['-E', '-R'],
  ['-R', '--retained-only'],
  ['-C', '0'],
  ['-C', '-1'],
  ['-C', 'foo'],
  ['-W', '0'],
  ['-W', 'foo'],
  ['-W', '-1'],
  ['--random-filter', '0'],
  ['--random-filter', 'foo'],
  ['--random-filter', '0.05'],
  ['-E', '--random-filter', '50'],
  ['-E', '--retain-as-published', '-V', '5'],
  ['-E', '--pretty'],
  ['-E', '-N'],
  ['-E', '-v'],
  ['-E', '--quiet'],
  ['-E', '-k', '4'],
  ['-E', '-D', 'subscribe', 'subscription-identifier', '5'],
  ['-E', '-D', 'subscribe', 'user-property', 'a', 'b'],
  ['-E', '-D', 'publish', 'topic-alias', '5'],
  ['-E', '-D', 'connect', 'topic-alias-maximum', '5'],
  ['-E', '-p', '{dead}'],
  ['-E', '-h', 'host.invalid'],
];

/** Formats that both print alike; the topic `fmt/5` holds a message with properties. */
const FORMATS: readonly string[] = [
  ...['%%', '%', '@', '\\', '%z', '%5', '%-', '%0', '%.', '\\z', '\\q', '%5%', 'plain', ''],
  ...['[%A]', '[%5A]', '[%05A]', '[%-5A]', '[%C]', '[%20C]', '[%-20C]', '[%.3C]', '[%20.3C]', '[%D]', '[%5D]'],
  ...[
    '[%F]',
    '[%3F]',
    '[%03F]',
    '[%-3F]',
    '[%l]',
    '[%5l]',
    '[%05l]',
    '[%-5l]',
    '[%-05l]',
    '[%0-5l]',
    '[%5.3l]',
    '[%5.3.l]',
  ],
  ...[
    '[%m]',
    '[%4m]',
    '[%P]',
    '[%p]',
    '[%30p]',
    '[%8p]',
    '[%030p]',
    '[%-30p]',
    '[%.3p]',
    '[%q]',
    '[%5q]',
    '[%R]',
    '[%10R]',
  ],
  ...[
    '[%.1R]',
    '[%r]',
    '[%S]',
    '[%5S]',
    '[%05S]',
    '[%t]',
    '[%20t]',
    '[%-20t]',
    '[%.2t]',
    '[%20.2t]',
    '[%020t]',
    '[%x]',
    '[%X]',
  ],
  ...['a\\nb\\tc\\\\d', '\\e[1m%p\\e[0m', '\\0\\a\\v\\r', '@@', '@%', '%t %p', '%t: %q %r %l', '[%1000l]'],
];

const FORMATS_OF_PLAIN: readonly string[] = [
  ...[
    '[%A]',
    '[%5A]',
    '[%05A]',
    '[%C]',
    '[%20C]',
    '[%-5C]',
    '[%05C]',
    '[%D]',
    '[%E]',
    '[%8E]',
    '[%08E]',
    '[%F]',
    '[%3F]',
  ],
  ...['[%03F]', '[%P]', '[%4P]', '[%S]', '[%5S]', '[%05S]', '%p', '%x', '%X', '[%m]'],
];

function* formats(): Generator<Vector> {
  const one = [...BROKER, '-C', '1', '-t'];
  for (const format of FORMATS) yield { tool: 'sub', args: [...one, 'fmt/5', '-V', '5', '-F', format] };
  for (const format of FORMATS_OF_PLAIN) yield { tool: 'sub', args: [...one, 'fmt/plain', '-F', format] };
  for (const topic of ['fmt/5', 'fmt/plain', 'fmt/bytes']) {
    for (const flags of [[], ['-v'], ['-N'], ['-v', '-N'], ['-F', '%p', '-N'], ['-F', '%t', '-v']]) {
      yield { tool: 'sub', args: [...one, topic, ...flags] };
    }
  }
  for (const format of ['%J', '%J|%J']) yield { tool: 'sub', args: [...one, 'fmt/plain', '-F', format] };
}

function* traces(): Generator<Vector> {
  for (const version of ['31', '311', '5']) {
    for (const qos of ['0', '1', '2']) {
      const common = [...BROKER, '-V', version, '-q', qos, '-d', '-i', '{id}'];
      yield { tool: 'pub', args: [...common, '-t', 'trace', '-m', 'message'] };
      yield { tool: 'pub', args: [...common, '-t', 'trace', '-m', 'message', '--repeat', '2'] };
      // With acknowledgements it depends on the moment whether one comes before the next line is sent.
      const lines = qos === '0' ? 'one\n\nthree\nlast' : 'one';
      yield { tool: 'pub', args: [...common, '-t', 'trace', '-l'], input: lines };
      yield { tool: 'sub', args: [...common, '-t', 'fmt/plain', '-C', '1'] };
      yield { tool: 'sub', args: [...common, '-t', 'trace/a', '-t', 'trace/b/#', '-E'] };
    }
  }
  const five = [...BROKER, '-V', '5', '-d', '-i', '{id}'];
  yield { tool: 'pub', args: [...five, '-t', 'a', '-m', 'x', '--repeat', '3', '-D', 'publish', 'topic-alias', '4'] };
  yield { tool: 'pub', args: [...five, '-t', 'a', '-m', 'x', '-r'] };
  yield { tool: 'pub', args: [...five, '-t', 'a', '-n', '-r'] };
}

function* sources(): Generator<Vector> {
  const pub = [...BROKER, '-t', 'source'];
  yield { tool: 'pub', args: pub };
  yield { tool: 'pub', args: [...BROKER, '-m', 'x'] };
  yield { tool: 'pub', args: [...BROKER] };
  yield { tool: 'pub', args: [...pub, '-s'], input: '' };
  yield { tool: 'pub', args: [...pub, '-s', '-d', '-i', '{id}'], input: 'all\nof it' };
  yield { tool: 'pub', args: [...pub, '-l', '-d', '-i', '{id}'], input: '' };
  yield { tool: 'pub', args: [...pub, '-l', '-d', '-i', '{id}'], input: '\n' };
  yield { tool: 'pub', args: [...pub, '-n', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-f', '{dir}/none'] };
  yield { tool: 'pub', args: [...pub, '-f', '{dir}/empty', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-f', '{dir}/bytes', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-m', '-5', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-m', '', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-m', 'é ñ 漢', '-d', '-i', '{id}'] };
  yield { tool: 'pub', args: [...pub, '-m', 'a', '-m', 'b'] };
  yield { tool: 'pub', args: [...pub, '-m', 'a', '-n'] };
  yield { tool: 'pub', args: [...pub, '-n', '-s'] };
  yield { tool: 'pub', args: [...pub, '-f', 'x', '-l'] };
  yield { tool: 'pub', args: [...pub, '-l', '--repeat', '2', '-d', '-i', '{id}'], input: 'x\n' };
}

function* urls(): Generator<Vector> {
  for (const url of [
    'mqtt://localhost:{port}/url',
    'mqtt://127.0.0.1:{port}/a/b/c',
    'mqtt://user@localhost:{port}/url',
    'mqtt://user:pass@localhost:{port}/url',
    'MQTT://localhost:{port}/url',
    'mqtt://localhost:{port}',
    'mqtt://localhost:{port}/a/+',
    'mqtt://localhost:{dead}/a',
    'http://localhost/a',
    'localhost/a',
    '',
    'mqtt://localhost:65536/a',
    'mqtt://host.invalid:{port}/a',
  ]) {
    yield { tool: 'pub', args: ['-L', url, '-m', 'x'] };
    yield { tool: 'sub', args: ['-L', url, '-E'] };
  }
  yield { tool: 'sub', args: ['-L', 'mqtt://localhost:{port}/url', '-t', 'more', '-E', '-d', '-i', '{id}'] };
}

function* refusals(): Generator<Vector> {
  const locked = ['-p', '{locked}', '-t', 'a'];
  for (const version of ['31', '311', '5']) {
    const common = [...locked, '-V', version];
    yield { tool: 'pub', args: [...common, '-m', 'x'] };
    yield { tool: 'pub', args: [...common, '-m', 'x', '-u', 'alice', '-P', 'wrong'] };
    yield { tool: 'pub', args: [...common, '-m', 'x', '-u', 'alice', '-P', 'wrong', '--quiet'] };
    yield { tool: 'pub', args: [...common, '-m', 'x', '-u', 'alice', '-P', 'right', '-d', '-i', '{id}'] };
    yield { tool: 'sub', args: [...common, '-u', 'alice', '-P', 'wrong'] };
    yield { tool: 'sub', args: [...common, '-u', 'alice', '-P', 'right', '-E', '-d', '-i', '{id}'] };
  }
  // alice may not publish here; MQTT 5.0 says so, 3.x is silent.
  for (const qos of ['0', '1', '2']) {
    const args = [...locked, '-t', 'secret', '-u', 'alice', '-P', 'right', '-m', 'x', '-q', qos, '-d', '-i', '{id}'];
    yield { tool: 'pub', args: [...args, '-V', '5'] };
    yield { tool: 'pub', args: [...args, '-V', '311'] };
  }
}

function* optionsFiles(): Generator<Vector> {
  const pub = (lines: readonly string[], ...args: string[]): Vector => ({ tool: 'pub', args, optionsFile: lines });
  yield pub(['-p {port}', '-t file', '-m hello there', '-d', '-i {id}']);
  yield pub(['# comment', '', '-p {port}', '-t file', '-d', '-i {id}'], '-m', 'x');
  yield pub(['-p {port}', '-t file', '-q 1', '-d', '-i {id}'], '-m', 'x', '-q', '0');
  yield pub(['--bogus'], '-m', 'x');
  yield pub(['-p'], '-m', 'x');
  yield pub(['-q 5'], '-m', 'x');
  yield pub(['-m from file', '-p {port}'], '-t', 't', '-m', 'x');
  yield pub(['-t  two  blanks ', '-p {port}', '-d', '-i {id}'], '-m', 'x');
  yield { tool: 'sub', args: ['-E'], optionsFile: ['-p {port}', '-t file/#', '-v', '-d', '-i {id}'] };
  yield { tool: 'sub', args: ['-t', 'x', '-E'], optionsFile: ['-p {port}', '-t file/#', '-d', '-i {id}'] };
  yield { tool: 'sub', args: [], optionsFile: ['-p {port}', '--will-payload x', '-t a'] };
}

function* requests(): Generator<Vector> {
  const rr = (...args: string[]): Vector => ({ tool: 'rr', args: [...BROKER, ...args] });
  yield rr();
  yield rr('-t', 'a', '-m', 'x');
  yield rr('-t', 'a', '-e', 'b');
  yield rr('-e', 'b', '-m', 'x');
  yield rr('-t', 'a', '-e', 'b/#', '-m', 'x');
  yield rr('-t', 'a/#', '-e', 'b', '-m', 'x');
  yield rr('-t', 'a', '-e', 'b', '-m', 'x', '-n');
  yield rr('-t', 'a', '-e', 'b', '-m', 'x', '-W', '0');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello', '-v');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello', '-N');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello', '-F', '%t|%p|%R');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello', '-V', '311', '-v');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'hello', '-F', '%z');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-n', '-v');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-f', '{dir}/none');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'x', '-d', '-i', '{id}');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'x', '-d', '-i', '{id}', '-q', '1');
  yield rr('-t', '{id}/echo', '-e', '{id}/echo', '-m', 'x', '-p', '{dead}');
  yield rr('-t', 'silent', '-e', 'nobody', '-m', 'x', '-W', '1');
}

function* printed(): Generator<Vector> {
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    yield { tool, args: ['--help'] };
    yield { tool, args: ['--version'] };
    yield { tool, args: ['-q', '7', '--help'] };
    yield { tool, args: ['--help', '--bogus'] };
    yield { tool, args: [] };
  }
  yield { tool: 'sub', args: [...BROKER, '-t', 'nothing/here', '-W', '1'] };
  yield { tool: 'sub', args: [...BROKER, '-t', 'nothing/here', '-W', '1', '-d', '-i', '{id}'] };
  yield { tool: 'sub', args: [...BROKER, '-t', 'nothing/here', '-W', '1', '--quiet'] };
  yield { tool: 'sub', args: [...BROKER, '-t', 'fmt/plain', '-R', '-W', '1'] };
  yield { tool: 'sub', args: [...BROKER, '-t', 'fmt/plain', '-T', 'fmt/#', '-W', '1'] };
  yield { tool: 'sub', args: [...BROKER, '-t', 'fmt/plain', '--retained-only', '-W', '1'] };
}

/** All of them, in a fixed order. */
export function allVectors(): readonly Vector[] {
  const pub = [...BROKER, '-t', 'golden', '-m', 'x'];
  const sub = [...BROKER, '-t', 'golden'];
  return [
    ...missingArguments(),
    ...unknownOptions(),
    ...PUB_VALUES.map((args): Vector => ({ tool: 'pub', args: [...pub, ...args] })),
    ...SUB_VALUES.map((args): Vector => ({ tool: 'sub', args: [...sub, ...args] })),
    ...formats(),
    ...traces(),
    ...sources(),
    ...urls(),
    ...refusals(),
    ...optionsFiles(),
    ...requests(),
    ...printed(),
    ...spellings(),
  ];
}
