/** What every executable does around its tool. */
import { basename } from 'node:path';
import { processIo, type ToolIo } from './tool-io.ts';

/**
 * Runs a tool with the real streams and ends the process with its status.
 *
 * A tool called through a symbolic link answers to the name of the link.
 */
export async function runEntry(main: (words: readonly string[], io: ToolIo) => Promise<number>): Promise<void> {
  const name = basename(process.argv[1] ?? '', '.js');
  const io = processIo(name);
  const status = await main(process.argv.slice(2), io);
  await io.flush();
  process.exit(status);
}
