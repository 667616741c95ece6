/** Started as root, the broker becomes an ordinary user before it opens anything a client can reach. */
import { readFileSync } from 'node:fs';
import { builtins } from '../base/builtins.ts';
import type { LogType } from '../contracts/logger.ts';

/** The broker cannot become the user it was told to become. */
export class PrivilegeError extends Error {
  override readonly name = 'PrivilegeError';
  readonly exitCode = 3;
}

/** A user of the system. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The calls that change who a process is; replaced in tests. */
export interface PrivilegeCalls {
  /** Effective user id; null where there is none (Windows). */
  effectiveUser(): number | null;
  findUser(name: string): SystemUser | null;
  initialiseGroups(user: string, gid: number): void;
  setGroups(gids: readonly number[]): void;
  setGroup(gid: number): void;
  setUser(uid: number): void;
}

export interface PrivilegeRequest {
  /** `user` of the configuration; null when not given. */
  readonly user: string | null;
  /** PUID, PGID and SNAP_NAME are read. */
  readonly env: NodeJS.ProcessEnv;
}

/** A line for the log, which is not open yet at that time. */
export interface PrivilegeLine {
  readonly type: LogType;
  readonly line: string;
}

const defaultUser = 'mosquitto';
const fallbackUser = 'nobody';
const rootWarning: PrivilegeLine = {
  type: 'warning',
  line: 'Warning: Moustique should not be run as root/administrator.',
};

/**
 * Gives up root for `user`, else `mosquitto`, else `nobody`; does nothing when not started as root.
 *
 * @returns what to log
 * @throws PrivilegeError - no such user, or the system refuses
 */
export function dropPrivileges(request: PrivilegeRequest, calls: PrivilegeCalls = systemCalls()): PrivilegeLine[] {
  if (calls.effectiveUser() !== 0 || request.env['SNAP_NAME'] === 'mosquitto') return [];
  const byNumber = numbersFromEnvironment(request.env);
  if (byNumber !== null) return becomeNumbers(byNumber, calls);
  return becomeNamed(request.user, calls);
}

function becomeNamed(configured: string | null, calls: PrivilegeCalls): PrivilegeLine[] {
  if (configured === 'root') return [rootWarning];
  const wanted = configured ?? defaultUser;
  let name = wanted;
  let user = calls.findUser(wanted);
  const lines: PrivilegeLine[] = [];
  if (user === null && wanted === defaultUser) {
    name = fallbackUser;
    user = calls.findUser(fallbackUser);
    lines.push({
      type: 'warning',
      line: `Warning: The user '${defaultUser}' does not exist, running as '${fallbackUser}' instead.`,
    });
  }
  if (user === null) {
    throw new PrivilegeError(`Error: Unable to drop privileges to '${wanted}' because this user does not exist.`);
  }
  if (user.uid === 0) return [rootWarning];
  const { uid, gid } = user;
  become(name, calls, () => {
    calls.initialiseGroups(name, gid);
    calls.setGroup(gid);
    calls.setUser(uid);
  });
  lines.push({ type: 'information', line: `Info: running moustique as user: ${name}.` });
  return lines;
}

function becomeNumbers({ uid, gid }: SystemUser, calls: PrivilegeCalls): PrivilegeLine[] {
  if (uid === 0) return [rootWarning];
  become(String(uid), calls, () => {
    calls.setGroups([gid]);
    calls.setGroup(gid);
    calls.setUser(uid);
  });
  return [{ type: 'information', line: `Info: running moustique as user: ${uid}.` }];
}

function become(name: string, calls: PrivilegeCalls, change: () => void): void {
  try {
    change();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PrivilegeError(`Error: Unable to drop privileges to '${name}': ${reason}.`, { cause });
  }
  if (calls.effectiveUser() === 0) throw new PrivilegeError(`Error: Still root after becoming '${name}'.`);
}

/** PUID and PGID, as containers set them; null when there is no PUID. */
function numbersFromEnvironment(env: NodeJS.ProcessEnv): SystemUser | null {
  const uid = numberFromEnvironment(env, 'PUID');
  const gid = numberFromEnvironment(env, 'PGID');
  if (uid === null && gid === null) return null;
  if (uid === null) throw new PrivilegeError('Error: PGID is set but PUID is not.');
  return { uid, gid: gid ?? uid };
}

function numberFromEnvironment(env: NodeJS.ProcessEnv, name: 'PUID' | 'PGID'): number | null {
  const text = env[name];
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value > 4_294_967_294) {
    throw new PrivilegeError(`Error: Invalid ${name} value (${text}).`);
  }
  return value;
}

/**
 * UMASK_SET: the mode bits that files of the broker never get.
 *
 * @throws PrivilegeError - not an octal number up to 0777
 */
export function umaskFromEnvironment(env: NodeJS.ProcessEnv): number | null {
  const text = env['UMASK_SET'];
  if (text === undefined || text === '') return null;
  if (!/^0*[0-7]{1,3}$/.test(text)) throw new PrivilegeError(`Error: Invalid UMASK_SET value (${text}).`);
  return Number.parseInt(text, 8);
}

function systemCalls(): PrivilegeCalls {
  // Node leaves these out on Windows, where nobody is user 0 and so none of them is called.
  const { geteuid, setgroups, setgid, setuid } = process;
  // Missing in Node's types.
  const { initgroups } = process as { readonly initgroups?: (user: string, gid: number) => void };
  return {
    effectiveUser: () => geteuid?.call(process) ?? null,
    findUser: (name) => userIn(readPasswordDatabase(), name) ?? userIn(askNameService(name), name),
    initialiseGroups: (user, gid) => initgroups?.call(process, user, gid),
    setGroups: (gids) => setgroups?.call(process, [...gids]),
    setGroup: (gid) => setgid?.call(process, gid),
    setUser: (uid) => setuid?.call(process, uid),
  };
}

/** The user in lines of passwd(5): `name:password:uid:gid:…`. */
export function userIn(passwd: string, name: string): SystemUser | null {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields[0] !== name || name === '') continue;
    const uid = Number(fields[2]);
    const gid = Number(fields[3]);
    if (fields.length >= 4 && Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  }
  return null;
}

function readPasswordDatabase(): string {
  try {
    return readFileSync('/etc/passwd', 'latin1');
  } catch {
    return '';
  }
}

/** Users that are in no file: LDAP and the like. */
function askNameService(name: string): string {
  if (name.startsWith('-')) return '';
  const asked = builtins.childProcess.spawnSync('getent', ['passwd', name], { encoding: 'latin1', timeout: 5_000 });
  return asked.status === 0 ? asked.stdout : '';
}
