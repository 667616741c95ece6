/**
 * Reading the files that say who may come in and what they may do.
 *
 * As Mosquitto 2.1: a symbolic link is not followed, what is no plain file is refused, and a file that others may read or that
 * belongs to somebody else is read with a warning. Beyond it: a file that anyone may write is refused, because then anyone on
 * the machine says who may come in.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { builtins } from '../base/builtins.ts';

/** A security file that cannot be used. */
export class SecurityFileError extends Error {
  override readonly name = 'SecurityFileError';
  /** Log lines, Mosquitto's words first. */
  readonly lines: readonly string[];
  /** Exit status of a broker that ends because of it. */
  readonly exitCode: number;

  constructor(lines: readonly string[], exitCode: number, options?: ErrorOptions) {
    super(lines.join('\n'), options);
    this.lines = lines;
    this.exitCode = exitCode;
  }
}

/** Exit status for a file that cannot be opened, and for one whose content is wrong. */
export const unreadable = 13;
export const malformed = 3;

/** How a security file is read. */
export interface ReadOptions {
  /** Mosquitto's line for a file that cannot be opened. */
  readonly cannotOpen: string;
  /** `MOSQUITTO_UNSAFE_ALLOW_SYMLINKS`. */
  readonly allowSymlinks: boolean;
}

/** The content of a security file, and what the operator should know about the file. */
export interface SecurityFile {
  readonly content: string;
  readonly warnings: readonly string[];
}

/** @throws SecurityFileError - 13 */
export function readSecurityFile(path: string, { cannotOpen, allowSymlinks }: ReadOptions): SecurityFile {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new SecurityFileError([cannotOpen, `Error: ${path}${reason}`], unreadable, { cause });
  };
  let descriptor: number;
  try {
    // NONBLOCK: a pipe with nobody at its other end is refused as no file, not waited for.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | (allowSymlinks ? 0 : constants.O_NOFOLLOW);
    descriptor = openSync(path, flags);
  } catch (error) {
    return refuse(reasonOf((error as NodeJS.ErrnoException).code), error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return refuse(' is not a file.');
    if ((stats.mode & 0o002) !== 0) {
      return refuse(`: anyone on this machine may write to it. To fix this, use \`chmod o-w ${path}\`.`);
    }
    return { content: readFileSync(descriptor, 'utf8'), warnings: permissionWarnings(path, stats) };
  } finally {
    closeSync(descriptor);
  }
}

function reasonOf(code: string | undefined): string {
  switch (code) {
    case 'ENOENT':
      return ': No such file or directory.';
    case 'EACCES':
      return ': Permission denied.';
    case 'ELOOP':
      return ' is a symbolic link. Set MOSQUITTO_UNSAFE_ALLOW_SYMLINKS to allow it, or name the file it leads to.';
    default:
      return `: ${code ?? 'unknown error'}.`;
  }
}

/** Mosquitto's warnings about a file that others may read or that is somebody else's. */
function permissionWarnings(path: string, stats: Stats): string[] {
  const warnings: string[] = [];
  const refusedSoon = 'Future versions will refuse to load this file.';
  if ((stats.mode & 0o004) !== 0) {
    warnings.push(
      `Warning: File ${path} has world readable permissions. ${refusedSoon}`,
      `To fix this, use \`chmod 0700 ${path}\`.`,
    );
  }
  const uid = process.getuid?.() ?? stats.uid;
  const gid = process.getgid?.() ?? stats.gid;
  if (stats.uid !== uid) {
    const user = builtins.os.userInfo().username;
    warnings.push(
      `Warning: File ${path} owner is not ${user}. ${refusedSoon}To fix this, use \`chown ${user} ${path}\`.`,
    );
  }
  if (stats.gid !== gid) {
    warnings.push(`Warning: File ${path} group is not ${groupName(gid)}. ${refusedSoon}`);
  }
  return warnings;
}

/** The name of a group in `/etc/group`; its number when it has none. */
function groupName(gid: number): string {
  try {
    for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
      const [name = '', , id] = line.split(':');
      if (Number(id) === gid && name !== '') return name;
    }
  } catch {
    // A machine without that file: the number says as much.
  }
  return String(gid);
}
