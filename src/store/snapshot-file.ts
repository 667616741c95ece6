/** Writes a snapshot aside and puts it in place of the old one, so that at every moment one of them is whole. */
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';

/**
 * Writes `path`.new, makes it durable and renames it over `path`.
 *
 * @param blocks - the bytes; each block must stay as it is until the next one is asked for
 * @param beforeRename - awaited when everything is written; when it fails the old file stays
 * @returns the size of the file in bytes
 * @throws the disk's error; `path` is then what it was
 */
export async function writeSnapshot(
  disk: Disk,
  path: string,
  blocks: Iterable<Buffer>,
  beforeRename?: () => Promise<void>,
): Promise<number> {
  const aside = `${path}.new`;
  const file = await disk.create(aside);
  let size = 0;
  try {
    for (const block of blocks) {
      await file.write(block, 0, block.length, size);
      size += block.length;
    }
    await file.sync();
    await beforeRename?.();
  } catch (error) {
    await file.close().catch(() => {});
    // What was written takes room that somebody else may need.
    await disk.remove(aside).catch(() => {});
    throw error;
  }
  await file.close();
  await disk.rename(aside, path);
  await disk.syncDirectory(dirname(path));
  return size;
}
