import type { PlainTool } from './plain-options.ts';
import { versionText } from './version-text.ts';
import { optionText, wrapText } from './wrap-text.ts';

/** The usage text of a tool that is no MQTT client. */
export function plainHelp(tool: PlainTool, name: string): string {
  const usage = tool.synopses.map((synopsis, index) => `${index === 0 ? 'Usage:' : '      '} ${name} ${synopsis}\n`);
  const notes = tool.notes.map((note) => `\n${wrapText(note).join('\n')}\n`);
  return `${name} ${tool.purpose}\n${versionText(name)}\n${usage.join('')}\n${tool.options.map(optionText).join('')}${notes.join('')}`;
}
