/** docs/bridges.md: its configurations are accepted, and its commands do what it says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, isListening } from '../harness/ports.ts';
import { moustiqueCommand, repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { remoteIdOf } from './places.ts';

const resources = useResources();
const text = readFileSync(join(repositoryRoot, 'docs/bridges.md'), 'utf8');
const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
const configurations = blocks.filter((block) => /^(?:listener|connection) /m.test(block));
const commands = blocks.flatMap((block) => [...block.matchAll(/^\$ (.*)$/gm)].map(([, command = '']) => command));

test('every configuration is accepted', async () => {
  expect(configurations).toHaveLength(3);
  for (const configuration of configurations) {
    const file = join(tempDir(resources), 'm.conf');
    writeFileSync(file, configuration);
    const { stdout, status } = await runToEnd([...moustiqueCommand('moustique'), '-c', file, '--test-config']);
    expect([stdout, status]).toEqual([expect.stringContaining('Configuration file is OK.'), 0]);
  }
});

test('the commands do what is said', async () => {
  const dir = tempDir(resources);
  const ports = new Map([
    ['1884', await freePort()],
    ['1885', await freePort()],
  ]);
  const local = (line: string) => line.replaceAll(/\b188[45]\b/g, (port) => String(ports.get(port)));
  for (const [index, name] of ['centre', 'workshop'].entries()) {
    writeFileSync(join(dir, `${name}.conf`), local(configurations[index] ?? ''));
  }
  const run = (command = '') =>
    startProcess(resources, ['sh', '-c', local(command).replaceAll('bin/', `${repositoryRoot}/bin/`)], { cwd: dir });
  const [centre, workshop, subscribe, publish, state] = commands;
  expect(commands).toHaveLength(5);
  run(centre);
  await waitFor('the centre', () => isListening(ports.get('1884') ?? 0));
  const bridged = run(workshop);
  await waitFor('the bridge', () => bridged.stderr.includes('Bridge centre connected to'));
  const subscriber = run(`${subscribe} -q 1 -d`);
  await subscriber.waitForOutput('SUBACK');
  expect((await run(publish).ended).status).toBe(0);
  expect((await subscriber.ended).stdout).toContain('workshop/machines/press/state running\n');
  expect((await run(state).ended).stdout).toBe(`$SYS/broker/connection/${remoteIdOf('centre')}/state 1\n`);
});
