/** `moustique_ctrl dynsec`: words, output and statuses. The layout is that of Mosquitto 2.1. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli/ctrl.ts';
import { type Outcome, runInProcess } from '../cli/in-process.ts';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { refusalOf } from './clients.ts';
import { administrator, pluginPath, startDynsec, tcp5 } from './dynsec-world.ts';

const resources = useResources();

const tool = (words: readonly string[], input?: string): Promise<Outcome> =>
  runInProcess(main, words, input === undefined ? { name: 'moustique_ctrl' } : { name: 'moustique_ctrl', input });

const ctrl = (broker: TestBroker, words: string, input?: string): Promise<Outcome> =>
  tool(['-p', String(broker.port()), '-u', 'admin', '-P', 'secret', 'dynsec', ...words.split(' ')], input);

test('commands and their output', { timeout: 60_000 }, async () => {
  const broker = await startDynsec(resources);
  const steps: readonly (readonly [words: string, output: string])[] = [
    ['createClient anne -p pw -i cid', ''],
    ['createClient bob -p pw', ''],
    ['createGroup g', ''],
    ['createRole r1', ''],
    ['createRole r2', ''],
    ['addRoleACL r1 publishClientSend t/%u/# allow 5', ''],
    ['addRoleACL r1 subscribePattern t/# deny', ''],
    ['addClientRole anne r1 3', ''],
    ['addClientRole anne r2', ''],
    ['addGroupClient g anne 2', ''],
    ['addGroupClient g bob', ''],
    ['addGroupRole g r1', ''],
    ['disableClient anne', ''],
    [
      'getClient anne',
      'Username:    anne\nClientid:    cid\nDisabled:    true\n' +
        'Roles:       r1 (priority: 3)\n             r2 (priority: -1)\nGroups:      g (priority: 2)\n',
    ],
    ['enableClient anne', ''],
    ['setClientId anne', ''],
    ['removeClientRole anne r1', ''],
    ['GETCLIENT anne', 'Username:    anne\nClientid:\nRoles:       r2 (priority: -1)\nGroups:      g (priority: 2)\n'],
    ['getGroup g', 'Groupname: g\nRoles:     r1 (priority: -1)\nClients:   anne\n           bob\n'],
    [
      'getRole r1',
      'Rolename: r1\nACLs:     publishClientSend    : allow : t/%u/# (priority: 5)\n' +
        '          subscribePattern     : deny  : t/# (priority: 0)\n',
    ],
    ['listClients', 'admin\nanne\nbob\n'],
    ['listClients 1 1', 'anne\n'],
    ['listGroups', 'g\n'],
    ['listRoles 2', 'admin\nr1\n'],
    ['getAnonymousGroup', '\n'],
    ['setAnonymousGroup g', ''],
    ['getAnonymousGroup', 'g\n'],
    ['setDefaultACLAccess subscribe allow', ''],
    [
      'getDefaultACLAccess',
      'publishClientSend    : deny\npublishClientReceive : allow\nsubscribe            : allow\nunsubscribe          : allow\n',
    ],
    ['setClientPassword bob new', ''],
    ['removeRoleACL r1 subscribePattern t/#', ''],
    ['removeGroupRole g r1', ''],
    ['removeGroupClient g bob', ''],
    ['deleteRole r1', ''],
    ['deleteClient anne', ''],
    ['createGroup g2', ''],
    ['deleteGroup g2', ''],
  ];
  for (const [words, output] of steps) {
    const { stdout, stderr, status } = await ctrl(broker, words);
    expect({ stdout, stderr, status }, words).toEqual({ stdout: output, stderr: '', status: 0 });
  }
  expect(await refusalOf(resources, broker, tcp5, { user: 'bob', password: 'new' })).toBe(0);
  const connections = await ctrl(broker, 'getClient bob');
  expect(connections.stdout).toBe('Username:    bob\nClientid:\nConnections: 127.0.0.1\n');
});

const wrong: readonly (readonly [words: string, status: number, text: string | RegExp])[] = [
  ['getRole nope', 0, 'getRole: Error: Role not found.\n'],
  ['createRole admin', 0, 'createRole: Error: Role already exists.\n'],
  ['bogus', 13, "Command 'bogus' not recognised.\n"],
  [
    'createClient',
    3,
    /^Error: Invalid input\.\nUsage: .* dynsec createClient USERNAME \[-i CLIENTID\] \[-p PASSWORD\]\n$/,
  ],
  ['createClient u -p', 3, /^Error: Invalid input\./],
  ['getClient a b', 3, /^Error: Invalid input\./],
  ['addRoleACL r bogus t allow', 3, /^Error: Invalid input\./],
  ['addRoleACL r publishClientSend t maybe', 3, /^Error: Invalid input\./],
  ['addClientRole u r high', 3, /^Error: Invalid input\./],
  ['listClients many', 3, /^Error: Invalid input\./],
  ['setDefaultACLAccess bogus allow', 3, /^Error: Invalid input\./],
  ['init', 3, /^dynsec init: Not enough arguments/],
];

test('what is wrong, and its status', async () => {
  const broker = await startDynsec(resources);
  for (const [words, expected, text] of wrong) {
    const { stdout, stderr, status } = await ctrl(broker, words);
    expect(stderr, words).toMatch(text);
    expect([stdout, status], words).toEqual(['', expected]);
  }
});

test('passwords are asked for where there are none', async () => {
  const broker = await startDynsec(resources);
  const created = await ctrl(broker, 'createClient anne', 'pw\npw\n');
  expect(created.stderr).toContain('Enter new password for anne. Press return for no password');
  expect(await refusalOf(resources, broker, tcp5, { user: 'anne', password: 'pw' })).toBe(0);
  expect((await ctrl(broker, 'createClient bare', '\n')).status).toBe(0);
  expect((await ctrl(broker, 'setClientPassword anne', 'a\nb\n')).stderr).toContain('Error: Passwords do not match.');
  expect((await ctrl(broker, 'setClientPassword anne', '\n')).stderr).toContain('Error: Empty password.');
  expect(await refusalOf(resources, broker, tcp5, { user: 'anne', password: 'pw' })).toBe(0);
  const asked = await tool(['-p', String(broker.port()), '-u', 'admin', 'dynsec', 'listClients'], 'secret\n');
  expect(asked.stderr).toContain('Password for admin: ');
  expect(asked.stdout).toBe('admin\nanne\nbare\n');
});

test('who may not administer is told so', async () => {
  const broker = await startDynsec(resources);
  await ctrl(broker, 'createClient anne -p pw');
  const asAnne = (user: string, password: string): Promise<Outcome> =>
    tool(['-p', String(broker.port()), '-u', user, '-P', password, 'dynsec', 'listClients']);
  expect(await asAnne('anne', 'pw')).toMatchObject({
    stdout: '',
    stderr: 'Error: You may not subscribe to $CONTROL/dynamic-security/v1/response.\n',
    status: 11,
  });
  expect((await asAnne('anne', 'wrong')).stderr).toMatch(/not authori[sz]ed/i);
});

test('broker listPlugins shows it', async () => {
  const broker = await startDynsec(resources, 'moustique', ['enable_control_api true']);
  const { stdout } = await tool([
    ...['-p', String(broker.port()), '-u', 'admin', '-P', 'secret', 'broker', 'listPlugins'],
  ]);
  expect(stdout).toBe('Plugin:            dynamic-security\nControl endpoints: $CONTROL/dynamic-security/v1\n');
});

describeWith(['mosquitto'], 'init', () => {
  test.each(['moustique', 'mosquitto'] as const)('makes a file with which %s starts', async (name) => {
    const file = join(tempDir(resources), 'ds.json');
    const { stdout, status } = await tool(['dynsec', 'init', file, 'admin', 'pw of admin']);
    expect(stdout).toMatch(`The client 'admin' has been created in the file '${file}'.`);
    expect(status).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    const broker = await startBroker(resources, name, {
      config: ['listener {port} 127.0.0.1', `plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json'],
      files: { 'ds.json': readFileSync(file, 'utf8') },
    });
    const admin = await administrator(resources, broker, { password: 'pw of admin' });
    expect(await admin.run({ command: 'listClients' })).toMatchObject([{ data: { clients: ['admin'] } }]);
    // Reads everything, publishes to the endpoint alone.
    expect(await admin.client.subscribe('#', '$SYS/#')).toEqual([1, 1]);
    expect(await admin.client.publish('a', 'x')).toBe(0x87);
  });

  test('never writes over a file', async () => {
    const file = join(tempDir(resources), 'ds.json');
    await tool(['dynsec', 'init', file, 'admin'], 'one\none\n');
    const before = readFileSync(file, 'utf8');
    expect(await tool(['dynsec', 'init', file, 'admin', 'two'])).toMatchObject({
      stderr: `dynsec init: Unable to open '${file}' for writing (File exists).\n`,
      status: 0,
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    const nowhere = join(tempDir(resources), 'nowhere', 'ds.json');
    expect((await tool(['dynsec', 'init', nowhere, 'admin', 'two'])).stderr).toMatch('No such file or directory');
    expect(existsSync(nowhere)).toBe(false);
  });
});

test('-f changes a password in the file', async () => {
  const broker = await startDynsec(resources);
  await broker.stop();
  const file = join(broker.dir, 'ds.json');
  const set = (words: string): Promise<Outcome> => tool(['-f', file, 'dynsec', ...words.split(' ')]);
  expect(await set('setClientPassword admin new -i 5')).toMatchObject({ stdout: '', stderr: '', status: 0 });
  expect(readFileSync(file, 'utf8')).toMatch('"$7$5$');
  expect((await set('setClientPassword nobody new')).stderr).toBe('setClientPassword: Error: Client not found.\n');
  expect((await set('setClientPassword admin new -i 0')).status).toBe(3);
  expect((await set('listClients')).stderr).toBe('Error: -f works with dynsec setClientPassword only.\n');
  await broker.start();
  expect(await refusalOf(resources, broker, tcp5, { user: 'admin', password: 'new' })).toBe(0);
  expect(await refusalOf(resources, broker, tcp5, { user: 'admin', password: 'secret' })).toBe(0x87);
});
