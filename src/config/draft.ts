/** A configuration while it is read: what was given and where, before rules and defaults. */
import type { Origin } from './config.ts';
import type { ListenerAddress } from './listener-types.ts';
import type { OptionName } from './options.ts';

/** A value and where it was written. */
export interface Entry {
  readonly value: unknown;
  readonly origin: Origin;
  /** as written, when it may differ from the name of the row */
  readonly writtenName: string;
}

/** The given options of one section, by name of the row. */
export type Section = Map<OptionName, Entry>;

/** A plugin and its options. */
export interface PluginDraft {
  readonly name: string | null;
  readonly path: string;
  readonly opened: Entry;
  readonly openedBy: OptionName;
  readonly options: (readonly [key: string, value: string])[];
  readonly values: Section;
}

/** A listener and its options. */
export interface ListenerDraft {
  readonly kind: 'configured' | 'default' | 'local-only';
  /** where it binds; the default listener changes it with `port` and `bind_address` */
  address: ListenerAddress;
  readonly opened: Entry;
  readonly values: Section;
  readonly plugins: PluginDraft[];
}

/** A bridge and its options. */
export interface BridgeDraft {
  readonly name: string;
  readonly opened: Entry;
  readonly values: Section;
}

/** Everything that was given. */
export interface ConfigDraft {
  readonly file: string | null;
  readonly global: Section;
  readonly security: Section;
  readonly listeners: ListenerDraft[];
  readonly bridges: BridgeDraft[];
  readonly plugins: PluginDraft[];
  /** plugins of `plugin_load`, which serve only the listeners that name them */
  readonly loadedPlugins: PluginDraft[];
  /** a `listener`, `port` or `bind_address` was given: not local-only */
  hasListener: boolean;
}

/** An empty configuration. */
export function emptyDraft(file: string | null): ConfigDraft {
  return {
    file,
    global: new Map(),
    security: new Map(),
    listeners: [],
    bridges: [],
    plugins: [],
    loadedPlugins: [],
    hasListener: false,
  };
}
