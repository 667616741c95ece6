import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Run by root, a tool that writes a broker's files does so as their owner, so that the broker can use them afterwards.
 *
 * @param path - a file, or one to be made in a directory whose owner counts
 */
export function actAsOwnerOf(path: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path));
  if (uid === 0) return;
  process.setegid?.(gid);
  process.seteuid?.(uid);
}
