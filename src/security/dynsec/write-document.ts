/** Writing the file of dynamic security: whoever reads it, also after a crash, sees the old content or the new one. */
import { chmod, chown, type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { notByRename } from '../replace-file.ts';

/** What is gathered before it is written, so that others have their turn while a large file is. */
const pieceBytes = 65_536;

/**
 * Writes beside the file, syncs, and takes its place by a rename; readable by its owner alone. Where that is not possible (a
 * read-only directory, a single file that was mounted into a container) the file is written in place.
 *
 * @param pieces - made while they are written
 * @throws Error - of the system call that failed, with its `code`
 */
export async function writeDocument(path: string, pieces: () => Iterable<string>): Promise<void> {
  const real = await realpath(path).catch(() => path);
  const fresh = `${real}.new`;
  try {
    await rm(fresh, { force: true });
    await write(await open(fresh, 'wx', 0o600), pieces());
    await keepOwner(real, fresh);
    await rename(fresh, real);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    if (!notByRename(error)) throw error;
    await write(await open(real, 'r+'), pieces());
    return;
  }
  const directory = await open(dirname(real), 'r').catch(() => null);
  // Not every file system syncs directories.
  await directory?.sync().catch(() => {});
  await directory?.close();
}

async function write(file: FileHandle, pieces: Iterable<string>): Promise<void> {
  try {
    let gathered = '';
    let written = 0;
    const flush = async (): Promise<void> => {
      const bytes = Buffer.from(gathered);
      gathered = '';
      let at = 0;
      while (at < bytes.length) {
        const { bytesWritten } = await file.write(bytes, at, bytes.length - at, written);
        at += bytesWritten;
        written += bytesWritten;
      }
    };
    for (const piece of pieces) {
      gathered += piece;
      if (gathered.length >= pieceBytes) await flush();
    }
    await flush();
    await file.truncate(written);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A broker that runs as root leaves the file to the user it belongs to. */
async function keepOwner(real: string, fresh: string): Promise<void> {
  await chmod(fresh, 0o600);
  const before = await stat(real).catch(() => null);
  if (before === null || before.uid === process.getuid?.()) return;
  await chown(fresh, before.uid, before.gid).catch(() => {});
}
