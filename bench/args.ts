/** The command line of `npm run bench`. */
import { join } from 'node:path';
import type { ProtocolLevel } from './generator/packets.ts';

export interface BenchOptions {
  /** Names of brokers to measure; empty means all that are installed. */
  readonly brokers: readonly string[];
  /** NAME=COMMAND given with --broker. */
  readonly custom: readonly { readonly name: string; readonly command: string }[];
  readonly baseline: string;
  readonly only: readonly string[];
  /** Which scenarios run when none is named. */
  readonly set: 'core' | 'guard' | 'all';
  readonly isList: boolean;
  readonly isHelp: boolean;
  readonly rounds: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  readonly payloadBytes: number;
  readonly level: ProtocolLevel;
  readonly brokerCores: string | undefined;
  readonly generatorCores: string | undefined;
  readonly outDirectory: string | undefined;
  readonly isRecord: boolean;
  /** File with recorded ratios to compare with. */
  readonly checkFile: string | undefined;
}

export const HELP = `Usage: npm run bench -- [options]

Starts every broker in turn, loads it from another core, counts every message, and prints
what it did per second of its own CPU time, with ratios to a baseline.

  --only ID[,ID…]        scenarios to run; * matches anything (default: the core set)
  --all                  every scenario, not only the core set
  --list                 print the scenarios and stop
  --quick                one round with a short window
  --guard                the two minutes of npm run bench:check: Moustique beside mosquitto, held against
                         bench/recorded/results.json
  --rounds N             rounds, interleaved between the brokers (default 3)
  --seconds S            measured window of a run (default 3)
  --warmup S             before the window (default 1)
  --payload BYTES        at least 16 (default 64)
  --mqtt5                MQTT 5.0 instead of 3.1.1
  --brokers NAME[,NAME…] only these, of moustique, moustique-open, moustique-durable, mosquitto,
                         mosquitto-durable, mosquitto-nodelay, aedes, forwarder, nats-server
                         (default: all that are installed)
  --broker NAME=COMMAND  one more broker, started by a shell; {port}, {transport}, {dir},
                         {certfile}, {keyfile} and {conf} (a mosquitto.conf) are replaced
  --baseline NAME        what ratios refer to (default mosquitto)
  --broker-cores LIST    cores of the broker, as for taskset (default 0)
  --generator-cores LIST cores of the generator (default 1)
  --out DIR              where results.json and results.md go (default bench/results)
  --record               write to bench/recorded instead, which is kept in the repository
  --check FILE           fail when a ratio of moustique is more than 25 % below the one
                         recorded in FILE (a results.json)
`;

/**
 * @param root - the repository, where recorded results are
 * @throws Error - naming the option and what it wants
 */
export function parseArgs(args: readonly string[], root: string): BenchOptions {
  const only: string[] = [];
  const brokers: string[] = [];
  const custom: { name: string; command: string }[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const withValue = new Set(
    '--rounds --seconds --warmup --payload --baseline --broker-cores --generator-cores --out --check'.split(' '),
  );

  for (let i = 0; i < args.length; i++) {
    const [option = '', inline] = splitOption(args[i] as string);
    const value = (): string => {
      const text = inline ?? args[++i];
      if (text === undefined) throw new Error(`${option} needs a value`);
      return text;
    };
    if (['--all', '--list', '--quick', '--guard', '--mqtt5', '--record', '--help', '-h'].includes(option)) {
      flags.add(option);
    } else if (option === '--only') {
      only.push(...value().split(',').filter(Boolean));
    } else if (option === '--brokers') {
      brokers.push(...value().split(',').filter(Boolean));
    } else if (option === '--broker') {
      const [name = '', ...command] = value().split('=');
      if (name === '' || command.length === 0) throw new Error('--broker wants NAME=COMMAND');
      custom.push({ name, command: command.join('=') });
    } else if (withValue.has(option)) {
      values.set(option, value());
    } else {
      throw new Error(`unknown option ${option}; --help lists them`);
    }
  }

  const number = (option: string, fallback: number, least: number): number => {
    const text = values.get(option);
    if (text === undefined) return fallback;
    const parsed = Number(text);
    if (!Number.isFinite(parsed) || parsed < least)
      throw new Error(`${option} ${text}: wants a number, at least ${least}`);
    return parsed;
  };
  const isGuard = flags.has('--guard');
  const isQuick = flags.has('--quick') || isGuard;
  if (isGuard && brokers.length === 0 && custom.length === 0) brokers.push('moustique', 'moustique-open', 'mosquitto');
  return {
    only,
    brokers,
    custom,
    baseline: values.get('--baseline') ?? 'mosquitto',
    set: flags.has('--all') ? 'all' : isGuard ? 'guard' : 'core',
    isList: flags.has('--list'),
    isHelp: flags.has('--help') || flags.has('-h'),
    rounds: Math.floor(number('--rounds', isGuard ? 2 : isQuick ? 1 : 3, 1)),
    warmupMs: number('--warmup', isQuick ? 0.5 : 1, 0) * 1000,
    windowMs: number('--seconds', isQuick ? 1 : 3, 0.1) * 1000,
    payloadBytes: Math.floor(number('--payload', 64, 16)),
    level: flags.has('--mqtt5') ? 5 : 4,
    brokerCores: values.get('--broker-cores'),
    generatorCores: values.get('--generator-cores'),
    outDirectory: values.get('--out'),
    isRecord: flags.has('--record'),
    checkFile: values.get('--check') ?? (isGuard ? join(root, 'bench/recorded/results.json') : undefined),
  };
}

/** `--name=value` in two; NAME=COMMAND of --broker keeps its own `=`. */
function splitOption(arg: string): [string, string | undefined] {
  const equals = arg.startsWith('--') ? arg.indexOf('=') : -1;
  return equals < 0 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}
