/**
 * Files of mosquitto.conf → a draft. Every line is looked at, whatever was wrong before, so that one run names all
 * errors; a section whose opening line is wrong still takes its options, so that they cause no errors of their own.
 */
import type { Notice, Origin } from './config.ts';
import type { ConfigError } from './config-error.ts';
import {
  type BridgeDraft,
  type ConfigDraft,
  type Entry,
  emptyDraft,
  type ListenerDraft,
  type PluginDraft,
  type Section,
} from './draft.ts';
import { includedFilesMax, includedNames, joined } from './include-dir.ts';
import { defaultPort, type ListenerAddress } from './listener-types.ts';
import { type ValueContext, ValueError } from './option.ts';
import { type FoundOption, findOption, suggestOption } from './options.ts';
import type { LoadedPlugin } from './plugin-types.ts';
import { fileSizeMax, type OptionLine, readLines } from './read-lines.ts';
import type { ConfigSource } from './source.ts';

/** What reading a configuration gives. */
export interface ParsedFiles {
  readonly draft: ConfigDraft;
  readonly errors: readonly ConfigError[];
  readonly notices: readonly Notice[];
}

/** Reads a main file and what it includes. */
export function parseFiles(path: string, source: ConfigSource, isStrict: boolean): ParsedFiles {
  const parser = new Parser(source, isStrict, emptyDraft(path));
  parser.readMainFile(path);
  return parser;
}

/** What lines of one file refer to; each included file begins with nothing. */
interface FileScope {
  readonly file: string;
  readonly includedAt: Origin | null;
  listener: ListenerDraft | null;
  bridge: BridgeDraft | null;
  plugin: PluginDraft | null;
}

/** One line with all that is known about it. */
interface Here {
  readonly scope: FileScope;
  readonly line: OptionLine;
  readonly found: FoundOption;
  readonly origin: Origin;
}

class Parser implements ParsedFiles {
  readonly draft: ConfigDraft;
  readonly errors: ConfigError[] = [];
  readonly notices: Notice[] = [];
  readonly #source: ConfigSource;
  readonly #isStrict: boolean;
  #defaultListener: ListenerDraft | null = null;
  #hasSecurityOption = false;

  constructor(source: ConfigSource, isStrict: boolean, draft: ConfigDraft) {
    this.#source = source;
    this.#isStrict = isStrict;
    this.draft = draft;
  }

  readMainFile(path: string): void {
    const problem = this.#readFile(path, null);
    if (problem !== undefined) this.#addError({ file: path, message: problem });
  }

  /** @returns what hindered reading the file as such; errors in its lines are added to the list */
  #readFile(path: string, includedAt: Origin | null): string | undefined {
    const bytes = this.#bytesOf(path);
    if (typeof bytes === 'string') return bytes;
    const { lines, endedAt, hadByteOrderMark } = readLines(bytes, this.#isStrict);
    if (hadByteOrderMark)
      this.#warn('the file begins with a byte order mark, which is ignored', { file: path, line: 1 });
    const scope: FileScope = { file: path, includedAt, listener: null, bridge: null, plugin: null };
    for (const line of lines) this.#readLine(scope, line);
    if (endedAt > 0)
      this.#warn('a NUL byte ends the file: this line and those below are not read', { file: path, line: endedAt });
    return undefined;
  }

  #bytesOf(path: string): Uint8Array | string {
    if (this.#source.isDirectory(path)) return `Config file '${path}' is a directory.`;
    try {
      const bytes = this.#source.readFile(path);
      return bytes.byteLength <= fileSizeMax ? bytes : `Config file '${path}' is larger than ${fileSizeMax} bytes.`;
    } catch {
      return `Unable to open config file '${path}'.`;
    }
  }

  #readLine(scope: FileScope, line: OptionLine): void {
    const origin = { file: scope.file, line: line.line };
    const found = findOption(line.name);
    const at = { file: scope.file, line: line.line, option: line.name, includedAt: scope.includedAt };
    if (found === undefined) {
      const message = `Unknown configuration variable '${line.name}'.`;
      this.#addError({ ...at, message, hint: unknownHint(line) });
      return;
    }
    try {
      this.#readOption({ scope, line, found, origin });
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const { message, hint = null, exitCode } = error;
      this.#addError({ ...at, message, hint, exitCode });
    }
  }

  #readOption(here: Here): void {
    const { row } = here.found;
    if (row.deprecated !== undefined) {
      const notice = `The '${here.line.name}' option is now deprecated and will be removed in version 3.0.`;
      this.#notice('notice', `${notice} ${row.deprecated.instead}`.trimEnd(), here.origin);
    }
    if (row.ignored?.warning !== undefined) this.#notice('warning', row.ignored.warning, here.origin);
    switch (row.opens) {
      case 'listener':
        return this.#openListener(here);
      case 'default-port':
      case 'default-host':
        return this.#placeDefaultListener(here);
      case 'connection':
        return this.#openBridge(here);
      case 'plugin':
      case 'global-plugin':
      case 'loaded-plugin':
        return this.#openPlugin(here);
      case 'plugin-use':
        return this.#usePlugin(here);
      case 'plugin-option':
        return this.#setPluginOption(here);
      case 'include':
        return this.#include(here);
      case undefined:
        return this.#setValue(here);
    }
  }

  #setValue(here: Here): void {
    const { name, row } = here.found;
    if (name === 'per_listener_settings') return this.#setPerListener(here);
    const section = this.#sectionFor(here);
    const before = section.get(name);
    const repeat = row.repeat ?? (row.type.reads === 'line' ? 'refuse' : 'replace');
    if (before !== undefined && repeat === 'refuse') throw new ValueError(duplicate(here), hintFirst(before));
    const value = this.#value(here, repeat === 'collect' ? before?.value : undefined);
    const earlier = repeat === 'collect' ? (before?.origin.words ?? []) : [];
    const { text } = here.line;
    const words = [...earlier, row.type.reads === 'word' ? (text.words()[0] ?? '') : text.trimmed()];
    section.set(name, { value, origin: { ...here.origin, words }, writtenName: here.line.name });
    if (name === 'message_size_limit') {
      const advice = 'Note: It is recommended to replace `message_size_limit` with `max_packet_size`.';
      this.#notice('notice', advice, here.origin);
    }
  }

  #setPerListener(here: Here): void {
    const value = this.#value(here) === true;
    if (value && this.#hasSecurityOption) {
      throw new ValueError('per_listener_settings must be set before any other security settings.');
    }
    // Mosquitto: once true it stays true.
    if (value || !this.draft.global.has('per_listener_settings')) {
      this.draft.global.set('per_listener_settings', { value, origin: here.origin, writtenName: here.line.name });
    }
  }

  get #isPerListener(): boolean {
    return this.draft.global.get('per_listener_settings')?.value === true;
  }

  #sectionFor(here: Here): Section {
    const { scope, line, found } = here;
    const requires = (what: string) =>
      new ValueError(`The '${line.name}' option requires ${what} to be defined first.`);
    switch (found.row.scope) {
      case 'global':
        return this.draft.global;
      case 'security':
        if (!this.#isPerListener) {
          this.#hasSecurityOption = true;
          return this.draft.security;
        }
        if (scope.listener === null) throw requires('a listener');
        return scope.listener.values;
      case 'listener':
        if (scope.listener === null && found.row.beforeListener === 'creates') this.#createDefaultListener(here);
        if (scope.listener === null) throw requires('a listener');
        return scope.listener.values;
      case 'bridge':
        if (scope.bridge === null) throw requires('a bridge');
        return scope.bridge.values;
      case 'plugin':
        if (scope.plugin === null) throw requires('plugin/global_plugin/plugin_load');
        return scope.plugin.values;
    }
  }

  #openListener(here: Here): void {
    this.draft.hasListener = true;
    here.scope.listener = newListener('configured', { port: 0, host: null, path: null }, here);
    here.scope.listener.address = this.#value(here) as ListenerAddress; // listenerAddress() reads this row
    this.draft.listeners.push(here.scope.listener);
  }

  /** Mosquitto: `port` and `bind_address` make the default listener current again, also below other listeners. */
  #placeDefaultListener(here: Here): void {
    this.draft.hasListener = true;
    const listener = this.#createDefaultListener(here);
    const before = listener.values.get(here.found.name);
    const value = this.#value(here);
    if (before !== undefined && typeof value === 'string') {
      throw new ValueError(`Duplicate 'default listener bind_address' value in configuration.`, hintFirst(before));
    }
    if (before !== undefined) {
      const warning = 'Warning: Default listener port specified multiple times. Only the latest will be used.';
      this.#notice('warning', warning, here.origin);
    }
    listener.values.set(here.found.name, { value, origin: here.origin, writtenName: here.line.name });
    if (typeof value === 'number') listener.address = { ...listener.address, port: value };
    if (typeof value === 'string') listener.address = { ...listener.address, host: value };
  }

  #createDefaultListener(here: Here): ListenerDraft {
    if (this.#defaultListener === null) {
      this.#defaultListener = newListener('default', { port: defaultPort, host: null, path: null }, here);
      this.draft.listeners.push(this.#defaultListener);
      this.#notice('information', `Creating default listener due to '${here.line.name}' option.`, here.origin);
      this.#notice('information', "It is best practice to define a 'listener' first.", here.origin);
    }
    here.scope.listener = this.#defaultListener;
    return this.#defaultListener;
  }

  #openBridge(here: Here): void {
    const nameless = { name: '', opened: entry(here), values: new Map() };
    here.scope.bridge = nameless;
    const name = String(this.#value(here));
    const other = this.draft.bridges.find((bridge) => bridge.name === name);
    if (other !== undefined) throw new ValueError(`Duplicate bridge name '${name}'.`, hintFirst(other.opened));
    here.scope.bridge = { ...nameless, name };
    this.draft.bridges.push(here.scope.bridge);
  }

  #openPlugin(here: Here): void {
    const { found, scope } = here;
    const opened = { opened: entry(here), openedBy: found.name, options: [], values: new Map() };
    scope.plugin = { name: null, path: '', ...opened };
    if (found.row.opens === 'loaded-plugin') {
      const { name, path } = this.#value(here) as LoadedPlugin; // loadedPlugin() reads this row
      const other = this.draft.loadedPlugins.find((plugin) => plugin.name === name);
      if (other !== undefined) throw new ValueError(`Duplicate plugin name '${name}'.`, hintFirst(other.opened));
      scope.plugin = { name, path, ...opened };
      this.draft.loadedPlugins.push(scope.plugin);
      return;
    }
    const isForListener = found.row.opens === 'plugin' && this.#isPerListener;
    if (isForListener && scope.listener === null) {
      throw new ValueError(`The '${here.line.name}' option requires a listener to be defined first.`);
    }
    if (found.row.opens === 'plugin' && !isForListener) this.#hasSecurityOption = true;
    scope.plugin = { name: null, path: String(this.#value(here)), ...opened };
    const plugins = isForListener ? scope.listener?.plugins : this.draft.plugins;
    plugins?.push(scope.plugin);
  }

  #usePlugin(here: Here): void {
    const { scope } = here;
    if (scope.listener === null) {
      throw new ValueError(`The '${here.line.name}' option requires a listener to be defined first.`);
    }
    const name = String(this.#value(here));
    const plugin = this.draft.loadedPlugins.find((loaded) => loaded.name === name);
    if (plugin === undefined) throw new ValueError(`Plugin '${name}' not previously loaded.`);
    scope.listener.plugins.push(plugin);
  }

  #setPluginOption(here: Here): void {
    const { scope, found, line } = here;
    if (scope.plugin === null) {
      const what = 'plugin/global_plugin/plugin_load';
      throw new ValueError(`The '${line.name}' option requires ${what} to be defined first.`);
    }
    if (found.key === '') throw new ValueError(`Invalid '${line.name}' config option.`, 'write plugin_opt_KEY VALUE');
    scope.plugin.options.push([found.key, String(this.#value(here))]);
  }

  #include(here: Here): void {
    const { scope, origin } = here;
    if (scope.includedAt !== null) {
      throw new ValueError('The include_dir option is only valid in the main configuration file.');
    }
    const directory = String(this.#value(here));
    for (const name of this.#namesIn(directory)) {
      const file = joined(directory, name);
      this.#notice('information', `Loading config file '${file}'`, origin);
      const problem = this.#readFile(file, origin);
      if (problem !== undefined) {
        this.#addError({ file: origin.file, line: origin.line, option: here.line.name, message: problem });
      }
    }
  }

  #namesIn(directory: string): readonly string[] {
    let names: readonly string[];
    try {
      names = includedNames(this.#source.listDirectory(directory));
    } catch {
      throw new ValueError(`Unable to open include_dir '${directory}'.`);
    }
    if (names.length <= includedFilesMax) return names;
    throw new ValueError(`Unable to open include_dir '${directory}'.`, `it holds more than ${includedFilesMax} files`);
  }

  #value(here: Here, soFar?: unknown): unknown {
    const context: ValueContext = {
      name: here.line.name,
      isStrict: this.#isStrict,
      source: this.#source,
      warn: (text) => this.#warn(`${here.line.name}: ${text}`, here.origin),
    };
    return here.found.row.type.parse(here.line.text, context, soFar);
  }

  #warn(text: string, origin: Origin): void {
    this.#notice('warning', `Warning: ${origin.file}:${origin.line}: ${text}`, origin);
  }

  #notice(level: Notice['level'], text: string, origin: Origin): void {
    this.notices.push({ level, text, origin });
  }

  #addError(error: Partial<ConfigError> & Pick<ConfigError, 'file' | 'message'>): void {
    this.errors.push({ line: 0, option: '', hint: null, includedAt: null, exitCode: 3, ...error });
  }
}

function newListener(kind: ListenerDraft['kind'], address: ListenerAddress, here: Here): ListenerDraft {
  return { kind, address, opened: entry(here), values: new Map(), plugins: [] };
}

function entry(here: Here): Entry {
  return { value: null, origin: here.origin, writtenName: here.line.name };
}

function duplicate(here: Here): string {
  if (here.found.name === 'address') return "Invalid bridge configuration, 'address' only allowed once.";
  return `Duplicate '${here.line.name}' value in configuration.`;
}

function hintFirst({ origin }: Entry): string {
  return `first given at ${origin.file}:${origin.line}`;
}

/** What is probably wrong with a line that begins with no known option. */
function unknownHint({ name, text }: OptionLine): string {
  if (name.startsWith('#')) return 'unknown option. A comment must begin in the first column.';
  const [word = ''] = name.split('\t').filter((part) => part !== '');
  if (name.includes('\t') && findOption(word) !== undefined) {
    return `unknown option. Separate with spaces: the TAB makes it another word than '${word}'.`;
  }
  const lower = name
    .toLowerCase()
    .replace(/[:=].*$/, '')
    .replaceAll('-', '_');
  const meant = findOption(lower)?.name ?? suggestOption(lower);
  if (meant === undefined) return 'unknown option.';
  const isAssignment = /[:=]/.test(name) || /^ *=/.test(text.text);
  return `unknown option. Did you mean '${meant}'?${isAssignment ? ' Separate its value with a space.' : ''}`;
}
