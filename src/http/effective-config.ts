/** The configuration in force as rows: every option with its value and the line that set it. */
import type { Config, Origin, Origins } from '../config/config.ts';
import { camelCase } from '../config/option.ts';
import { optionTable } from '../config/options.ts';
import type { ConfigAnswer } from './schema/broker.ts';

type Row = ConfigAnswer['items'][number];

/** Options whose values nobody needs to see. */
const secret = /(?:^|_)(?:password|psk|pass_sha1)$/;

export function effectiveConfig(config: Config): Row[] {
  const rows = rowsOf('global', ['global'], config.global, config.origin);
  for (const listener of config.listeners) {
    const name =
      listener.path === null
        ? `listener ${listener.port}${listener.host === null ? '' : ` ${listener.host}`}`
        : `listener 0 ${listener.path}`;
    rows.push(...rowsOf(name, ['listener', 'security'], listener, { ...config.origin, ...listener.origin }));
  }
  for (const bridge of config.bridges) {
    rows.push(...rowsOf(`bridge ${bridge.name}`, ['bridge'], bridge, bridge.origin));
  }
  return rows;
}

function rowsOf(section: string, scopes: readonly string[], values: object, origins: Origins): Row[] {
  const byName = values as Readonly<Record<string, unknown>>;
  return Object.entries(optionTable).flatMap(([option, row]): Row[] => {
    const name = camelCase(option);
    if (!scopes.includes(row.scope) || !Object.hasOwn(byName, name)) return [];
    const value = byName[name];
    const origin: Origin | undefined = origins[option];
    const isSecret = secret.test(option) && value !== null;
    return [
      {
        ...{ option, section, doc: row.doc, reload: row.reload },
        value: isSecret ? '***' : withoutPasswords(inWords(value, origin)),
        isDefault: origin === undefined,
        file: origin?.file ?? null,
        line: origin === undefined || origin.line === 0 ? null : origin.line,
      },
    ];
  });
}

/** As the file says it, so that what was written is recognised; a flag as true or false. */
function inWords(value: unknown, origin: Origin | undefined): string {
  if (typeof value === 'boolean' || origin?.words === undefined) return written(value);
  return origin.words.join(', ');
}

/** Addresses may have a password: `https://name:password@host`. It may have an `@` itself. */
function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/[^\s/:@]*):\S*@/g, '$1:***@');
}

/** As people would write it; '' for none. */
function written(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(written).join(', ');
  if (typeof value === 'object') {
    const parts = Object.entries(value).filter(([, part]) => part !== null && part !== undefined && part !== '');
    return parts.map(([name, part]) => (typeof part === 'string' ? part : `${name} ${written(part)}`)).join(' ');
  }
  return String(value as string | number | boolean);
}
