/** What a reload changes: which new values apply, and which wait for the next start. */
import type { Config, ListenerConfig, Notice, Origin, Origins } from './config.ts';
import { camelCase, type OptionRow, type ReloadClass } from './option.ts';
import { type OptionName, optionTable } from './options.ts';
import { valueNames } from './resolve.ts';

/** One option whose value is another one now. */
export interface OptionChange {
  readonly option: OptionName;
  /** the listener it belongs to, for people; `null` for the whole broker */
  readonly listener: string | null;
  /** `restart`: the old value stays in force */
  readonly reload: ReloadClass;
  readonly from: unknown;
  readonly to: unknown;
}

/** What to do on reload. */
export type ReloadPlan =
  | {
      readonly kind: 'refused';
      /** the log line; everything stays as it is */
      readonly reason: string;
    }
  | {
      readonly kind: 'apply';
      /** the new configuration, with old values where new ones wait for the next start; listeners in the old order */
      readonly config: Config;
      readonly changes: readonly OptionChange[];
      /** a line for every option that waits for the next start */
      readonly notices: readonly Notice[];
    };

/** Mosquitto's words when a reload would open or close a listener. */
export const listenersChanged =
  'Error: It is not currently possible to add/remove listeners when reloading the config file.';

/**
 * Compares the configuration in force with the one read again.
 *
 * Listeners are the same when port and address, or the path of the socket, are the same.
 */
export function planReload(current: Config, next: Config): ReloadPlan {
  const nextListeners = new Map(next.listeners.map((listener) => [listenerName(listener), listener]));
  const isSameSet =
    nextListeners.size === current.listeners.length &&
    current.listeners.every((listener) => nextListeners.has(listenerName(listener)));
  if (!isSameSet) return { kind: 'refused', reason: listenersChanged };

  const plan: Plan = { changes: [], notices: [] };
  const global = compare(plan, current.global, next.global, scopeRows('global'), null, next.origin);
  const listeners = current.listeners.map((listener) => {
    const name = listenerName(listener);
    const after = nextListeners.get(name) ?? listener;
    const rows = [...scopeRows('listener'), ...scopeRows('security')];
    const values = compare(plan, listener, after, rows, name, { ...next.origin, ...after.origin });
    return { ...values, plugins: listener.plugins };
  });
  if (JSON.stringify(pluginsOf(current)) !== JSON.stringify(pluginsOf(next))) {
    waitForStart(plan, 'plugin', next.plugins[0]?.origin['plugin'] ?? null);
  }
  const config = { ...next, global, listeners, plugins: current.plugins };
  return { kind: 'apply', config, changes: plan.changes, notices: plan.notices };
}

interface Plan {
  readonly changes: OptionChange[];
  readonly notices: Notice[];
}

/** How a listener is named in messages and found again: its socket path, or its port with its address. */
export function listenerName({ path, host, port }: Pick<ListenerConfig, 'path' | 'host' | 'port'>): string {
  return path ?? (host === null ? `port ${port}` : `port ${port} on ${host}`);
}

type NamedRow = readonly [name: OptionName, row: OptionRow];

function scopeRows(scope: 'global' | 'listener' | 'security'): readonly NamedRow[] {
  return valueNames(scope).flatMap((name) => {
    const row = optionTable[name];
    return row === undefined ? [] : [[name, row] as const];
  });
}

/** @returns the new values, with old ones where they wait for the next start */
function compare<Section extends object>(
  plan: Plan,
  current: Section,
  next: Section,
  rows: readonly NamedRow[],
  listener: string | null,
  origins: Origins,
): Section {
  const kept: Record<string, unknown> = {};
  for (const [option, row] of rows) {
    const key = camelCase(option);
    const from: unknown = Reflect.get(current, key);
    const to: unknown = Reflect.get(next, key);
    if (JSON.stringify(from) === JSON.stringify(to)) continue;
    plan.changes.push({ option, listener, reload: row.reload, from, to });
    if (row.reload !== 'restart') continue;
    kept[key] = from;
    waitForStart(plan, option, origins[option] ?? null);
  }
  return { ...next, ...kept };
}

function waitForStart(plan: Plan, option: OptionName, origin: Origin | null): void {
  const place = origin === null ? '' : `${origin.file}:${origin.line}: `;
  const text = `Warning: ${place}'${option}' has changed, which takes effect at the next start.`;
  plan.notices.push({ level: 'warning', text, origin });
}

function pluginsOf(config: Config): readonly unknown[] {
  const withoutOrigin = ({ name, path, options }: Config['plugins'][number]) => ({ name, path, options });
  return [config.plugins, ...config.listeners.map(({ plugins }) => plugins)].map((list) => list.map(withoutOrigin));
}
