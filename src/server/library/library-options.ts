/** Options of the library: those of mosquitto.conf, and what only a program can give. */
import type { Config, ListenerConfig, Notice } from '../../config/config.ts';
import { type ConfigError, ConfigErrors } from '../../config/config-error.ts';
import { type BrokerOptions, loadOptions } from '../../config/from-options.ts';
import { unreachable } from '../../config/rules.ts';
import { unexpected } from '../../config/value-types.ts';
import type { Authenticate, Authorize } from './access.ts';
import type { EnhancedMethod } from './authentication-methods.ts';
import type { LogLine } from './library-logger.ts';

export type { BridgeOptions, BrokerOptions, ListenerOptions, PluginOptions } from '../../config/from-options.ts';
export { type ConfigError, ConfigErrors };

/**
 * Options of `createBroker`: every option of mosquitto.conf in camelCase (docs/configuration.md), except `user` and `pidFile`,
 * which belong to a process, and three functions.
 */
export interface CreateBrokerOptions extends Omit<BrokerOptions, 'user' | 'pidFile'> {
  /** Decides who may come in, instead of `passwordFile` and `allowAnonymous`. */
  readonly authenticate?: Authenticate | undefined;
  /**
   * Enhanced authentication of MQTT 5.0: Authentication Method → how it goes, for clients that name one in their CONNECT. The others
   * come in as without it. See `scramSha256`.
   */
  readonly authenticationMethods?: Readonly<Record<string, EnhancedMethod>> | undefined;
  /** Decides what clients may do. Absent: everything. */
  readonly authorize?: Authorize | undefined;
  /**
   * Gets the log, of the types in `logType`. Absent: the log goes to `logDest`, and without that warnings and errors go to
   * standard error.
   */
  readonly log?: LogLine | undefined;
}

/** Options that were checked. */
export interface ReadOptions {
  readonly config: Config;
  readonly notices: readonly Notice[];
  /** What holds for streams that the program hands over: the options at the top, as for a listener without its own. */
  readonly handedOver: ListenerConfig;
  readonly authenticate: Authenticate | null;
  readonly authenticationMethods: ReadonlyMap<string, EnhancedMethod>;
  readonly authorize: Authorize | null;
  readonly log: LogLine | null;
}

const functionNames = ['authenticate', 'authorize', 'log'] as const;
const processNames = ['user', 'pidFile'] as const;

/**
 * Checks options.
 *
 * @throws ConfigErrors - naming every option with a wrong name or value
 */
export function readOptions(options: CreateBrokerOptions): ReadOptions {
  const errors: ConfigError[] = [];
  const given: Record<string, unknown> = { ...options };
  if (typeof options === 'object') for (const name of functionNames) checkFunction(name, given, errors);
  for (const name of processNames) {
    if (given[name] === undefined || given[name] === null) continue;
    wrong(errors, name, 'is an option of the moustique command; a broker inside a program leaves its process alone');
    delete given[name];
  }
  const { authenticate = null, authorize = null, log = null } = options ?? {};
  const authenticationMethods = readMethods(given['authenticationMethods'], errors);
  delete given['authenticationMethods'];
  for (const name of functionNames) delete given[name];
  if (isGiven(authenticate)) openToEverybody(given);
  // What is no object at all is for the table to complain about.
  const rest = isObject(options) ? { ...given, ...logDefaults(options) } : options;
  const { config, notices } = collect(errors, () => loadOptions(rest));
  const [handedOver] = loadOptions({ ...rest, listeners: [{ port: 0 }] }).config.listeners as [ListenerConfig];
  return {
    config,
    // Methods of the program are a way in that the configuration knows nothing of.
    notices: [
      ...notices.filter(({ text }) => authenticationMethods.size === 0 || !text.includes(unreachable)),
      ...ineffective(options),
    ],
    handedOver,
    authenticate,
    authenticationMethods,
    authorize,
    log,
  };
}

/** Every method has a name that a CONNECT can carry, and is a function. */
function readMethods(value: unknown, errors: ConfigError[]): ReadonlyMap<string, EnhancedMethod> {
  const methods = new Map<string, EnhancedMethod>();
  if (!isGiven(value)) return methods;
  if (!isObject(value)) {
    wrong(errors, 'authenticationMethods', unexpected('an object of functions', value).message);
    return methods;
  }
  for (const [name, method] of Object.entries(value)) {
    if (typeof method === 'function') methods.set(name, method as EnhancedMethod);
    else wrong(errors, `authenticationMethods["${name}"]`, unexpected('a function', method).message);
  }
  return methods;
}

/** Where a function decides, no listener is shut to everybody, and nobody need be warned of it. */
function openToEverybody(given: Record<string, unknown>): void {
  const open = (value: unknown): unknown => (!isGiven(value) || value === false ? true : value);
  given['allowAnonymous'] = open(given['allowAnonymous']);
  const { listeners } = given;
  if (!Array.isArray(listeners)) return;
  given['listeners'] = listeners.map((one: unknown) =>
    isObject(one)
      ? {
          ...one,
          allowAnonymous: open(one['allowAnonymous']),
          listenerAllowAnonymous: open(one['listenerAllowAnonymous']),
        }
      : one,
  );
}

/** A library is quiet unless it is told where to write: nothing but warnings and errors. */
function logDefaults({ log, logDest, logType }: CreateBrokerOptions): Pick<BrokerOptions, 'logDest' | 'logType'> {
  if (isGiven(log)) return { logDest: logDest ?? [] };
  return isGiven(logDest) || isGiven(logType) ? {} : { logType: ['error', 'warning'] };
}

/** What has no effect because a function decides. */
function ineffective(options: CreateBrokerOptions): readonly Notice[] {
  if (!isGiven(options.authenticate)) return [];
  const sections = [
    { place: '', section: options },
    ...(options.listeners ?? []).map((section, index) => ({ place: `listeners[${index}].`, section })),
  ];
  return sections.flatMap(({ place, section }) =>
    (['passwordFile', 'allowAnonymous', 'listenerAllowAnonymous'] as const)
      .filter((name) => name in section && isGiven(section[name as keyof typeof section]))
      .map((name): Notice => {
        const text = `Warning: ${place}${name} has no effect: authenticate decides who may come in.`;
        return { level: 'warning', text, origin: null };
      }),
  );
}

function checkFunction(name: string, given: Readonly<Record<string, unknown>>, errors: ConfigError[]): void {
  const value = given[name];
  if (isGiven(value) && typeof value !== 'function') wrong(errors, name, unexpected('a function', value).message);
}

/** Runs what may find more errors, and throws all of them together. */
function collect<T>(errors: readonly ConfigError[], work: () => T): T {
  let more: readonly ConfigError[] = [];
  try {
    const result = work();
    if (errors.length === 0) return result;
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    more = error.errors;
  }
  throw new ConfigErrors([...errors, ...more] as [ConfigError, ...ConfigError[]]); // one of them is not empty
}

function wrong(errors: ConfigError[], option: string, what: string): void {
  errors.push({
    file: 'options',
    line: 0,
    option,
    message: `${option}: ${what}`,
    hint: null,
    includedAt: null,
    exitCode: 3,
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
