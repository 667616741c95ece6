/** How dynamic security is asked for, and what is said when that is not possible. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';
import { connect, refusalOf } from './clients.ts';
import { adminFile, administrator, pluginPath, tcp5 } from './dynsec-world.ts';

const resources = useResources();
// "pw", in the scheme sha512.
const passwordLine =
  '$6$MTIzNDU2Nzg5MDEy$q7affew5acOzyiuk4E4vJEZhU7t4R1xWTto75IKPJP97LVA+CzSoDMfF2WDjlseX3rV+CHErovd5xAUk0bl69w==';
const asAdmin = { user: 'admin', password: 'secret' };

async function refused(config: readonly string[], files: Record<string, string> = {}): Promise<Finished> {
  const broker = await prepareBroker(resources, 'moustique', { config, files });
  return await broker.launch().ended;
}

const configFile = 'plugin_opt_config_file {dir}/ds.json';

test.each([
  [[`plugin ${pluginPath}`, configFile]],
  [['plugin C:\\Mosquitto\\mosquitto_dynamic_security.dll', configFile]],
  [['auth_plugin /anywhere/mosquitto_dynamic_security.so', 'auth_opt_Config_File {dir}/ds.json']],
  [['global_plugin /x/mosquitto_dynamic_security.so', configFile, 'auth_plugin_deny_special_chars false']],
  [['plugin_load ds /x/mosquitto_dynamic_security.so', configFile, 'listener {port} 127.0.0.1', 'plugin_use ds']],
])('%j loads it', async (lines) => {
  const own = lines.some((line) => line.startsWith('listener')) ? [] : ['listener {port} 127.0.0.1'];
  const broker = await startBroker(resources, 'moustique', {
    config: [...own, ...lines],
    files: { 'ds.json': adminFile },
  });
  expect(await refusalOf(resources, broker, tcp5, asAdmin)).toBe(0);
  expect(await refusalOf(resources, broker, tcp5, {})).toBe(0x87);
});

test('with per_listener_settings a listener has it or not', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['per_listener_settings true', 'listener {port} 127.0.0.1', 'plugin /x/mosquitto_dynamic_security.so'],
      ...[configFile, 'listener {wsport} 127.0.0.1', 'protocol websockets', 'allow_anonymous true'],
    ],
    files: { 'ds.json': adminFile },
  });
  expect(await refusalOf(resources, broker, tcp5, { user: 'x', password: 'y' })).toBe(0x87);
  expect(await refusalOf(resources, broker, { transport: 'ws', version: 5 }, { user: 'x', password: 'y' })).toBe(0);
});

test('the plugins of files are as the options of that name', async () => {
  const files = { acl: 'user anne\ntopic write a\n', passwords: `anne:${passwordLine}\n` };
  const plugins = [
    ...['plugin /x/mosquitto_acl_file.so', 'plugin_opt_acl_file {dir}/acl'],
    ...['global_plugin /x/mosquitto_password_file.so', 'plugin_opt_password_file {dir}/passwords'],
  ];
  const broker = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', ...plugins],
    files,
  });
  const client = await connect(resources, broker, tcp5, { user: 'anne', password: 'pw' });
  expect([await client.publish('a', ''), await client.publish('b', '')]).toEqual([0x10, 0x87]);
  expect(await refusalOf(resources, broker, tcp5, { user: 'anne', password: 'wrong' })).toBe(0x87);
  const twice = await refused(['listener {port}', 'acl_file {dir}/acl', ...plugins], files);
  expect(twice.stderr).toMatch("Error: There is another 'acl_file' for the same listener.");
  expect(twice.status).toBe(3);
});

test('a reload neither reads the file again nor lets anybody go', async () => {
  const config = ['listener {port} 127.0.0.1', 'plugin /x/mosquitto_dynamic_security.so', configFile];
  const broker = await startBroker(resources, 'moustique', { config, files: { 'ds.json': adminFile } });
  const admin = await administrator(resources, broker);
  writeFileSync(join(broker.dir, 'ds.json'), adminFile.replace('"username":"admin"', '"username":"other"'));
  broker.process.signal('SIGHUP');
  await broker.process.waitForOutput(/Reloading config/, 'stderr');
  expect(await admin.run({ command: 'listClients' })).toMatchObject([{ data: { clients: ['admin'] } }]);
  expect(await refusalOf(resources, broker, tcp5, asAdmin)).toBe(0);
});

test('other plugins, and two of it, are refused with a reason', async () => {
  for (const line of ['plugin /x/auth.so', 'global_plugin /x/auth.so', 'plugin_load x /x/auth.so']) {
    const name = line.split(' ')[0] ?? '';
    const { stderr, status } = await refused([line]);
    expect(stderr).toMatch(
      new RegExp(
        `Error: The '${name}' option is not supported: "/x/auth.so" cannot be loaded, of all plugins only mosquitto_dynamic_security.so, mosquitto_acl_file.so and mosquitto_password_file.so are built in\\.`,
      ),
    );
    expect(status).toBe(3);
  }
  const twice = await refused([...Array(2)].flatMap(() => ['plugin /x/mosquitto_dynamic_security.so', configFile]));
  expect(twice.stderr).toMatch('Error: Dynamic security plugin can currently only be loaded once.');
  expect(twice.status).toBe(3);
});

test('--test-config reads the lines and not the file', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {port}', 'plugin /x/mosquitto_dynamic_security.so', configFile],
    args: ['--test-config'],
  });
  const { status, stdout, stderr } = await broker.launch().ended;
  expect(`${stdout}${stderr}`).toMatch('Configuration file is OK.');
  expect(status).toBe(0);
  expect(existsSync(join(broker.dir, 'ds.json'))).toBe(false);
});

test('without a file it is not active; options that it does not have are told', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'plugin /x/mosquitto_dynamic_security.so', 'plugin_opt_speed 7'],
  });
  expect(await refusalOf(resources, broker, tcp5, {})).toBe(0x87);
  const { stderr } = await broker.stop();
  expect(stderr).toMatch('mosquitto_dynamic_security is not active, because it has no plugin_opt_config_file');
  expect(stderr).toMatch("'plugin_opt_speed' has no effect on mosquitto_dynamic_security");
});

test.each([
  [
    '{',
    3,
    [
      'Error loading Dynamic security plugin config: File is not valid JSON.',
      /ds\.json:1: not JSON: the end of the file/,
    ],
  ],
  ['nonsense', 3, [/ds\.json:1: not JSON: "n" is not expected here/]],
  [
    '{"clients":7}',
    3,
    ['Error loading Dynamic security plugin config: File is not understood.', /ds\.json: clients: expected a list/],
  ],
  ['{"clients":[{}]}', 3, [/ds\.json: clients\[0\]\.username: is missing/]],
  [
    '{"roles":[{"rolename":"r","acls":[{"acltype":"x"}]}]}',
    3,
    [/ds\.json: roles\[0\]\.acls\[0\]\.acltype: expected one/],
  ],
])('the file %s stops the start: status %i', async (content, expected, lines) => {
  const config = ['listener {port} 127.0.0.1', 'plugin /x/mosquitto_dynamic_security.so', configFile];
  const { stderr, status } = await refused(config, { 'ds.json': content });
  for (const line of lines) expect(stderr).toMatch(line);
  expect(status).toBe(expected);
});

/** A broker that finds no file. */
function withoutFile(more: readonly string[] = [], env: Record<string, string> = {}): Promise<TestBroker> {
  return prepareBroker(resources, 'moustique', {
    config: ['listener {port} 127.0.0.1', 'plugin /x/mosquitto_dynamic_security.so', configFile, ...more],
    env,
    files: { first: 'password-of-the-file  \nsecond line\n' },
  });
}

test('a file that is not there is made, with passwords in a file beside it', async () => {
  const broker = await withoutFile();
  await broker.start();
  const [admin = '', democlient = ''] = readFileSync(join(broker.dir, 'ds.json.pw'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/^(?:admin|democlient) /, ''));
  expect([admin.length, democlient.length]).toEqual([20, 20]);
  for (const file of ['ds.json', 'ds.json.pw']) expect(statSync(join(broker.dir, file)).mode & 0o777).toBe(0o600);
  const administers = await administrator(resources, broker, { password: admin });
  expect(await administers.run({ command: 'listRoles' })).toEqual([
    {
      command: 'listRoles',
      data: {
        totalCount: 7,
        roles: [
          ...['broker-admin', 'client', 'dynsec-admin', 'super-admin', 'sys-notify', 'sys-observe', 'topic-observe'],
        ],
      },
    },
  ]);
  expect(await administers.run({ command: 'getAnonymousGroup' })).toMatchObject([
    { data: { group: { groupname: 'unauthenticated' } } },
  ]);
  const demo = await connect(resources, broker, tcp5, { user: 'democlient', password: democlient });
  expect(await demo.subscribe('#', '$SYS/#')).toEqual([1, 0x87]);
  const { stderr } = await broker.stop();
  expect(stderr).toMatch('Dynamic security plugin config not found, generating a default config.');
  expect(stderr).not.toMatch(admin);
});

test.each([
  ['the password file', ['plugin_opt_password_init_file {dir}/first'], {}, 'password-of-the-file'],
  ['the environment', [], { MOSQUITTO_DYNSEC_PASSWORD: 'twelve-chars' }, 'twelve-chars'],
])('the first password comes from %s', async (_, more, env, password) => {
  const broker = await withoutFile(more, env);
  await broker.start();
  const admin = await administrator(resources, broker, { password });
  expect(await admin.run({ command: 'listClients' })).toMatchObject([{ data: { clients: ['admin'] } }]);
  expect(existsSync(join(broker.dir, 'ds.json.pw'))).toBe(false);
});

test('a first password that is too short makes no file', async () => {
  const broker = await withoutFile([], { MOSQUITTO_DYNSEC_PASSWORD: 'elevenchars' });
  const { status, stderr } = await broker.launch().ended;
  expect(stderr).toMatch('Error: MOSQUITTO_DYNSEC_PASSWORD must have at least 12 characters.');
  expect(status).toBe(3);
  expect(existsSync(join(broker.dir, 'ds.json'))).toBe(false);
});

test('the doctor looks into the file', async () => {
  const files = {
    'ds.json': JSON.stringify({ ...JSON.parse(adminFile), anonymousGroup: 'nope' }),
    'wrong.json': '{"clients":7}',
  };
  for (const [file, code, text] of [
    ['ds.json', 'dynsec-file', 'ds.json: anonymousGroup: there is no group "nope".'],
    ['wrong.json', 'file-unusable', 'wrong.json: clients: expected a list'],
  ] as const) {
    const config = ['listener {port}', 'plugin /x/mosquitto_dynamic_security.so'];
    const broker = await prepareBroker(resources, 'moustique', {
      config: [...config, `plugin_opt_config_file {dir}/${file}`],
      files,
    });
    const words = ['doctor', '-c', broker.configFile, '--json'];
    const { stdout } = await runToEnd([...moustiqueCommand('moustique'), ...words]);
    const { findings } = JSON.parse(stdout.replaceAll(`${broker.dir}/`, '')) as { findings: Record<string, string>[] };
    expect(findings.find((one) => one['code'] === code)?.['text']).toContain(text);
  }
});

test('acl explain says which role decides, by a running broker and by the file', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      'listener {port} 127.0.0.1',
      'plugin /x/mosquitto_dynamic_security.so',
      configFile,
      'enable_control_api true',
    ],
    files: { 'ds.json': adminFile },
  });
  const words = ['acl', 'explain', '--client', 'c', '--user', 'admin', '--topic', 'a', '--action', 'write'];
  for (const source of [['-p', String(broker.port()), '-u', 'admin', '-P', 'secret'], []]) {
    const file = source.length === 0 ? ['-c', broker.configFile] : [];
    const { stdout, status } = await runToEnd([...moustiqueCommand('moustique_ctrl'), ...source, ...words, ...file]);
    expect(stdout.replaceAll(`${broker.dir}/`, '')).toBe(
      'allowed\ndecided by: ds.json: role admin: publishClientSend allow #\n',
    );
    expect(status).toBe(0);
  }
});
