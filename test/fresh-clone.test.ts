import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort, isListening } from './harness/ports.ts';
import { describeWith, programPath } from './harness/programs.ts';
import { repositoryRoot } from './harness/repository.ts';
import { type Resources, useResources } from './harness/resources.ts';
import { type RunningProcess, runToEnd, startProcess } from './harness/running-process.ts';
import { tempDir } from './harness/temp-dir.ts';
import { publish, subscribe } from './harness/tools.ts';
import { waitFor } from './harness/wait.ts';

const notInAClone = ['.git', 'node_modules', 'dist', 'data', 'coverage'];

/** What a clone has, with the packages already installed: their download is not what is tested here. */
function clone(resources: Resources): string {
  const place = join(tempDir(resources), 'moustique');
  cpSync(repositoryRoot, place, {
    recursive: true,
    filter: (file) => !notInAClone.includes(relative(repositoryRoot, file)),
  });
  symlinkSync(join(repositoryRoot, 'node_modules'), join(place, 'node_modules'));
  return place;
}

describe('a fresh clone', () => {
  const resources = useResources();

  /** `npm start` in a clone whose configuration has other ports, because 1883 may be taken on this machine. */
  async function npmStart(
    place: string,
    ports: { readonly mqtt: number; readonly websockets: number },
  ): Promise<RunningProcess> {
    const config = join(place, 'moustique.conf');
    const text = readFileSync(config, 'utf8')
      .replace('listener 1883 ', `listener ${ports.mqtt} `)
      .replace('listener 9001 ', `listener ${ports.websockets} `);
    writeFileSync(config, text);
    const npm = startProcess(resources, [programPath('npm'), 'start'], { cwd: place });
    await waitFor(
      () => `npm start; it wrote:\n${npm.stdout}${npm.stderr}`,
      async () => {
        if (npm.hasEnded) throw new Error(`npm start ended:\n${npm.stdout}${npm.stderr}`);
        return (await isListening(ports.mqtt)) && isListening(ports.websockets);
      },
    );
    return npm;
  }

  describeWith(['mosquitto_pub'], 'with Debian’s clients', () => {
    test('npm start builds and serves; SIGTERM to npm ends the broker, which keeps its data in ./data', async () => {
      const place = clone(resources);
      const ports = { mqtt: await freePort(), websockets: await freePort() };
      const npm = await npmStart(place, ports);
      expect(npm.stdout).toContain(
        `mqtt on localhost port ${ports.mqtt}, websockets on localhost port ${ports.websockets}`,
      );

      const port = ['-h', 'localhost', '-p', String(ports.mqtt)];
      const subscriber = await subscribe(resources, 'mosquitto', [...port, '-v', '-t', 'test/val']);
      await publish('mosquitto', [...port, '-q', '1', '-r', '-t', 'test/val', '-m', 'Bonjour']);
      await subscriber.linesUntil('test/val Bonjour');

      expect((await npm.stop()).status).toBe(0);
      expect(await isListening(ports.mqtt)).toBe(false);
      expect(existsSync(join(place, 'data', 'mosquitto.db'))).toBe(true);
      expect(readFileSync(join(place, 'data', 'moustique.log'), 'utf8')).toMatch(/ terminating$/m);

      await npmStart(place, ports);
      const again = await subscribe(resources, 'mosquitto', [...port, '-v', '-t', 'test/#']);
      await again.linesUntil('test/val Bonjour');
    });
  });

  test('npm test ends with the counts whatever happens', async () => {
    const result = await runToEnd([
      process.execPath,
      join(repositoryRoot, 'scripts/run.mjs'),
      'test',
      '--only=nonsense',
    ]);
    expect(result.status).toBe(1);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
    expect(result.stderr).toContain('--only=nonsense: expected some of lint,build,docs,unit,integration');
  });
});
