/** The library's options: the same rows in camelCase, checked by the compiler and again when run. */
import { nearestWord } from '../base/suggest.ts';
import type { BridgeConfig, Config, OptionValues, Origin } from './config.ts';
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
import type { ListenerAddress } from './listener-types.ts';
import { finishConfig, type LoadedConfig } from './load-config.ts';
import { camelCase, type Scope, ValueError } from './option.ts';
import { type OptionName, optionTable } from './options.ts';
import { valueNames } from './resolve.ts';
import { isIntegerWithin, unexpected } from './value-types.ts';

/** Some of the options of a scope; `undefined` and `null` mean the default. */
type Some<S extends Scope> = { readonly [Name in keyof OptionValues<S>]?: OptionValues<S>[Name] | null | undefined };

/** One listener of {@link BrokerOptions}: where it listens, its options, and security options of its own. */
export interface ListenerOptions extends Some<'listener'>, Some<'security'> {
  /** 0..65535, where 0 means any free port; 1883 when absent */
  readonly port?: number | undefined;
  /** address or name to bind; all addresses when absent */
  readonly host?: string | null | undefined;
  /** path of a Unix socket, instead of `port` and `host` */
  readonly path?: string | null | undefined;
}

/** One bridge of {@link BrokerOptions}. */
export interface BridgeOptions extends Omit<Some<'bridge'>, 'address' | 'topic'> {
  readonly name: string;
  readonly address: BridgeConfig['address'];
  readonly topic: readonly (Pick<BridgeConfig['topic'][number], 'pattern'> & Partial<BridgeConfig['topic'][number]>)[];
}

/** One plugin of {@link BrokerOptions}. */
export interface PluginOptions extends Some<'plugin'> {
  readonly path: string;
  /** `plugin_opt_KEY` */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/**
 * Options of a broker: every option of mosquitto.conf in camelCase.
 *
 * `per_listener_settings` is not needed here: security options stand at the top for all listeners, and in a listener for
 * it alone.
 */
export interface BrokerOptions extends Omit<Some<'global'>, 'perListenerSettings'>, Some<'security'> {
  /** Absent: port 1883 on this machine only, open to anonymous clients. An empty array: none. */
  readonly listeners?: readonly ListenerOptions[] | undefined;
  readonly bridges?: readonly BridgeOptions[] | undefined;
  readonly plugins?: readonly PluginOptions[] | undefined;
}

const noFile: Origin = { file: 'options', line: 0 };

/**
 * The configuration that options of the library describe.
 *
 * @throws ConfigErrors - naming every option with a wrong name or value
 */
export function configFromOptions(options: BrokerOptions): Config {
  return loadOptions(options).config;
}

/**
 * The configuration that options of the library describe, with what the operator should know about it.
 *
 * @throws ConfigErrors - naming every option with a wrong name or value
 */
export function loadOptions(options: BrokerOptions): LoadedConfig {
  const reader = new OptionsReader();
  reader.readBroker(options);
  return finishConfig(reader.draft, reader.errors, [], {});
}

class OptionsReader {
  readonly draft: ConfigDraft = emptyDraft(null);
  readonly errors: ConfigError[] = [];

  readBroker(options: unknown): void {
    const { draft } = this;
    const structure = ['listeners', 'bridges', 'plugins'];
    const rest = this.#readSection(options, '', { global: draft.global, security: draft.security }, structure);
    const objects = (name: string) => this.#list(rest.get(name), name);
    draft.hasListener = rest.has('listeners');
    for (const [value, place] of objects('listeners')) draft.listeners.push(this.#listener(value, place));
    for (const [value, place] of objects('bridges')) draft.bridges.push(this.#bridge(value, place));
    for (const [value, place] of objects('plugins')) draft.plugins.push(this.#plugin(value, place));
  }

  #listener(value: unknown, place: string): ListenerDraft {
    const values: Section = new Map();
    const rest = this.#readSection(value, place, { listener: values, security: values }, ['port', 'host', 'path']);
    const path = this.#text(rest, place, 'path');
    const address: ListenerAddress = {
      port: path === null ? this.#port(rest, place) : 0,
      host: path === null ? this.#text(rest, place, 'host') : null,
      path,
    };
    if (path !== null && (rest.has('port') || rest.has('host')))
      this.#wrong(`${place}path`, 'stands instead of port and host');
    return { kind: 'configured', address, opened: entry(place), values, plugins: [] };
  }

  #bridge(value: unknown, place: string): BridgeDraft {
    const values: Section = new Map();
    const rest = this.#readSection(value, place, { bridge: values }, ['name']);
    return { name: this.#text(rest, place, 'name') ?? this.#missing(`${place}name`), opened: entry(place), values };
  }

  #plugin(value: unknown, place: string): PluginDraft {
    const values: Section = new Map();
    const rest = this.#readSection(value, place, { plugin: values }, ['path', 'options']);
    const path = this.#text(rest, place, 'path') ?? this.#missing(`${place}path`);
    const options = Object.entries(this.#object(rest.get('options') ?? {}, `${place}options`)).map(
      ([key, text]): readonly [string, string] => {
        if (typeof text !== 'string') this.#wrong(`${place}options.${key}`, unexpected('text', text).message);
        return [key, String(text)];
      },
    );
    return { name: null, path, opened: entry(place), openedBy: 'plugin' satisfies OptionName, options, values };
  }

  /** Puts the options of an object into sections by their scope. @returns the members named in `structure` */
  #readSection(
    value: unknown,
    place: string,
    sections: Partial<Record<Scope, Section>>,
    structure: readonly string[],
  ): ReadonlyMap<string, unknown> {
    const names = new Map<string, readonly [name: OptionName, section: Section]>();
    for (const [scope, section] of Object.entries(sections) as [Scope, Section][]) {
      for (const name of valueNames(scope)) names.set(camelCase(name), [name, section]);
    }
    if (place === '') names.delete('perListenerSettings');
    const rest = new Map<string, unknown>();
    for (const [key, given] of Object.entries(this.#object(value, place.replace(/\.$/, '')))) {
      if (given === undefined || given === null) continue;
      const target = names.get(key);
      if (target !== undefined) this.#setValue(`${place}${key}`, given, ...target);
      else if (structure.includes(key)) rest.set(key, given);
      else this.#unknown(`${place}${key}`, key, [...names.keys(), ...structure]);
    }
    return rest;
  }

  #setValue(writtenName: string, given: unknown, name: OptionName, section: Section): void {
    try {
      const value = optionTable[name]?.type.accept(given);
      section.set(name, { value, origin: noFile, writtenName });
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      this.#wrong(writtenName, error.message);
    }
  }

  #port(rest: ReadonlyMap<string, unknown>, place: string): number {
    const port = rest.get('port') ?? 1883;
    if (isIntegerWithin(port, 0, 65_535)) return port;
    this.#wrong(`${place}port`, unexpected('integer 0..65535', port).message);
    return 0;
  }

  #text(rest: ReadonlyMap<string, unknown>, place: string, name: string): string | null {
    const text = rest.get(name) ?? null;
    if (text === null || (typeof text === 'string' && text !== '')) return text;
    this.#wrong(`${place}${name}`, unexpected('text', text).message);
    return null;
  }

  #missing(option: string): string {
    this.#wrong(option, 'is missing');
    return '';
  }

  #list(value: unknown, name: string): readonly (readonly [value: unknown, place: string])[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((one, index) => [one, `${name}[${index}].`] as const);
    this.#wrong(name, unexpected('an array', value).message);
    return [];
  }

  #object(value: unknown, place: string): object {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
    this.#wrong(place, unexpected('an object', value).message);
    return {};
  }

  #unknown(option: string, key: string, known: readonly string[]): void {
    const meant = nearestWord(key, [...known]);
    this.#wrong(option, 'unknown option', meant === undefined ? null : `did you mean '${meant}'?`);
  }

  #wrong(option: string, what: string, hint: string | null = null): void {
    const message = option === '' ? what : `${option}: ${what}`;
    this.errors.push({ ...noFile, option, message, hint, includedAt: null, exitCode: 3 });
  }
}

function entry(place: string): Entry {
  return { value: null, origin: noFile, writtenName: place.replace(/\.$/, '') };
}
