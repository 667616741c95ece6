/**
 * The options file of a client tool: one option per line, `FLAG rest of the line`.
 *
 * The rest behind the one blank is one argument, further blanks kept, without quoting. `#` in column 0 makes a comment.
 */
import { readFileSync } from 'node:fs';
import type { Tool } from './tool-options.ts';

/** Longest line in bytes; Mosquitto reads 1023 and would take the rest for another line. */
const LINE_BYTES_MAX = 1023;

/**
 * Where the options file of a tool is.
 *
 * @param environment - `XDG_CONFIG_HOME`, else `HOME` with `.config`
 * @param name - base name of the file: that of Mosquitto's tool, because users have such files
 * @returns undefined when neither variable is set
 */
export function defaultOptionsFile(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  const xdg = environment['XDG_CONFIG_HOME'];
  if (xdg !== undefined && xdg !== '') return `${xdg}/${name}`;
  const home = environment['HOME'];
  return home === undefined || home === '' ? undefined : `${home}/.config/${name}`;
}

/** Names under which a tool looks for its file, in this order: our own, then Mosquitto's. */
export function optionsFileNames(tool: Tool): readonly string[] {
  return [`moustique_${tool}`, `mosquitto_${tool}`];
}

/** The lines of an options file as words of a command line, each line one list. */
export function parseOptionsFile(content: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  for (const whole of content.split('\n')) {
    const line = whole.replace(/[\r\n]+$/, '').slice(0, LINE_BYTES_MAX);
    if (line.startsWith('#') || line.trim() === '') continue;
    const blank = line.search(/[ \t]/);
    if (blank < 0) {
      commands.push([line]);
      continue;
    }
    const rest = line.slice(blank + 1);
    commands.push(rest === '' ? [line.slice(0, blank)] : [line.slice(0, blank), rest]);
  }
  return commands;
}

/** Reads an options file; a missing or unreadable one is none. */
export function readOptionsFile(path: string): readonly (readonly string[])[] | undefined {
  try {
    return parseOptionsFile(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
