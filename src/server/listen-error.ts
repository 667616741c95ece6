/** Why a listener cannot be opened, in Mosquitto's words. */
import { systemErrorText } from '../broker/log-lines.ts';
import type { ListenerConfig } from '../config/config.ts';
import { StartError } from './start-error.ts';

export function bindError(error: NodeJS.ErrnoException, where: string): StartError {
  const text = systemErrorText(error.code ?? error.message);
  return new StartError([`Error: ${text}`, `Error: Unable to listen on ${where}: ${text}.`], 1, { cause: error });
}

/** Mosquitto finds the host of `bind_address` while it reads the file, and that of a `listener` when it opens it. */
export function noSuchHost({ port, origin }: ListenerConfig, host: string, cause: unknown): StartError {
  const written = origin['bind_address'];
  const lines =
    written === undefined
      ? ['Error creating listener: Name or service not known.', `Error: listener ${port} ${host}: no such host.`]
      : [
          'Error: Error resolving bind_address: Name or service not known.',
          `Error found at ${written.file}:${written.line}.`,
        ];
  return new StartError(lines, written === undefined ? 1 : 3, { cause });
}
