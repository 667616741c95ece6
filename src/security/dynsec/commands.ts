/** The commands of `$CONTROL/dynamic-security/v1`: one table, from which the endpoint answers. */
import type { Json } from '../control-request.ts';
import { clientCommands } from './client-commands.ts';
import { defaultCommands } from './default-commands.ts';
import type { Draft } from './draft.ts';
import { groupCommands } from './group-commands.ts';
import type { Parameters } from './parameters.ts';
import { roleCommands } from './role-commands.ts';

/** What commands see beside the draft. */
export interface CommandContext {
  readonly draft: Draft;
  /** Addresses of connected clients by user name. */
  readonly addresses: ReadonlyMap<string | null, readonly string[]>;
}

/** What a command did. */
export interface Done {
  readonly data?: Json;
  /** `key=value` for the log, without passwords. */
  readonly log?: readonly string[];
}

/**
 * Carries out a command on the draft, wholly or not at all.
 *
 * @throws CommandError - with what goes into the response
 */
export type Command = (parameters: Parameters, context: CommandContext) => Done | Promise<Done>;

/** Whether the command changes what is stored. */
export interface CommandRow {
  readonly name: string;
  readonly changes: boolean;
  readonly run: Command;
}

export const commandRows: readonly CommandRow[] = [
  ...defaultCommands,
  ...clientCommands,
  ...groupCommands,
  ...roleCommands,
];

const byName = new Map(commandRows.map((row) => [row.name.toLowerCase(), row]));

/** The command of that name, whatever its case. */
export function findCommand(name: string): CommandRow | undefined {
  return byName.get(name.toLowerCase());
}
