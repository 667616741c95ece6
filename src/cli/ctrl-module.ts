/** What `moustique_ctrl` can be asked for: modules of commands. */
import type { ToolIo } from './tool-io.ts';
import type { ToolOptions } from './tool-options.ts';

/**
 * Carries out a command.
 *
 * @param args - the words behind the command
 * @param options - of the connection
 * @returns the exit status
 */
export type ControlCommand = (args: readonly string[], options: ToolOptions, io: ToolIo) => Promise<number>;

export interface ControlModule {
  /** By name in lower case; upper and lower case mean the same. */
  readonly commands: Readonly<Record<string, ControlCommand>>;
  /** Every command with a line or two. */
  help(programName: string): string;
}
