/** A checked draft → a configuration: defaults filled in, security options handed to the listeners. */
import { pluginFile } from './built-in-plugins.ts';
import type {
  BridgeConfig,
  Config,
  GlobalConfig,
  ListenerConfig,
  ListenerValues,
  OptionValues,
  Origins,
  PluginConfig,
  SecurityConfig,
} from './config.ts';
import type { ConfigDraft, ListenerDraft, PluginDraft, Section } from './draft.ts';
import { defaultPort } from './listener-types.ts';
import { camelCase, type Scope } from './option.ts';
import { type OptionName, optionNames, optionTable } from './options.ts';

/**
 * Resolves a draft.
 *
 * @param ports - ports of the loopback listeners when no listener is configured; 1883 when there are none
 */
export function resolve(draft: ConfigDraft, ports: readonly number[]): Config {
  const localOnly = !draft.hasListener;
  const listeners = localOnly ? loopbackListeners(draft, ports) : draft.listeners;
  return {
    file: draft.file,
    global: valuesOf('global', draft.global) as GlobalConfig, // made from the very rows that make the type
    security: securityOf([draft.security], localOnly),
    listeners: listeners.map((listener) => resolveListener(draft, listener)),
    localOnly,
    bridges: draft.bridges.map(({ name, opened, values }) => {
      const rows = valuesOf('bridge', values) as OptionValues<'bridge'>; // as above
      return { ...rows, name, origin: { connection: opened.origin, ...originsOf(values) } } satisfies BridgeConfig;
    }),
    plugins: draft.plugins.map(resolvePlugin),
    origin: { ...originsOf(draft.security), ...originsOf(draft.global) },
  };
}

/** Mosquitto: in local-only mode the options of a default listener are dropped. */
function loopbackListeners(draft: ConfigDraft, ports: readonly number[]): readonly ListenerDraft[] {
  const origin = { file: draft.file ?? '', line: 0 };
  const opened = { value: null, origin, writtenName: 'listener' };
  return (ports.length === 0 ? [defaultPort] : ports).flatMap((port) =>
    ['127.0.0.1', '::1'].map((host): ListenerDraft => {
      return { kind: 'local-only', address: { port, host, path: null }, opened, values: new Map(), plugins: [] };
    }),
  );
}

function resolveListener(draft: ConfigDraft, listener: ListenerDraft): ListenerConfig {
  const { kind, address, opened, values } = listener;
  const isPerListener = draft.global.get('per_listener_settings')?.value === true;
  const isLocal = kind === 'local-only';
  const { listenerAllowAnonymous, listenerAutoIdPrefix, ...own } = valuesOf(
    'listener',
    values,
  ) as OptionValues<'listener'>;
  const plugins = [...draft.plugins, ...listener.plugins];
  const security = securityOf(isPerListener ? [values] : [values, draft.security], isLocal);
  return {
    ...(own satisfies ListenerValues),
    ...security,
    aclFile: security.aclFile ?? pluginFile(plugins, 'mosquitto_acl_file'),
    passwordFile: security.passwordFile ?? pluginFile(plugins, 'mosquitto_password_file'),
    allowAnonymous: listenerAllowAnonymous ?? security.allowAnonymous,
    autoIdPrefix: listenerAutoIdPrefix ?? security.autoIdPrefix,
    kind,
    ...address,
    plugins: listener.plugins.map(resolvePlugin),
    origin: isLocal ? {} : { listener: opened.origin, ...originsOf(values) },
  };
}

function resolvePlugin({ name, path, options, opened, openedBy, values }: PluginDraft): PluginConfig {
  const rows = valuesOf('plugin', values) as OptionValues<'plugin'>; // made from the very rows that make the type
  return { ...rows, name, path, options, origin: { [openedBy]: opened.origin, ...originsOf(values) } };
}

/** @param sections - the first that has an option decides */
function securityOf(sections: readonly Section[], isLocalOnly: boolean): SecurityConfig {
  const merged: Section = new Map(sections.toReversed().flatMap((section) => [...section]));
  const rows = valuesOf('security', merged) as OptionValues<'security'>; // made from the very rows that make the type
  return { ...rows, allowAnonymous: rows.allowAnonymous ?? isLocalOnly };
}

function valuesOf(scope: Scope, section: Section): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const name of valueNames(scope)) {
    const entry = section.get(name);
    values[camelCase(name)] = entry === undefined ? optionTable[name]?.default : entry.value;
  }
  return values;
}

/** The options of a scope that carry a value of their own, in the order of the table. */
export function valueNames(scope: Scope): readonly OptionName[] {
  return valueNamesByScope.get(scope) ?? [];
}

const valueNamesByScope = new Map<Scope, OptionName[]>();
for (const name of optionNames) {
  const row = optionTable[name];
  if (row === undefined || row.opens !== undefined || row.ignored !== undefined) continue;
  const names = valueNamesByScope.get(row.scope) ?? [];
  valueNamesByScope.set(row.scope, names);
  names.push(name);
}

function originsOf(section: Section): Origins {
  return Object.fromEntries([...section].map(([name, { origin }]) => [name, origin]));
}
