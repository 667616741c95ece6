/** All rows, and how a written name finds its row. */
import { nearestWord } from '../base/suggest.ts';
import type { OptionRow, OptionTable } from './option.ts';
import { authenticatorOptions } from './options/authenticators.ts';
import { bridgeOptions } from './options/bridge.ts';
import { generalOptions } from './options/general.ts';
import { historyOptions } from './options/history.ts';
import { httpOptions } from './options/http.ts';
import { listenerOptions } from './options/listener.ts';
import { loggingOptions } from './options/logging.ts';
import { messageOptions } from './options/messages.ts';
import { persistenceOptions } from './options/persistence.ts';
import { pluginOptions } from './options/plugin.ts';
import { securityOptions } from './options/security.ts';
import { tlsOptions } from './options/tls.ts';
import { websocketOptions } from './options/websockets.ts';

/** Every option of mosquitto.conf that is known, by its name. */
export const optionRows = {
  ...listenerOptions,
  ...securityOptions,
  ...authenticatorOptions,
  ...tlsOptions,
  ...websocketOptions,
  ...httpOptions,
  ...messageOptions,
  ...persistenceOptions,
  ...historyOptions,
  ...loggingOptions,
  ...generalOptions,
  ...pluginOptions,
  ...bridgeOptions,
} as const;

/** The name of an option as the table has it. */
export type OptionName = keyof typeof optionRows;

/** The table by plain string names, in the order of the documentation. */
export const optionTable: OptionTable = optionRows;

/** The names of all rows, in the order of the documentation. */
export const optionNames = Object.keys(optionRows) as readonly OptionName[];

/** The chapters of the documentation. */
export const optionGroups: readonly { readonly title: string; readonly rows: OptionTable }[] = [
  { title: 'Listeners', rows: listenerOptions },
  { title: 'Security', rows: securityOptions },
  { title: 'Authentication by others', rows: authenticatorOptions },
  { title: 'TLS', rows: tlsOptions },
  { title: 'WebSockets', rows: websocketOptions },
  { title: 'Web console', rows: httpOptions },
  { title: 'Messages and sessions', rows: messageOptions },
  { title: 'Data on disk', rows: persistenceOptions },
  { title: 'History', rows: historyOptions },
  { title: 'Logging', rows: loggingOptions },
  { title: 'General', rows: generalOptions },
  { title: 'Plugins', rows: pluginOptions },
  { title: 'Bridges', rows: bridgeOptions },
];

/** A row found by a written name. */
export interface FoundOption {
  /** as in the table, also when an alias was written */
  readonly name: OptionName;
  readonly row: OptionRow;
  /** what follows the prefix, for `plugin_opt_KEY` */
  readonly key: string;
}

const byWrittenName: ReadonlyMap<string, OptionName> = new Map(
  optionNames.flatMap((name) =>
    [name, ...(optionTable[name]?.aliases ?? [])].map((written) => [written, name] as const),
  ),
);

const prefixes: readonly (readonly [prefix: string, name: OptionName])[] = [...byWrittenName].filter(
  ([, name]) => optionTable[name]?.isPrefix === true,
);

/**
 * The row for a name as written, exactly: aliases count, upper case does not.
 *
 * @returns `undefined` for an unknown option
 */
export function findOption(written: string): FoundOption | undefined {
  const prefix = prefixes.find(([start]) => written.startsWith(start));
  const name = prefix?.[1] ?? byWrittenName.get(written);
  const row = name === undefined ? undefined : optionTable[name];
  if (name === undefined || row === undefined) return undefined;
  return { name, row, key: prefix === undefined ? '' : written.slice(prefix[0].length) };
}

/** The known name that an unknown one most probably stands for. */
export function suggestOption(written: string): string | undefined {
  const meant = renamed[written];
  return meant ?? nearestWord(written, byWrittenName.keys());
}

/** Names that people know from elsewhere: Mosquitto 1.x, other brokers, the command line. */
const renamed: Readonly<Record<string, OptionName>> = {
  address_family: 'socket_domain',
  anonymous: 'allow_anonymous',
  auth_plugin_path: 'plugin',
  bind: 'bind_address',
  host: 'listener',
  max_clients: 'max_connections',
  max_connection: 'max_connections',
  max_message_size: 'max_packet_size',
  passwd_file: 'password_file',
  store_clean_interval: 'autosave_interval',
  tls_cert: 'certfile',
  tls_key: 'keyfile',
  websocket: 'protocol',
};
