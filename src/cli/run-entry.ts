/** What every executable does around its tool. */
import { basename } from 'node:path';
import { processIo, type ToolIo } from './tool-io.ts';

/**
 * Runs a tool with the real streams and ends the process with its status.
 *
 * A tool called through a symbolic link answers to the name of the link.
 *
 * @param words - the command line without what named the tool
 * @param command - when it was called as a command of `moustique`
 */
export async function runEntry(
  main: (words: readonly string[], io: ToolIo) => Promise<number>,
  words: readonly string[] = process.argv.slice(2),
  command?: string,
): Promise<void> {
  // The launcher of `moustique` puts `moustique.js pub` there.
  const program = basename(process.argv[1] ?? '').replace(/\.js(?= |$)/, '');
  const io = processIo(command === undefined ? program : `${program} ${command}`);
  const status = await main(words, io);
  await io.flush();
  process.exit(status);
}
