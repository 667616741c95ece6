/** `--help` of all tools, made from the tables of options. */
import { clientOptions } from './client-options.ts';
import { OPTION_GROUPS } from './option-row.ts';
import type { Tool } from './tool-options.ts';
import { versionText } from './version-text.ts';
import { optionText } from './wrap-text.ts';

/** What a client tool does, behind its name. */
export const purposes: Readonly<Record<Tool, string>> = {
  pub: 'publishes a message to an MQTT broker, or one for each line of its input.',
  sub: 'subscribes to topics of an MQTT broker and prints the messages that arrive.',
  rr: 'publishes a request to an MQTT broker and prints the response.',
  ctrl: 'configures a running MQTT broker.',
};

/** The usage of a client tool, behind its name. */
export const synopses: Readonly<Record<Tool, string>> = {
  pub: '[-h HOST] [-p PORT] {-t TOPIC | -L URL} {-m PAYLOAD | -f FILE | -s | -l | -n} [OPTION…]',
  sub: '[-h HOST] [-p PORT] {-t TOPIC … | -L URL} [OPTION…]',
  rr: '[-h HOST] [-p PORT] {-t TOPIC | -L URL} -e RESPONSE-TOPIC {-m PAYLOAD | -f FILE | -s | -n} [OPTION…]',
  ctrl: '[OPTION…] MODULE COMMAND [ARGUMENT…]',
};

/** The whole of `--help` of a client tool. */
export function helpText(tool: Tool, name: string): string {
  const sections = OPTION_GROUPS.map((group) => {
    const rows = clientOptions.filter((row) => row.group === group && row.tools.includes(tool));
    return rows.length === 0 ? '' : `\n${group}:\n${rows.map(optionText).join('')}`;
  });
  return `${name} ${purposes[tool]}\n${versionText(name)}\nUsage: ${name} ${synopses[tool]}\n       ${name} --help\n${sections.join('')}`;
}
