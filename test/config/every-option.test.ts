/**
 * Every option of the table, from outside: a legal value does what it says, an illegal one gives Mosquitto's words and status.
 *
 * The table of cases has a row for each row of the option table, which the compiler checks: none can be forgotten.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findOption, type OptionName, optionNames, optionTable } from '../../src/config/options.ts';
import { Place } from '../behaviour/either-broker.ts';
import { prepareBroker, startBroker, type TestBroker } from '../harness/brokers.ts';
import { isListening } from '../harness/ports.ts';
import { moustiqueCommand, repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { cases } from './option-cases.ts';
import { escaped } from './option-world.ts';

const resources = useResources();

describe.each(optionNames)('%s', (name) => {
  const one = cases[name];
  if ('shownBy' in one) {
    test(`does what it says: ${one.shownBy}`, () => {
      expect(readFileSync(join(repositoryRoot, one.shownBy), 'utf8')).toMatch(
        new RegExp(`['"\`]${name.replace('.', '\\.')}${optionTable[name]?.isPrefix === true ? '\\w+' : ''} `),
      );
    });
  } else if ('refused' in one) {
    test('is understood, and refused with a reason', async () => {
      const broker = await prepareBroker(resources, 'moustique', { config: one.lines });
      const { status, stderr } = await broker.launch().ended;
      expect(stderr).toMatch(new RegExp(`^\\d+: Error: ${escaped(one.refused)}.*\\.$`, 'm'));
      expect(stderr).toMatch(/^\d+: Error found at .*moustique\.conf:\d+\.$/m);
      expect(status).toBe(3);
    });
  } else if ('ignored' in one) {
    test('has no effect, as in Mosquitto', async () => {
      const broker = await startBroker(resources, 'moustique', {
        config: [...one.lines, 'listener {port} 127.0.0.1', 'allow_anonymous true'],
      });
      const { stderr } = await broker.stop();
      if (one.ignored !== null) expect(stderr).toContain(one.ignored);
      expect(stderr.includes('Warning: ')).toBe(one.ignored !== null || stderr.includes('as root'));
    });
  } else {
    test.each(['with', 'without'])('makes a difference: %s it', async (which) => {
      const isWith = which === 'with';
      const { common = [], lines, isBelow } = one;
      const ports = [...common, ...lines].some((line) => line.includes('{port}')) ? [] : ['listener {port} 127.0.0.1'];
      const own = isWith ? lines : [];
      const everybody = common.includes('per_listener_settings true')
        ? []
        : common.some((line) => line.startsWith('password_file'))
          ? []
          : ['allow_anonymous true'];
      const broker = await prepareBroker(resources, 'moustique', {
        config:
          isBelow === true
            ? [...everybody, ...ports, ...common, ...own]
            : common.some((line) => line.startsWith('listener') || line.startsWith('port') || line.startsWith('per_'))
              ? [...everybody, ...common, ...own, ...ports]
              : [...everybody, ...own, ...common, ...ports],
        ...(one.env === undefined ? {} : { env: one.env }),
      });
      await one.prepare?.(broker);
      broker.launch();
      await waitFor(
        () => `the broker to listen; it wrote ${broker.process.stderr}`,
        () => broker.process.hasEnded || isListening(broker.port()),
      );
      await waitFor('the last line of the start', () => broker.process.hasEnded || hasStarted(broker));
      expect(await one.observe(new Place(broker, resources))).toEqual(isWith ? one.is : one.otherwise);
    });
  }
});

/** Whether the broker has said that it runs, wherever it says so. */
function hasStarted({ process: { stderr }, dir }: TestBroker): boolean {
  const elsewhere = ['log', 'syslog'].map((name) => join(dir, name)).filter((file) => existsSync(file));
  if (elsewhere.length > 0) return true;
  const config = readFileSync(join(dir, 'moustique.conf'), 'utf8');
  return stderr.includes(' running') || /^log_(dest|type)/m.test(config);
}

describe('an illegal value', () => {
  const illegal: readonly (readonly [name: string, text: string, message: string])[] = optionNames.flatMap((option) => {
    const row = optionTable[option];
    const name = row?.isPrefix === true ? `${option}key` : option;
    if (row === undefined || row.ignored !== undefined) return [];
    const { expects } = row.type;
    if (expects === 'true or false') return [[name, 'yes', `Error: Invalid '${name}' value (yes).`]];
    if (expects.startsWith('integer')) return [[name, '5s', `Error: '${name}' value not a number.`]];
    return [[name, '', `Error: Empty '${name}' value in configuration.`]];
  });

  // Two files: a run names a hundred errors at most.
  test.each(['bridge', 'everything else'])('gives text and place of each, and status 3: %s', async (part) => {
    const file = join(tempDir(resources), 'm.conf');
    const scopes = part === 'bridge' ? ['bridge'] : ['global', 'security', 'listener', 'plugin'];
    const lines = scopes.flatMap((scope) => {
      const own = illegal.filter(([name]) => findOption(name)?.row.scope === scope && name !== 'per_listener_settings');
      // Options of a section stand below the line that opens it, which is wrong itself and opens it all the same.
      const isOpener = ([name]: (typeof own)[number]): boolean => ['listener', 'connection', 'plugin'].includes(name);
      return [...own.filter(isOpener), ...own.filter((line) => !isOpener(line))];
    });
    writeFileSync(file, `${lines.map(([name, text]) => `${name} ${text}`).join('\n')}\n`);
    const { status, stderr } = await runToEnd([...moustiqueCommand('moustique'), '-c', file]);
    expect(status).toBe(3);
    const told = stderr.split('\n').map((line) => line.replace(/^\d+: /, ''));
    const missing = lines.flatMap(([name, , message], index) => {
      const elsewhere = `${file}:${index + 1}: ${name}: ${message.replace('Error: ', '')}`;
      return told.includes(message) || told.includes(elsewhere) ? [] : [elsewhere];
    });
    expect(missing).toEqual([]);
    expect(told).toContain(`Error found at ${file}:1.`);
  });

  test.each([
    ['per_listener_settings', 'yes', "Error: Invalid 'per_listener_settings' value (yes).", 3],
    ['max_packet_size', '19', "Error: 'max_packet_size' must be >= 20.", 3],
    ['listener', '70000', "Error: Invalid 'port' value (70000).", 3],
    ['tls_version', 'tlsv1.4', 'Error: Unsupported tls_version "tlsv1.4".', 1],
    ['max_queued_messages', '99999999999', "Error: 'max_queued_messages' value out of range.", 3],
    ['log_type', 'chatter', "Error: Invalid 'log_type' value (chatter).", 3],
    ['log_dest', 'nowhere', "Error: Invalid 'log_dest' value (nowhere).", 3],
    ['moustique_auth_http_url', 'x', "Error: Invalid 'moustique_auth_http_url' value (x).", 3],
  ])('%s %s: %s, status %i', async (name, value, message, status) => {
    const dir = tempDir(resources);
    const needs = optionTable[name as OptionName]?.scope === 'listener' && name !== 'listener' ? 'listener 1883\n' : '';
    writeFileSync(join(dir, 'm.conf'), `${needs}${name} ${value}\n`);
    const ended: Finished = await runToEnd([...moustiqueCommand('moustique'), '-c', 'm.conf'], { cwd: dir });
    const lines = ended.stderr.split('\n').map((line) => line.replace(/^\d+: /, ''));
    expect(lines).toContain(message);
    expect(lines).toContain(`Error found at m.conf:${needs === '' ? 1 : 2}.`);
    expect(ended.status).toBe(status);
  });
});
