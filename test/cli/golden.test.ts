import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { clientOptions } from '../../src/cli/client-options.ts';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { freePort } from '../harness/ports.ts';
import { describeWith, programPath } from '../harness/programs.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { deviations, type Result, rewordings } from './golden-differences.ts';
import { NEWER_OPTIONS } from './golden-spellings.ts';
import { allVectors, type Vector } from './golden-vectors.ts';

/** Command lines that run at the same time. */
const AT_ONCE = 6;

describeWith(['mosquitto', 'mosquitto_pub'], "Mosquitto 2.0.11's tools and ours", () => {
  const resources = useResources('end of file');
  const vectors = allVectors();
  const places = new Map<string, string>();
  let dir = '';

  beforeAll(async () => {
    dir = tempDir(resources);
    const open = await startBroker(resources, 'mosquitto', { config: ['listener {port}', 'allow_anonymous true'] });
    const locked = await startLocked();
    places.set('port', String(open.port()));
    places.set('locked', String(locked.port()));
    places.set('dead', String(await freePort()));
    places.set('dir', dir);
    for (const tool of ['pub', 'sub', 'rr']) {
      symlinkSync(join(repositoryRoot, 'bin', `moustique_${tool}.js`), join(dir, `mosquitto_${tool}`));
    }
    writeFileSync(join(dir, 'empty'), '');
    writeFileSync(join(dir, 'bytes'), Buffer.from([0x61, 0x00, 0xff, 0x0a]));
    await retain(open);
  });

  async function startLocked(): Promise<TestBroker> {
    const passwords = join(dir, 'passwords');
    await runToEnd([programPath('mosquitto_passwd'), '-c', '-b', passwords, 'alice', 'right']);
    return startBroker(resources, 'mosquitto', {
      config: ['listener {port}', 'allow_anonymous false', `password_file ${passwords}`, 'acl_file {dir}/acl'],
      files: { acl: 'user alice\ntopic readwrite a\n' },
    });
  }

  async function retain(broker: TestBroker): Promise<void> {
    const pub = [programPath('mosquitto_pub'), '-p', String(broker.port()), '-r'];
    const properties = [
      ...['-D', 'publish', 'content-type', 'application/json', '-D', 'publish', 'user-property', 'k', 'v'],
      ...['-D', 'publish', 'user-property', 'k2', 'v2', '-D', 'publish', 'response-topic', 'r/t'],
      ...['-D', 'publish', 'correlation-data', 'abc', '-D', 'publish', 'payload-format-indicator', '1'],
    ];
    await runToEnd([...pub, '-t', 'fmt/5', '-m', '{"a":1,"b":"é"}', ...properties]);
    await runToEnd([...pub, '-t', 'fmt/plain', '-m', 'plain']);
    await runToEnd([...pub, '-t', 'fmt/bytes', '-s'], {
      input: Buffer.from([0x61, 0xff, 0xfe, 0x01, 0x22, 0x5c, 0x7f]),
    });
  }

  const fillPlaces = (text: string) =>
    text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => places.get(name) ?? whole);

  async function run(vector: Vector, family: 'theirs' | 'ours', index: number): Promise<Result> {
    const home = join(dir, `home-${family}-${index}`);
    mkdirSync(home);
    const name = `mosquitto_${vector.tool}`;
    const id = `golden-${family}-${index}`;
    const fill = (text: string) => fillPlaces(text).replaceAll('{id}', id);
    if (vector.optionsFile !== undefined) {
      writeFileSync(join(home, name), `${vector.optionsFile.map(fill).join('\n')}\n`);
    }
    const command = family === 'theirs' ? [programPath(name)] : [process.execPath, join(dir, name)];
    const { stdout, stderr, status } = await runToEnd([...command, ...vector.args.map(fill)], {
      env: { XDG_CONFIG_HOME: home, HOME: home },
      ...(vector.input !== undefined && { input: vector.input }),
    });
    return { stdout: stdout.replaceAll(id, '{id}'), stderr: stderr.replaceAll(id, '{id}'), status };
  }

  function reworded({ stdout, stderr, status }: Result, tool: Vector['tool']): Result {
    const reword = (text: string) =>
      rewordings
        .filter((rewording) => (rewording.tool ?? tool) === tool)
        .reduce((result, { pattern, replacement }) => result.replaceAll(pattern, replacement), text);
    return { stdout: reword(stdout), stderr: reword(stderr), status };
  }

  test('there are at least 400 command lines', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(400);
  });

  test('every option that both know is in one, under each of its names', () => {
    const missing = clientOptions.flatMap((row) =>
      row.flags
        .filter((flag) => !NEWER_OPTIONS.has(flag))
        .flatMap((flag) =>
          (['pub', 'sub', 'rr'] as const)
            .filter((tool) => row.tools.includes(tool) && !NEWER_OPTIONS.has(`${tool} ${flag}`))
            .filter((tool) => !vectors.some((vector) => vector.tool === tool && vector.args.includes(flag)))
            .map((tool) => `${tool} ${flag}`),
        ),
    );
    expect(missing).toEqual([]);
  });

  test('every difference is on the reviewed list', async () => {
    const unexpected: string[] = [];
    const used = new Set<unknown>();
    let next = 0;
    const work = async () => {
      for (let index = next++; index < vectors.length; index = next++) {
        const vector = vectors[index] as Vector;
        const [theirs, ours] = await Promise.all([run(vector, 'theirs', index), run(vector, 'ours', index)]);
        const deviation = deviations.find(({ matches }) => matches(vector));
        if (deviation !== undefined) {
          used.add(deviation);
          if (!isAs(ours, deviation.ours)) unexpected.push(report(vector, ours, deviation.ours));
        } else if (JSON.stringify(reworded(theirs, vector.tool)) !== JSON.stringify(reworded(ours, vector.tool))) {
          unexpected.push(report(vector, reworded(ours, vector.tool), reworded(theirs, vector.tool)));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(unexpected.join('\n')).toBe('');
    // A deviation that no command line shows is no longer one.
    expect(deviations.filter((deviation) => !used.has(deviation)).map(({ reason }) => reason)).toEqual([]);
  }, 600_000);
});

function isAs(result: Result, wanted: (typeof deviations)[number]['ours']): boolean {
  const fits = (text: string, pattern: string | RegExp | undefined) =>
    pattern === undefined || (typeof pattern === 'string' ? text === pattern : pattern.test(text));
  return (
    fits(result.stdout, wanted.stdout) &&
    fits(result.stderr, wanted.stderr) &&
    (wanted.status === undefined || result.status === wanted.status)
  );
}

function report(vector: Vector, ours: Result, wanted: object): string {
  const show = (value: object) => inspect(value, { breakLength: Number.POSITIVE_INFINITY, maxStringLength: 600 });
  const more = vector.optionsFile === undefined ? '' : ` (options file: ${JSON.stringify(vector.optionsFile)})`;
  return `${vector.tool} ${JSON.stringify(vector.args)}${more}\n  ours   ${show(ours)}\n  wanted ${show(wanted)}`;
}
