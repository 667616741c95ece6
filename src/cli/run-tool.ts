/** The beginning that pub, sub and rr share: options, help, set-up errors. */

import { SetUpError } from './client-settings.ts';
import { USAGE_STATUS } from './exit-code.ts';
import { helpText } from './help.ts';
import { parseOptions } from './parse-options.ts';
import type { ToolIo } from './tool-io.ts';
import type { Tool, ToolOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';
import { versionText } from './version-text.ts';

/**
 * Reads the options and runs the tool.
 *
 * @param words - the command line without program and script
 * @returns the exit status
 */
export async function runTool(
  tool: Tool,
  words: readonly string[],
  io: ToolIo,
  run: (options: ToolOptions) => Promise<number>,
): Promise<number> {
  try {
    const request = parseOptions(tool, words, io);
    switch (request.wants) {
      case 'help':
        io.stdout.text(helpText(tool, io.name));
        return USAGE_STATUS;
      case 'version':
        io.stdout.text(versionText(io.name));
        return USAGE_STATUS;
      case 'run':
        return await run(request.options);
    }
  } catch (error) {
    if (error instanceof UsageError) io.error(error.report(io.name));
    else if (error instanceof SetUpError) io.error(`${error.message}\n`);
    else throw error;
    return USAGE_STATUS;
  }
}
