/** `moustique help`: what there is beside the broker. */
import { commandNames, mainOf } from './commands.ts';
import type { ToolIo } from './tool-io.ts';

/** What a command does, behind its name. */
export const purposes: Readonly<Record<string, string>> = {
  completion: 'completions of all this for bash, zsh or fish',
  ctrl: 'ask and configure a running broker',
  db: 'check and repair what the broker keeps on disk',
  doctor: 'look at an installation of Mosquitto before changing over',
  help: 'this list, or the options of a command',
  history: 'query and export the messages that history_topic keeps',
  link: "make Mosquitto's names as links to these programs",
  passwd: 'make and edit password files',
  pub: 'publish messages',
  rr: 'send a request and print the response',
  signal: 'send a signal to a running broker',
  sub: 'subscribe and print messages',
};

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  const [program = ''] = io.name.split(' ');
  const [name, ...others] = words;
  if (name === undefined) {
    const lines = commandNames.map((command) => `  ${command.padEnd(12)}${purposes[command] ?? ''}\n`);
    io.stdout.text(
      `Usage: ${program} [OPTION…]            the broker; see ${program} --help\n` +
        `       ${program} COMMAND [ARGUMENT…]  one of the tools\n\n${lines.join('')}\n` +
        `${program} help COMMAND shows the options of a command. pub, sub, rr, passwd, ctrl and signal are also\n` +
        `programs of their own: ${program}_pub and so on.\n`,
    );
    return 0;
  }
  const tool = await mainOf(name);
  if (tool === undefined || others.length > 0) {
    io.error(`Usage: ${io.name} [${commandNames.join(' | ')}]\n`);
    return 1;
  }
  return tool(name === 'help' ? [] : ['--help'], { ...io, name: `${program} ${name}` });
}
