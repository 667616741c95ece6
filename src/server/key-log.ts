/**
 * `--tls-keylog`: the keys of TLS connections in a file that Wireshark reads (NSS key log format). Whoever has the file reads
 * what was encrypted, so it is written only where nobody else can look.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

export interface KeyLog {
  write(line: Buffer): void;
  close(): void;
}

/** @returns in words why the file is not written */
export function openKeyLog(path: string): KeyLog | string {
  let descriptor: number;
  try {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
    descriptor = openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ELOOP' ? `${path} is a symbolic link` : `${path} cannot be opened: ${code ?? String(error)}`;
  }
  const stats = fstatSync(descriptor);
  if (!stats.isFile() || (stats.mode & 0o077) !== 0) {
    closeSync(descriptor);
    return stats.isFile() ? `others may read or write ${path}` : `${path} is not a file`;
  }
  return {
    write: (line) => {
      try {
        writeSync(descriptor, line);
      } catch {
        // A full disk must not end a broker that works.
      }
    },
    close: () => closeSync(descriptor),
  };
}
