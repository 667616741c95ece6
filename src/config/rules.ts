/** What holds between options, checked when everything has been read. */
import { type BuiltInPlugin, builtInFiles, builtInPlugin, optionsOfPlugin, pluginFile } from './built-in-plugins.ts';
import type { Notice } from './config.ts';
import type { ConfigError } from './config-error.ts';
import type { BridgeDraft, ConfigDraft, Entry, ListenerDraft, Section } from './draft.ts';
import { type OptionName, optionTable } from './options.ts';

/** What the rules found. */
export interface RuleFindings {
  readonly errors: readonly ConfigError[];
  readonly notices: readonly Notice[];
}

/**
 * Checks a draft whose lines are all in order.
 *
 * @param acceptUnsupported - do not refuse options that are understood but cannot be honoured yet
 */
export function checkRules(draft: ConfigDraft, acceptUnsupported: boolean): RuleFindings {
  const errors: ConfigError[] = [];
  const notices: Notice[] = [];
  const refuse: Refuse = (entry, message, exitCode = 3) => {
    const { file, line } = entry.origin;
    errors.push({ file, line, option: entry.writtenName, message, hint: null, includedAt: null, exitCode });
  };
  const warn: Warn = (entry, text) => {
    const { origin } = entry;
    const place = origin.line > 0 ? `${origin.file}:${origin.line}: ` : '';
    notices.push({ level: 'warning', text: `Warning: ${place}${text}`, origin });
  };
  for (const listener of openedListeners(draft)) checkListener(listener, refuse, warn);
  checkPluginFiles(draft, refuse);
  checkBridges(draft.bridges, refuse, warn);
  if (!acceptUnsupported) refuseUnsupported(draft, refuse);
  checkPlugins(draft, acceptUnsupported, refuse, warn);
  warnOfIneffective(draft, warn);
  for (const listener of openedListeners(draft)) warnOfUnreachable(draft, listener, warn);
  errors.sort((one, other) => (one.file === other.file ? one.line - other.line : one.file < other.file ? -1 : 1));
  return { errors, notices };
}

type Refuse = (entry: Entry, message: string, exitCode?: number) => void;
type Warn = (entry: Entry, text: string) => void;

function openedListeners(draft: ConfigDraft): readonly ListenerDraft[] {
  return draft.hasListener ? draft.listeners : [];
}

function checkListener({ values, opened }: ListenerDraft, refuse: Refuse, warn: Warn): void {
  const certfile = values.get('certfile');
  const keyfile = values.get('keyfile');
  const isTls = certfile !== undefined && keyfile !== undefined;
  const pskHint = values.get('psk_hint');
  const proxyVersion = values.get('enable_proxy_protocol');
  if (certfile !== undefined || keyfile !== undefined) {
    if (!isTls) {
      refuse(certfile ?? keyfile ?? opened, 'Both certfile and keyfile must be provided to enable a TLS listener.');
    }
    if (pskHint !== undefined) {
      refuse(pskHint, 'Cannot use both certificate and psk encryption in a single listener.');
    }
  } else {
    for (const name of ['cafile', 'capath'] as const) {
      const authority = values.get(name);
      if (authority !== undefined) refuse(authority, `${name} specified without certfile and keyfile.`);
    }
  }
  if (proxyVersion?.value === 2) {
    for (const name of ['certfile', 'keyfile', 'use_subject_as_username'] as const) {
      const other = values.get(name);
      if (isOn(other)) refuse(other, `${name} cannot be used with \`enable_proxy_protocol 2\`.`);
    }
  }
  const isCertificateSeen = isTls || pskHint !== undefined || proxyVersion !== undefined;
  for (const name of ['require_certificate', 'use_identity_as_username', 'use_subject_as_username'] as const) {
    const entry = values.get(name);
    if (isOn(entry) && !isCertificateSeen) {
      warn(entry, `'${name}' has no effect: the listener has no certfile and keyfile`);
    }
  }
  const required = values.get('require_certificate');
  if (isOn(required) && isTls && !values.has('cafile') && !values.has('capath')) {
    warn(required, "'require_certificate' refuses every client: there is no cafile to check certificates with");
  }
}

function isOn(entry: Entry | undefined): entry is Entry {
  return entry !== undefined && entry.value !== false;
}

function checkBridges(bridges: readonly BridgeDraft[], refuse: Refuse, warn: Warn): void {
  const localIds = new Set<string>();
  for (const { name, opened, values } of bridges) {
    const invalid = (what: string) => refuse(opened, `Invalid bridge configuration: ${what}.`);
    if (!values.has('address')) invalid('no remote addresses defined');
    if (!values.has('topic')) invalid('no topics defined');
    const psk = values.get('bridge_psk');
    if (psk !== undefined && !values.has('bridge_identity')) invalid('missing bridge_identity');
    if (psk === undefined && values.has('bridge_identity')) invalid('missing bridge_psk');
    const certificate = values.get('bridge_cafile') ?? values.get('bridge_capath') ?? values.get('bridge_certfile');
    if (psk !== undefined && certificate !== undefined) {
      refuse(psk, `'${name}': Cannot use both certificate and psk encryption in a single bridge.`);
    }
    const hasTls = ['bridge_cafile', 'bridge_capath', 'bridge_tls_use_os_certs', 'bridge_psk'] as const;
    const own = values.get('bridge_certfile') ?? values.get('bridge_keyfile');
    if (own !== undefined && !hasTls.some((option) => isOn(values.get(option)))) {
      const needs = 'bridge_cafile, bridge_capath or bridge_tls_use_os_certs';
      warn(own, `'${own.writtenName}' has no effect without ${needs}: bridge '${name}' is not encrypted`);
    }
    const insecure = values.get('bridge_insecure');
    if (isOn(insecure)) warn(insecure, `Bridge '${name}' using insecure mode.`);
    const remoteId = values.get('remote_clientid')?.value ?? `(host name).${name}`;
    const localId = String(values.get('local_clientid')?.value ?? `local.${String(remoteId)}`);
    if (localIds.has(localId)) {
      const advice = 'Try changing or setting the local_clientid value for one of the bridges.';
      refuse(values.get('local_clientid') ?? opened, `Bridge local_clientid '${localId}' is not unique. ${advice}`);
    }
    localIds.add(localId);
  }
}

function refuseUnsupported(draft: ConfigDraft, refuse: Refuse): void {
  for (const section of allSections(draft)) {
    for (const [name, entry] of section) refuseIfUnsupported(name, entry, entry.value, refuse);
  }
  for (const { opened } of draft.bridges) refuseIfUnsupported('connection', opened, opened, refuse);
}

function checkPlugins(draft: ConfigDraft, acceptUnsupported: boolean, refuse: Refuse, warn: Warn): void {
  const loaded = new Set<BuiltInPlugin>();
  for (const plugin of allPlugins(draft)) {
    const { path, opened, options } = plugin;
    const name = builtInPlugin(plugin);
    if (name === null) {
      if (acceptUnsupported) continue;
      const why = `"${path}" cannot be loaded, of all plugins only ${builtInFiles} are built in`;
      refuse(opened, `The '${opened.writtenName}' option is not supported: ${why}.`);
      continue;
    }
    if (name === 'mosquitto_dynamic_security' && loaded.has(name)) {
      refuse(opened, 'Dynamic security plugin can currently only be loaded once.');
    }
    loaded.add(name);
    const known = optionsOfPlugin(name);
    if (pluginFile([plugin], name) === null) {
      warn(opened, `${name} is not active, because it has no plugin_opt_${known[0]}`);
    }
    for (const [key] of options) {
      if (!known.includes(key.toLowerCase())) warn(opened, `'plugin_opt_${key}' has no effect on ${name}`);
    }
  }
  if (!loaded.has('mosquitto_dynamic_security')) return;
  for (const section of [draft.security, ...draft.listeners.map(({ values }) => values)]) {
    const scram = section.get('scram');
    if (isOn(scram)) warn(scram, "'scram' has no effect beside dynamic security");
  }
}

/** One file of each kind for a listener: by its option, or by the plugin that stands for it. */
function checkPluginFiles(draft: ConfigDraft, refuse: Refuse): void {
  const refused = new Set<Entry>();
  for (const { values, plugins } of [{ values: draft.security, plugins: draft.plugins }, ...draft.listeners]) {
    const all = [...draft.plugins, ...plugins.filter((one) => !draft.plugins.includes(one))];
    for (const [option, name] of [
      ['acl_file', 'mosquitto_acl_file'],
      ['password_file', 'mosquitto_password_file'],
    ] as const) {
      const [first, second] = all.filter((plugin) => builtInPlugin(plugin) === name);
      const entry = values.get(option) ?? draft.security.get(option);
      const other = second ?? (entry === undefined ? undefined : first);
      if (other === undefined || refused.has(other.opened)) continue;
      refused.add(other.opened);
      refuse(other.opened, `There is another '${option}' for the same listener.`);
    }
  }
}

function refuseIfUnsupported(name: OptionName, entry: Entry, value: unknown, refuse: Refuse): void {
  const row = optionTable[name];
  if (row?.unsupported === undefined) return;
  const { values, why } = row.unsupported;
  const given: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values !== undefined) {
    const refused = values.find((one) => given.includes(one));
    if (refused !== undefined) refuse(entry, `'${entry.writtenName} ${String(refused)}' is not supported: ${why}.`);
  } else if (JSON.stringify(value) !== JSON.stringify(row.default)) {
    refuse(entry, `The '${entry.writtenName}' option is not supported: ${why}.`);
  }
}

function allPlugins(draft: ConfigDraft) {
  return new Set([...draft.plugins, ...draft.loadedPlugins, ...draft.listeners.flatMap(({ plugins }) => plugins)]);
}

function allSections(draft: ConfigDraft): readonly Section[] {
  return [
    draft.global,
    draft.security,
    ...draft.listeners.map(({ values }) => values),
    ...draft.bridges.map(({ values }) => values),
    ...[...allPlugins(draft)].map(({ values }) => values),
  ];
}

/** Mosquitto drops the options of a default listener that is never opened; a reader of the file must learn of it. */
function warnOfIneffective(draft: ConfigDraft, warn: Warn): void {
  if (!draft.hasListener) {
    for (const { values } of draft.listeners) {
      for (const entry of values.values()) {
        const place = 'in local only mode, write it below a listener';
        warn(entry, `'${entry.writtenName}' has no effect ${place}`);
      }
    }
  }
  for (const section of [draft.security, ...draft.listeners.map(({ values }) => values)]) {
    warnOfOrphans(draft, section, warn);
  }
  if (draft.global.get('per_listener_settings')?.value !== true) return;
  for (const { values } of draft.listeners) {
    const entry = values.get('allow_anonymous');
    if (entry !== undefined) warn(entry, "'listener_allow_anonymous' is the better choice with per_listener_settings");
  }
}

/** Options that say how, without the one that says what: `moustique_auth_http_timeout` alone asks nobody. */
function warnOfOrphans(draft: ConfigDraft, section: Section, warn: Warn): void {
  for (const [prefix, main] of [
    ['moustique_auth_http_', 'moustique_auth_http_url'],
    ['moustique_auth_jwt_', 'moustique_auth_jwt_key_file'],
  ] as const) {
    if (section.has(main) || draft.security.has(main)) continue;
    for (const [name, entry] of section) {
      if (name.startsWith(prefix)) warn(entry, `'${name}' has no effect without ${main}`);
    }
  }
}

/** What is said of a listener that nobody can connect to, as far as the configuration knows. */
export const unreachable = 'no client can connect';

/** The commonest reason why nobody can connect: a listener alone, without a word about who may. */
function warnOfUnreachable(draft: ConfigDraft, listener: ListenerDraft, warn: Warn): void {
  const isPerListener = draft.global.get('per_listener_settings')?.value === true;
  const get = (name: OptionName) => listener.values.get(name) ?? (isPerListener ? undefined : draft.security.get(name));
  const isAnonymous = get('listener_allow_anonymous')?.value ?? get('allow_anonymous')?.value ?? false;
  const waysIn = [
    ...(['password_file', 'psk_file', 'use_identity_as_username', 'use_subject_as_username'] as const),
    ...(['moustique_auth_http_url', 'moustique_auth_jwt_key_file'] as const),
  ];
  const hasPlugin = draft.plugins.length > 0 || listener.plugins.length > 0;
  if (isAnonymous === true || hasPlugin || waysIn.some((name) => isOn(get(name)))) return;
  const { port, path } = listener.address;
  const place = path ?? `port ${port}`;
  const isOfFile = listener.opened.origin.line > 0;
  const advice = isOfFile
    ? 'give a password_file, or allow_anonymous true'
    : 'give authenticate, a passwordFile, or allowAnonymous: true';
  warn(listener.opened, `${unreachable} on ${place}: ${advice}`);
}
