/** `docs/tools.md` and the manual pages of the tools, made from the tables of options. */

import { propertyTable } from '../client/index.ts';
import { clientOptions } from './client-options.ts';
import { exitStatuses, formatSequences, formatSyntax, optionsFileText } from './command-line-texts.ts';
import { modulesText } from './ctrl.ts';
import { purposes, synopses } from './help.ts';
import { OPTION_GROUPS } from './option-row.ts';
import { dbTool, historyTool, type PlainTool, passwdTool, signalTool } from './plain-options.ts';
import { PROPERTY_COMMANDS } from './property-option.ts';
import type { Tool } from './tool-options.ts';

interface Entry {
  readonly flags: readonly string[];
  readonly argument?: string;
  readonly help: string;
}

/** Client tools that have a page. */
const CLIENTS = ['pub', 'sub', 'rr', 'ctrl'] as const satisfies readonly Tool[];

const PLAIN = { db: dbTool, history: historyTool, passwd: passwdTool, signal: signalTool } as const;

/** The reference of all tools. */
export function toolsMarkdown(): string {
  const clients = CLIENTS.map((tool) => clientSection(tool));
  const plains = Object.entries(PLAIN).map(([name, tool]) => plainSection(name, tool));
  return [
    '# Command line tools',
    'This page is made from the tables of options (`npx tsx scripts/generate-docs.ts`). Behaviour, texts and statuses are those of Mosquitto’s tools; what differs is listed in [differences](differences.md). Called through a link named `mosquitto_pub` and so on they answer to that name: `moustique link DIR` makes such links. `moustique pub …` is the same as `moustique_pub …`, and so on for the others. `moustique completion bash` (or `zsh`, `fish`) prints completions for a shell.',
    ...clients,
    ...plains,
    '## Output formats',
    formatSyntax,
    markdownTable(
      ['sequence', 'prints'],
      formatSequences.map(({ sequence, text }) => [`\`${sequence}\``, escapeMarkdown(text)]),
    ),
    '## Properties of MQTT 5.0',
    'For `-D COMMAND NAME VALUE`. Numbers are decimal; a `user-property` takes a name and a value and may be repeated.',
    markdownTable(
      ['command', 'names'],
      propertyNames().map(([command, names]) => [command, names.join(', ')]),
    ),
    '## Exit status',
    markdownTable(['status', 'meaning'], exitStatuses),
    '## Options files',
    escapeMarkdown(optionsFileText),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function clientSection(tool: (typeof CLIENTS)[number]): string {
  const groups = OPTION_GROUPS.flatMap((group) => {
    const rows = clientOptions.filter((row) => row.group === group && row.tools.includes(tool));
    return rows.length === 0 ? [] : [`### ${group} options of ${tool}`, optionTable(rows)];
  });
  return [
    `## moustique_${tool}`,
    `\`moustique_${tool}\` ${purposes[tool]}`,
    `\`\`\`\nmoustique_${tool} ${synopses[tool]}\n\`\`\``,
    ...(tool === 'ctrl' ? [`\`\`\`\n${modulesText(`moustique_${tool}`)}\`\`\``] : []),
    ...groups,
  ].join('\n\n');
}

function plainSection(name: string, tool: PlainTool): string {
  const called = tool.called ?? `moustique_${name}`;
  return [
    `## ${called}`,
    `\`${called}\` ${tool.purpose}`,
    `\`\`\`\n${tool.synopses.map((synopsis) => `${called} ${synopsis}`).join('\n')}\n\`\`\``,
    optionTable(tool.options),
    ...tool.notes.map(escapeMarkdown),
  ].join('\n\n');
}

function optionTable(entries: readonly Entry[]): string {
  return markdownTable(
    ['option', 'meaning'],
    entries.map((entry) => [
      entry.flags.map((flag) => `\`${flag}${entry.argument === undefined ? '' : ` ${entry.argument}`}\``).join(', '),
      escapeMarkdown(entry.help),
    ]),
  );
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function escapeMarkdown(text: string): string {
  return text.replace(/[|<>*_[\]]/g, (one) => `\\${one}`);
}

function propertyNames(): readonly (readonly [command: string, names: readonly string[]])[] {
  return PROPERTY_COMMANDS.map((command) => {
    const rows = propertyTable.filter(
      ({ packets, name }) =>
        packets.includes(command) && !(command === 'publish' && name === 'subscription-identifier'),
    );
    return [command, rows.map(({ name }) => name)] as const;
  });
}

/** Manual pages: file name → roff. */
export function toolManPages(): Readonly<Record<string, () => string>> {
  const pages: Record<string, () => string> = {};
  for (const tool of CLIENTS) pages[`moustique_${tool}.1`] = () => clientManPage(tool);
  for (const [name, tool] of Object.entries<PlainTool>(PLAIN)) {
    const called = tool.called ?? `moustique_${name}`;
    pages[`${called.replace(' ', '-')}.1`] = () => plainManPage(called, tool);
  }
  return pages;
}

function clientManPage(tool: (typeof CLIENTS)[number]): string {
  const groups = OPTION_GROUPS.flatMap((group) => {
    const rows = clientOptions.filter((row) => row.group === group && row.tools.includes(tool));
    return rows.length === 0 ? [] : [`.SS ${group}`, ...rows.map(manOption)];
  });
  const formats =
    tool === 'pub' || tool === 'ctrl'
      ? []
      : [
          '.SH FORMATS',
          roff(formatSyntax),
          ...formatSequences.map(({ sequence, text }) => `.TP\n.B ${roff(sequence)}\n${roff(text)}`),
        ];
  const properties =
    tool === 'ctrl'
      ? ['.SH MODULES', '.nf', ...modulesText(`moustique_${tool}`).split('\n').map(roff), '.fi']
      : [
          '.SH PROPERTIES',
          roff('Names for -D, per kind of packet:'),
          ...propertyNames().map(([command, names]) => `.TP\n.B ${command}\n${roff(names.join(', '))}`),
        ];
  return page(`moustique_${tool}`, purposes[tool], [
    '.SH SYNOPSIS',
    `.B moustique_${tool}`,
    roff(synopses[tool]),
    '.SH OPTIONS',
    ...groups,
    ...formats,
    ...properties,
    '.SH EXIT STATUS',
    ...exitStatuses.map(([status, meaning]) => `.TP\n.B ${roff(status)}\n${roff(meaning)}`),
    '.SH FILES',
    roff(optionsFileText),
  ]);
}

function plainManPage(called: string, tool: PlainTool): string {
  return page(called.replace(' ', '-'), tool.purpose, [
    '.SH SYNOPSIS',
    ...tool.synopses.flatMap((synopsis, index) => [...(index === 0 ? [] : ['.br']), `.B ${called}`, roff(synopsis)]),
    '.SH OPTIONS',
    ...tool.options.map(manOption),
    '.SH NOTES',
    ...tool.notes.flatMap((note) => ['.PP', roff(note)]),
  ]);
}

function page(name: string, purpose: string, body: readonly string[]): string {
  return [
    `.\\" Made from the tables of options: npx tsx scripts/generate-docs.ts`,
    `.TH ${name.toUpperCase()} 1`,
    '.SH NAME',
    `${name} \\- ${roff(purpose.replace(/\.$/, ''))}`,
    ...body,
    '.SH SEE ALSO',
    '.BR moustique (8),',
    '.BR moustique.conf (5)',
    '',
  ].join('\n');
}

function manOption(entry: Entry): string {
  const flags = entry.flags.map((flag) => roff(flag)).join(', ');
  const argument = entry.argument === undefined ? '' : ` \\fI${roff(entry.argument)}\\fR`;
  return `.TP\n\\fB${flags}\\fR${argument}\n${roff(entry.help)}`;
}

/** Text for roff: no control line, no surprises with minus signs and backslashes. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}
