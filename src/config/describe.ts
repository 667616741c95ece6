/** The option table as documentation: a Markdown page and a man page. */
import type { OptionRow } from './option.ts';
import { optionGroups, optionTable } from './options.ts';

/** One option as its reader sees it. */
export interface OptionDescription {
  readonly name: string;
  readonly aliases: readonly string[];
  /** 'whole broker', 'listener', … */
  readonly scope: string;
  /** 'integer 0..65535 (s)' */
  readonly value: string;
  /** as written in a file; '' for none */
  readonly default: string;
  readonly reload: string;
  /** 'as Mosquitto', or what is different */
  readonly status: string;
  readonly doc: string;
}

const scopeNames: Readonly<Record<OptionRow['scope'], string>> = {
  global: 'broker',
  listener: 'listener',
  security: 'broker or listener',
  bridge: 'bridge',
  plugin: 'plugin',
};

const reloadNames: Readonly<Record<OptionRow['reload'], string>> = {
  live: 'at once',
  'new-connections': 'new connections',
  restart: 'at restart',
};

/** Describes one row. */
export function describeOption(name: string, row: OptionRow): OptionDescription {
  const unit = row.unit === undefined ? '' : ` (${row.unit})`;
  return {
    name: row.isPrefix === true ? `${name}KEY` : name,
    aliases: row.aliases ?? [],
    scope: scopeNames[row.scope],
    value: `${row.type.expects}${unit}`,
    default: shown(row.default),
    reload: reloadNames[row.reload],
    status: status(row),
    doc: row.doc,
  };
}

function status(row: OptionRow): string {
  const parts: string[] = [];
  if (row.isExtension === true) parts.push("Moustique's own");
  if (row.deprecated !== undefined) parts.push(deprecation(row.deprecated.instead));
  if (row.ignored !== undefined) parts.push(`no effect: ${row.ignored.why}`);
  const missing = row.unsupported;
  if (missing?.values !== undefined) parts.push(`refused with ${missing.values.join(', ')}: ${missing.why}`);
  else if (missing !== undefined) parts.push(`refused: ${missing.why}`);
  if (parts.length === 0) parts.push('as Mosquitto');
  if (row.since !== undefined) parts.push(`since Mosquitto ${row.since}`);
  return parts.join('; ');
}

function deprecation(instead: string): string {
  return instead === '' ? 'deprecated' : `deprecated (${instead})`;
}

/** A value as a file has it. */
function shown(value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(shown).join(', ');
  if (typeof value === 'object') return Object.values(value).map(shown).join(' ');
  return String(value);
}

const grammar = [
  'One option per line: its name, a space, its value. Only spaces separate; a TAB does not.',
  'A comment is a line whose very first character is `#`. Behind a value, `#` begins a comment only where the value is a single word; in texts it is a part of the text.',
  'Names are written exactly as here, in small letters. Lines may end in LF or CR LF.',
  'Integers may be decimal, hexadecimal (`0x10`) or, with a leading 0, octal. `true` and `1`, `false` and `0` are the same.',
  'An option written again replaces the earlier value where the value is a single word; texts given twice are an error unless the option says otherwise.',
  'Listener options belong to the `listener` above them in the same file, bridge options to the `connection`, plugin options to the `plugin`.',
  'Without any listener the broker accepts connections from its own machine only, anonymous ones included. As soon as there is a `listener` or `port`, anonymous clients are refused unless `allow_anonymous true` is given.',
];

const leniency = [
  'Lines that Mosquitto refuses or misreads although their meaning is beyond doubt are taken as meant, with a warning that names file and line: a comment or blanks behind a path when nothing of that literal name exists, `listener localhost`, `listener 192.168.1.20`, a byte order mark. With `--strict` they are read exactly as Mosquitto reads them.',
  '`set_tcp_nodelay` is true by default.',
];

/** The page `docs/configuration.md`. */
export function configurationMarkdown(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Made from the option table in src/config/options by scripts/generate-docs.ts; edit the table, not this page. -->',
    '',
    'Moustique reads the configuration files of Mosquitto 2.1 and older ones. In the library the same options are written in camelCase: `max_queued_messages` is `maxQueuedMessages`.',
    '',
    '## How a file is written',
    '',
    ...grammar.map((rule) => `- ${rule}`),
    '',
    'What differs from Mosquitto:',
    '',
    ...leniency.map((rule) => `- ${rule}`),
    '',
    '## All options',
    '',
    'A changed file is read again on SIGHUP. *Reload* says when a changed value takes effect: at once, for connections made afterwards, or at the next start. A refused option is understood and its value checked, but the broker does not start with it: nothing is ignored silently.',
    '',
  ];
  for (const { title, rows } of optionGroups) {
    lines.push(`- [${title}](#${anchor(title)}): ${Object.keys(rows).map(link).join(', ')}`);
  }
  for (const { title, rows } of optionGroups) {
    lines.push('', `## ${title}`);
    for (const [name, row] of Object.entries(rows)) lines.push('', ...markdownOption(describeOption(name, row)));
  }
  return `${lines.join('\n')}\n`;
}

function markdownOption(option: OptionDescription): readonly string[] {
  const aliases = option.aliases.map((alias) => `\`${alias}\``).join(', ');
  const facts = [
    ['Value', option.value],
    ['Default', option.default === '' ? 'none' : `\`${option.default}\``],
    ['Scope', option.scope],
    ['Reload', option.reload],
    ['Status', option.status],
  ].map(([label, text]) => `**${label}** ${text}`);
  const also = aliases === '' ? '' : ` Also written ${aliases}.`;
  return [`### ${option.name}`, '', `${option.doc}${also}`, '', facts.join(' · ')];
}

function link(name: string): string {
  const written = optionTable[name]?.isPrefix === true ? `${name}KEY` : name;
  return `[${written}](#${anchor(written)})`;
}

/** The anchor that GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-');
}

/** The man page `moustique.conf(5)`. */
export function configurationManPage(): string {
  const lines = [
    '.\\" Made from the option table in src/config/options by scripts/generate-docs.ts; edit the table, not this page.',
    '.TH MOUSTIQUE.CONF 5 "" Moustique "File formats"',
    '.SH NAME',
    'moustique.conf \\- the configuration file of moustique',
    '.SH SYNOPSIS',
    '.B moustique \\-c',
    '.I moustique.conf',
    '.SH DESCRIPTION',
    'Moustique reads the configuration files of Mosquitto 2.1 and older ones.',
    '.SH FILE FORMAT',
    ...[...grammar, ...leniency].flatMap((rule) => ['.IP \\(bu 2', roff(rule)]),
  ];
  for (const { title, rows } of optionGroups) {
    lines.push(`.SH ${title.toUpperCase()}`);
    for (const [name, row] of Object.entries(rows)) lines.push(...manOption(describeOption(name, row)));
  }
  lines.push(
    '.SH FILES',
    '.I /etc/mosquitto/mosquitto.conf',
    '.SH SEE ALSO',
    '.BR moustique (8),',
    '.BR moustique_passwd (1)',
  );
  return `${lines.join('\n')}\n`;
}

function manOption(option: OptionDescription): readonly string[] {
  const names = [option.name, ...option.aliases].map(roff).join(', ');
  const value = option.default === '' ? option.value : `${option.value}; default ${option.default}`;
  return [
    '.TP',
    `.BR "${names}"`,
    roff(option.doc),
    '.RS',
    '.PP',
    roff(`Value: ${value}. Scope: ${option.scope}. Reload: ${option.reload}. Status: ${option.status}.`),
    '.RE',
  ];
}

/** Markdown code marks become bold; what roff would take for a command or a dash of its own is escaped. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return escaped.replace(/`([^`]*)`/g, '\\fB$1\\fR').replace(/^([.'])/, '\\&$1');
}
