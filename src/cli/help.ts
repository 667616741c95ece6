/** `--help` and `--version` of the client tools, made from the table of options. */
import { clientOptions } from './client-options.ts';
import { OPTION_GROUPS, type OptionRow } from './option-row.ts';
import type { Tool } from './tool-options.ts';
import { versionText } from './version-text.ts';

const purposes: Readonly<Record<Tool, string>> = {
  pub: 'publishes a message to an MQTT broker, or one for each line of its input.',
  sub: 'subscribes to topics of an MQTT broker and prints the messages that arrive.',
  rr: 'publishes a request to an MQTT broker and prints the response.',
  ctrl: 'configures a running MQTT broker.',
};

const synopses: Readonly<Record<Tool, string>> = {
  pub: '[-h HOST] [-p PORT] {-t TOPIC | -L URL} {-m PAYLOAD | -f FILE | -s | -l | -n} [OPTION…]',
  sub: '[-h HOST] [-p PORT] {-t TOPIC … | -L URL} [OPTION…]',
  rr: '[-h HOST] [-p PORT] {-t TOPIC | -L URL} -e RESPONSE-TOPIC {-m PAYLOAD | -f FILE | -s | -n} [OPTION…]',
  ctrl: '[OPTION…] MODULE COMMAND [ARGUMENT…]',
};

const TEXT_WIDTH = 78;
const INDENT = '        ';

/** The whole of `--help`. */
export function helpText(tool: Tool, name: string): string {
  const sections = OPTION_GROUPS.map((group) => {
    const rows = clientOptions.filter((row) => row.group === group && row.tools.includes(tool));
    return rows.length === 0 ? '' : `\n${group}:\n${rows.map(optionText).join('')}`;
  });
  return `${name} ${purposes[tool]}\n${versionText(name)}\nUsage: ${name} ${synopses[tool]}\n       ${name} --help\n${sections.join('')}`;
}

function optionText(row: OptionRow): string {
  const argument = row.argument === undefined ? '' : ` ${row.argument}`;
  return `  ${row.flags.join(', ')}${argument}\n${wrap(row.help, TEXT_WIDTH - INDENT.length)
    .map((line) => `${INDENT}${line}\n`)
    .join('')}`;
}

/** Cuts a text into lines between words. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
