/** A configuration as plain data. Types are derived from the rows; only what is resolved between rows is written here. */
import type { CamelCase } from './option.ts';
import type { optionRows } from './options.ts';

type Rows = typeof optionRows;

/** Names of the rows of a scope that carry a value of their own. */
type ValueNames<S extends string> = {
  [Name in keyof Rows]: Rows[Name] extends { readonly opens: string } | { readonly ignored: object }
    ? never
    : Rows[Name] extends { readonly scope: S }
      ? Name
      : never;
}[keyof Rows];

/** What a row yields: the type of its values, or `null` where the default is none. */
type ValueOf<Row> = Row extends {
  readonly type: { accept(value: never): infer Value };
  readonly default: infer Default;
}
  ? Default extends null
    ? Value | null
    : Value
  : never;

/** The options of a scope, camelCase, defaults filled in. */
export type OptionValues<S extends string> = {
  readonly [Name in ValueNames<S> as CamelCase<Name>]: ValueOf<Rows[Name]>;
};

/** Where something was written. */
export interface Origin {
  /** path as it was given or found; `options` for values given to the library */
  readonly file: string;
  /** from 1; 0 for values given to the library */
  readonly line: number;
  /** what stands behind the option there; of an option that collects, on each of its lines */
  readonly words?: readonly string[];
}

/** Where the options of one section were written, by option name; those absent have their default. */
export type Origins = Readonly<Record<string, Origin>>;

/** Options of the whole broker. */
export type GlobalConfig = OptionValues<'global'>;

/** Who may come in. */
export interface SecurityConfig extends Omit<OptionValues<'security'>, 'allowAnonymous'> {
  /** decided: `listener_allow_anonymous`, else `allow_anonymous`, else true only in local-only mode */
  readonly allowAnonymous: boolean;
}

/** Options of one listener, except those that only override a security option. */
export type ListenerValues = Omit<OptionValues<'listener'>, 'listenerAllowAnonymous' | 'listenerAutoIdPrefix'>;

/** One listener with everything that holds for its connections, the security options included. */
export interface ListenerConfig extends ListenerValues, SecurityConfig {
  /** how it came about: a `listener` line, options before any such line, or no listener at all */
  readonly kind: 'configured' | 'default' | 'local-only';
  /** 1..65535; 0 for a Unix socket (in the library also: any free port) */
  readonly port: number;
  /** address or name to bind; `null` for all addresses, and for a Unix socket */
  readonly host: string | null;
  /** path of a Unix socket, else `null` */
  readonly path: string | null;
  /** plugins of this listener alone */
  readonly plugins: readonly PluginConfig[];
  /** by option name; `listener` is the line that opened it */
  readonly origin: Origins;
}

/** One bridge to another broker. */
export interface BridgeConfig extends OptionValues<'bridge'> {
  readonly name: string;
  readonly origin: Origins;
}

/** One plugin. */
export interface PluginConfig extends OptionValues<'plugin'> {
  /** name given by `plugin_load`, else `null` */
  readonly name: string | null;
  readonly path: string;
  /** `plugin_opt_KEY VALUE` in the order written */
  readonly options: readonly (readonly [key: string, value: string])[];
  readonly origin: Origins;
}

/** A whole configuration, checked and resolved. */
export interface Config {
  /** the main file, or `null` when there is none */
  readonly file: string | null;
  readonly global: GlobalConfig;
  /** security options of the whole broker; each listener holds those that apply to it */
  readonly security: SecurityConfig;
  /** in the order in which they are opened */
  readonly listeners: readonly ListenerConfig[];
  /** no listener is configured: the listeners are those of the loopback addresses, one of which may fail to open */
  readonly localOnly: boolean;
  readonly bridges: readonly BridgeConfig[];
  /** plugins of the whole broker, in the order in which they are loaded */
  readonly plugins: readonly PluginConfig[];
  /** where global and security options of the whole broker were written, by option name */
  readonly origin: Origins;
}

/** Something the operator should know, with the place in the file where there is one. */
export interface Notice {
  readonly level: 'information' | 'notice' | 'warning';
  /** the whole log line */
  readonly text: string;
  readonly origin: Origin | null;
}
