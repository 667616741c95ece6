import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Resources } from './resources.ts';

/** A new empty folder that other users may enter (brokers give up root), removed at the end. The path is short enough for a Unix socket. */
export function tempDir(resources: Resources): string {
  const path = mkdtempSync(join(tmpdir(), 'moustique-'));
  chmodSync(path, 0o755);
  resources.add({ close: () => rmSync(path, { recursive: true, force: true }) });
  return path;
}
