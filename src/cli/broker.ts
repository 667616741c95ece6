/** `moustique`: the broker as a program. Options, exit status and the order of its start are Mosquitto's. */
import { systemClock } from '../base/clock.ts';
import { version } from '../base/version.ts';
import type { Config, Notice } from '../config/config.ts';
import { ConfigErrors } from '../config/config-error.ts';
import { defaultConfig, parseConfigFile } from '../config/load-config.ts';
import { BrokerLogger } from '../observe/logger.ts';
import { PidFileError, startDaemon, takeDaemonMark, writePidFile } from '../server/daemon.ts';
import { logSettingsOf } from '../server/derive.ts';
import { type KeyLog, openKeyLog } from '../server/key-log.ts';
import { dropPrivileges, PrivilegeError, umaskFromEnvironment } from '../server/privileges.ts';
import { RunningBroker } from '../server/running-broker.ts';
import { handleSignals } from '../server/signals.ts';
import { StartError } from '../server/start-error.ts';
import { serviceManager } from '../server/systemd.ts';

/** Exit status for a wrong argument or configuration. */
const invalid = 3;
const pidFileStatus = 14;
/** `-p` may be given this often. */
const portsMax = 10;

interface Arguments {
  configFile: string | null;
  isDaemon: boolean;
  readonly ports: number[];
  verbosity: 'configured' | 'all' | 'none';
  isTest: boolean;
  isStrict: boolean;
  tlsKeyLog: string | null;
}

/** A word of the command line that means nothing, or not enough. */
class UsageError extends Error {}

/** What stays in force while the broker runs. */
interface Program {
  readonly args: Arguments;
  readonly logger: BrokerLogger;
  /** Null while it starts. */
  running: RunningBroker | null;
}

/**
 * Runs the broker until a signal ends it.
 *
 * @param argv - as `process.argv`
 * @returns the exit status
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first] = argv.slice(2);
  if (argv.slice(2).some((word) => word === '-h' || word === '--help')) {
    process.stdout.write(usage());
    return 0;
  }
  if (first === '--version') {
    process.stdout.write(`moustique ${version}\n`);
    return 0;
  }
  try {
    const args = parseArguments(argv.slice(2));
    const { config, notices } = readConfig(args);
    if (args.isTest) {
      printNotices(notices);
      process.stdout.write('Configuration file is OK.\n');
      return 0;
    }
    return await run(args, config, notices, argv, env);
  } catch (error) {
    return explain(error);
  }
}

async function run(
  args: Arguments,
  config: Config,
  notices: readonly Notice[],
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  if (args.isDaemon && !takeDaemonMark(env)) {
    await startDaemon({ execPath: process.execPath, execArgv: process.execArgv, argv, env });
    return 0;
  }
  const umask = umaskFromEnvironment(env);
  if (umask !== null) process.umask(umask);
  const user = config.origin['user'] === undefined ? null : config.global.user;
  const privilegeLines = dropPrivileges({ user, env });
  const removePidFile = config.global.pidFile === null ? () => {} : writePidFile(config.global.pidFile, process.pid);
  const clock = systemClock();
  const allowSymlinks = env['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] !== undefined;
  const logger = new BrokerLogger(logSettingsOf(config, args.verbosity), {
    clock,
    pid: process.pid,
    ident: 'moustique',
    allowSymlinks,
  });
  const end = async (status: number): Promise<number> => {
    removePidFile();
    await logger.close();
    return status;
  };
  for (const { type, line } of privilegeLines) logger.log(type, line);
  for (const { level, text } of notices) logger.log(level, text);
  logger.log('information', `moustique version ${version} starting`);
  logger.log(
    'information',
    args.configFile === null ? 'Using default config.' : `Config loaded from ${args.configFile}.`,
  );
  if (config.localOnly) logLocalOnly(logger);

  const program: Program = { args, logger, running: null };
  // Before anything can be reached: a TERM that comes while listeners open still ends in order, and SIGUSR1 is not Node's.
  const stopped = untilStopped(program);
  const keyLog = args.tlsKeyLog === null ? null : startKeyLog(args.tlsKeyLog, logger);

  let running: RunningBroker;
  try {
    running = await RunningBroker.start(config, {
      ...{ clock, logger, allowSymlinks, keyLog: keyLog?.write },
      dynsecPassword: env['MOSQUITTO_DYNSEC_PASSWORD'],
    });
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const line of error.lines) logger.log('error', line);
    return await end(error.exitCode);
  }
  program.running = running;
  logger.attachTopics(running.publishText);
  logger.log('information', `moustique version ${version} running`);
  const manager = serviceManager({ env, clock, pid: process.pid });
  manager.ready();
  const status = await stopped;
  manager.stopping();
  logger.log('information', `moustique version ${version} terminating`);
  await running.stop();
  return await end(status);
}

/** Settled by TERM, INT or a reload that fails; answers the other signals meanwhile, once there is a broker. */
function untilStopped(program: Program): Promise<number> {
  return new Promise<number>((resolve) => {
    handleSignals(
      {
        stop: () => resolve(0),
        stopNow: () => process.exit(1),
        reload: () => void reload(program).then((status) => (status === 0 ? undefined : resolve(status))),
        save: () => void program.running?.save(),
        printTree: () => process.stdout.write(program.running?.printTree() ?? ''),
        reopenLog: () => program.logger.reopen(),
      },
      systemClock(),
    );
  });
}

/** @returns 0, or the exit status of a broker that ends because of what it found, as Mosquitto 2.1 does */
async function reload({ args, logger, running }: Program): Promise<number> {
  if (running === null) return 0;
  logger.log('information', 'Reloading config.');
  try {
    const { config, notices } = readConfig(args);
    logger.reopen(logSettingsOf(config, args.verbosity));
    for (const { level, text } of notices) logger.log(level, text);
    await running.reload(config);
    running.logChanged();
    return 0;
  } catch (error) {
    if (error instanceof ConfigErrors) {
      for (const line of error.lines) logger.log('error', line);
      logger.log('error', 'Error: The broker goes on with the configuration it has.');
      return 0;
    }
    if (!(error instanceof StartError)) throw error;
    for (const line of error.lines) logger.log('error', line);
    return error.exitCode;
  }
}

function readConfig(args: Arguments): { config: Config; notices: readonly Notice[] } {
  const { configFile, ports, isStrict } = args;
  if (configFile === null) return { config: defaultConfig({ ports }), notices: [] };
  return parseConfigFile(configFile, { ports, strict: isStrict });
}

function parseArguments(words: readonly string[]): Arguments {
  const args: Arguments = {
    configFile: null,
    isDaemon: false,
    ports: [],
    verbosity: 'configured',
    isTest: false,
    isStrict: false,
    tlsKeyLog: null,
  };
  let isQuiet = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    switch (word) {
      case '-c':
      case '--config-file':
        args.configFile = words[++index] ?? null;
        if (args.configFile === null) throw new UsageError('Error: -c argument given, but no config file specified.');
        break;
      case '-d':
      case '--daemon':
        args.isDaemon = true;
        break;
      case '-p':
      case '--port':
        addPort(args.ports, words[++index]);
        break;
      case '-v':
      case '--verbose':
        args.verbosity = 'all';
        break;
      case '-q':
      case '--quiet':
        isQuiet = true;
        break;
      case '--test-config':
        args.isTest = true;
        break;
      case '--tls-keylog':
        args.tlsKeyLog = words[++index] ?? null;
        if (args.tlsKeyLog === null) throw new UsageError('Error: --tls-keylog argument given, but no file specified.');
        break;
      case '--strict':
        args.isStrict = true;
        break;
      default:
        throw new UsageError(`Error: Unknown option '${word}'.\n${usage()}`);
    }
  }
  if (isQuiet) args.verbosity = 'none';
  if (args.isTest && args.configFile === null) throw new UsageError('Please provide a configuration file to test.');
  return args;
}

function addPort(ports: number[], word: string | undefined): void {
  if (word === undefined) throw new UsageError('Error: -p argument given, but no port specified.');
  if (ports.length === portsMax)
    throw new UsageError(`Error: Only ${portsMax} ports can be specified on the command line.`);
  const port = Number.parseInt(word, 10);
  if (!(port >= 1 && port <= 65_535))
    throw new UsageError(`Error: Invalid port specified (${Number.isNaN(port) ? 0 : port}).`);
  ports.push(port);
}

/** What ended the program before the log was open goes to standard error, with Mosquitto's timestamp. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n`);
    return invalid;
  }
  const [lines, status] = linesOf(error);
  const seconds = Math.floor(systemClock().nowMs() / 1000);
  for (const line of lines) process.stderr.write(`${seconds}: ${line}\n`);
  return status;
}

function linesOf(error: unknown): [readonly string[], number] {
  if (error instanceof ConfigErrors || error instanceof StartError) return [error.lines, error.exitCode];
  if (error instanceof PidFileError) return [[error.message], pidFileStatus];
  if (error instanceof PrivilegeError) return [[error.message], invalid];
  throw error;
}

function printNotices(notices: readonly Notice[]): void {
  const seconds = Math.floor(systemClock().nowMs() / 1000);
  for (const { text } of notices) process.stderr.write(`${seconds}: ${text}\n`);
}

function startKeyLog(path: string, logger: BrokerLogger): KeyLog | null {
  const keyLog = openKeyLog(path);
  if (typeof keyLog === 'string') {
    logger.log('warning', `Warning: The keys of TLS connections are not logged: ${keyLog}.`);
    return null;
  }
  logger.log('notice', `TLS key logging is on: whoever reads ${path} can read what TLS connections carry.`);
  return keyLog;
}

function logLocalOnly(logger: BrokerLogger): void {
  logger.log(
    'warning',
    'Starting in local only mode. Connections will only be possible from clients running on this machine.',
  );
  logger.log('warning', 'Create a configuration file which defines a listener to allow remote access.');
  logger.log('warning', 'For more details see the option listener in docs/configuration.md.');
}

function usage(): string {
  return `moustique version ${version}

moustique is an MQTT v5.0/v3.1.1/v3.1 broker.

Usage: moustique [-c config_file] [-d] [-h] [-p port] [-v]

 -c, --config-file : specify the broker config file.
 -d, --daemon      : put the broker into the background after starting.
 -h, --help        : display this help.
 -p, --port        : start the broker listening on the specified port, on this machine only.
                     Not used when the config file defines a listener. May be repeated.
 -q, --quiet       : no logging at all, whatever the config file says.
 -v, --verbose     : verbose mode - enable all logging types. This overrides
                     any logging options given in the config file.
 --strict          : refuse every line that Mosquitto refuses, even when its meaning is plain.
 --test-config     : test the config file and exit.
 --tls-keylog      : append the keys of TLS connections to this file, for Wireshark. For debugging only.
 --version         : print the version and exit.

See docs/configuration.md for the options of the config file.
The tools are commands of moustique too: moustique help lists them.
`;
}
