import { expect, test } from 'vitest';
import {
  dropPrivileges,
  type PrivilegeCalls,
  PrivilegeError,
  type PrivilegeLine,
  type SystemUser,
  umaskFromEnvironment,
  userIn,
} from './privileges.ts';

interface Drop {
  readonly calls: string[];
  readonly run: (user: string | null, env?: NodeJS.ProcessEnv) => PrivilegeLine[];
}

/** A system with these users, asked by the process of user `uid`. */
function system(users: Readonly<Record<string, SystemUser>>, uid = 0, refuse = false): Drop {
  const calls: string[] = [];
  let effective = uid;
  const fake: PrivilegeCalls = {
    effectiveUser: () => effective,
    findUser: (name) => users[name] ?? null,
    initialiseGroups: (user, gid) => calls.push(`initgroups ${user} ${gid}`),
    setGroups: (gids) => calls.push(`setgroups ${gids.join()}`),
    setGroup: (gid) => calls.push(`setgid ${gid}`),
    setUser: (id) => {
      if (refuse) throw new Error('EPERM');
      calls.push(`setuid ${id}`);
      effective = id;
    },
  };
  return { calls, run: (user, env = {}) => dropPrivileges({ user, env }, fake) };
}

const users = {
  root: { uid: 0, gid: 0 },
  mosquitto: { uid: 102, gid: 109 },
  nobody: { uid: 65_534, gid: 65_534 },
  anne: { uid: 1_000, gid: 1_001 },
};

test('root becomes the configured user, groups first', () => {
  const { calls, run } = system(users);
  expect(run('anne')).toEqual([{ type: 'information', line: 'Info: running moustique as user: anne.' }]);
  expect(calls).toEqual(['initgroups anne 1001', 'setgid 1001', 'setuid 1000']);
});

test('without a configured user it is mosquitto, else nobody with a warning', () => {
  const usual = system(users);
  expect(usual.run(null)[0]?.line).toBe('Info: running moustique as user: mosquitto.');
  expect(usual.calls).toContain('setuid 102');

  const { nobody } = users;
  const poor = system({ nobody });
  expect(poor.run(null).map(({ line }) => line)).toEqual([
    "Warning: The user 'mosquitto' does not exist, running as 'nobody' instead.",
    'Info: running moustique as user: nobody.',
  ]);
  expect(poor.calls).toEqual(['initgroups nobody 65534', 'setgid 65534', 'setuid 65534']);
});

test('user root stays root and is warned', () => {
  const { calls, run } = system(users);
  expect(run('root')).toEqual([
    { type: 'warning', line: 'Warning: Moustique should not be run as root/administrator.' },
  ]);
  expect(calls).toEqual([]);
});

test('a process that is not root stays what it is', () => {
  const { calls, run } = system(users, 1_000);
  expect(run('nosuchuser', { PUID: '5' })).toEqual([]);
  expect(calls).toEqual([]);
});

test('an unknown user, or a system that refuses, ends the start with status 3', () => {
  expect(() => system(users).run('bob')).toThrow(
    "Error: Unable to drop privileges to 'bob' because this user does not exist.",
  );
  expect(() => system({}).run(null)).toThrow("privileges to 'mosquitto' because");
  expect(() => system(users, 0, true).run('anne')).toThrow(
    new PrivilegeError("Error: Unable to drop privileges to 'anne': EPERM."),
  );
  expect(new PrivilegeError('').exitCode).toBe(3);
});

test('a process that is still root afterwards does not go on', () => {
  const { mosquitto } = users;
  const calls: PrivilegeCalls = {
    effectiveUser: () => 0,
    findUser: () => mosquitto,
    initialiseGroups: () => undefined,
    setGroups: () => undefined,
    setGroup: () => undefined,
    setUser: () => undefined,
  };
  expect(() => dropPrivileges({ user: null, env: {} }, calls)).toThrow('Still root');
});

test('PUID and PGID come before the configured user', () => {
  const { calls, run } = system(users);
  expect(run('anne', { PUID: '1883', PGID: '1884' })[0]?.line).toBe('Info: running moustique as user: 1883.');
  expect(calls).toEqual(['setgroups 1884', 'setgid 1884', 'setuid 1883']);
  const alone = system(users);
  alone.run(null, { PUID: '7' });
  expect(alone.calls).toEqual(['setgroups 7', 'setgid 7', 'setuid 7']);
  expect(() => system(users).run(null, { PUID: '-1' })).toThrow('Error: Invalid PUID value (-1).');
  expect(() => system(users).run(null, { PGID: '1' })).toThrow('PGID is set but PUID is not');
});

test('finds users in lines of passwd', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/sh\nmosquitto:x:102:109::/var/lib/mosquitto:/usr/sbin/nologin\nbad:x:a:b\n';
  expect(userIn(passwd, 'mosquitto')).toEqual({ uid: 102, gid: 109 });
  expect(userIn(passwd, 'mosquitt')).toBeNull();
  expect(userIn(passwd, 'bad')).toBeNull();
  expect(userIn(passwd, '')).toBeNull();
});

test('UMASK_SET is octal', () => {
  expect(umaskFromEnvironment({})).toBeNull();
  expect(umaskFromEnvironment({ UMASK_SET: '027' })).toBe(0o27);
  expect(umaskFromEnvironment({ UMASK_SET: '0077' })).toBe(0o77);
  expect(() => umaskFromEnvironment({ UMASK_SET: '8' })).toThrow('Error: Invalid UMASK_SET value (8).');
});
