/** `moustique link DIR`: Mosquitto's names for our executables, as symbolic links. */
import { existsSync, lstatSync, readlinkSync, realpathSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errnoCode, errnoText } from './exit-code.ts';
import type { ToolIo } from './tool-io.ts';

/** Mosquitto's name → our launcher. */
const names: readonly (readonly [link: string, launcher: string])[] = [
  ['mosquitto', 'moustique.js'],
  ['mosquitto_pub', 'moustique_pub.js'],
  ['mosquitto_sub', 'moustique_sub.js'],
  ['mosquitto_rr', 'moustique_rr.js'],
  ['mosquitto_passwd', 'moustique_passwd.js'],
  ['mosquitto_ctrl', 'moustique_ctrl.js'],
  ['mosquitto_signal', 'moustique_signal.js'],
  ['mosquitto_db_dump', 'moustique_db_dump.js'],
];

/** @returns the exit status: 0 when every link is there */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  const isForced = words.includes('--force');
  const [directory, ...others] = words.filter((word) => word !== '--force');
  if (directory === undefined || directory.startsWith('-') || others.length > 0) {
    io.error(`Usage: ${io.name} [--force] DIRECTORY\n`);
    return 1;
  }
  const launchers = dirname(realpathSync(process.argv[1] ?? ''));
  let status = 0;
  for (const [name, launcher] of names) {
    const target = join(launchers, launcher);
    if (!existsSync(target)) continue;
    const path = join(resolve(directory), name);
    try {
      if (link(path, target, isForced)) io.stdout.text(`${path} -> ${target}\n`);
    } catch (error) {
      const why = errnoCode(error) === 'EEXIST' ? 'it exists already; --force replaces links' : errnoText(error);
      io.error(`Error: Unable to make ${path}: ${why}.\n`);
      status = 1;
    }
  }
  return status;
}

/** Makes a link unless it is there. A file that is no link is never replaced. */
function link(path: string, target: string, isForced: boolean): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) {
    if (readlinkSync(path) === target) return false;
    if (isForced) unlinkSync(path);
  }
  symlinkSync(target, path);
  return true;
}
