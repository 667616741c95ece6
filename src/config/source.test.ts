import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfigFile } from './load-config.ts';
import { machine, memorySource } from './source.ts';

let folder = '';

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'moustique-config-')));
  mkdirSync(join(folder, 'conf.d'));
  writeFileSync(join(folder, 'conf.d', 'a.conf'), 'listener 1883\nallow_anonymous true\n');
  writeFileSync(join(folder, 'm.conf'), `include_dir ${folder}/conf.d # mine\n`);
  symlinkSync(join(folder, 'conf.d'), join(folder, 'link'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a configuration on the disk', () => {
  const { config, warnings } = parseConfigFile(join(folder, 'm.conf'));
  expect(config.listeners).toMatchObject([{ port: 1883, allowAnonymous: true }]);
  expect(config.listeners[0]?.origin['listener']).toEqual({ file: `${folder}/conf.d/a.conf`, line: 1 });
  expect(warnings).toHaveLength(1);
});

/** The same questions to both sources, on a folder with conf.d/a.conf. */
function answers(source: typeof machine, root: string) {
  const attempt = (ask: () => unknown) => {
    try {
      return ask();
    } catch {
      return 'an error';
    }
  };
  return [
    source.exists(`${root}/conf.d/a.conf`),
    source.exists(`${root}/conf.d`),
    source.exists(`${root}/none`),
    source.isDirectory(`${root}/conf.d`),
    source.isDirectory(`${root}/conf.d/a.conf`),
    source.isDirectory(`${root}/none`),
    source.listDirectory(`${root}/conf.d`),
    attempt(() => source.listDirectory(`${root}/none`)),
    attempt(() => source.readFile(`${root}/none`)),
    Buffer.from(source.readFile(`${root}/conf.d//a.conf`)).toString(),
    source.canonicalPath(`${root}/conf.d/../conf.d`),
    attempt(() => source.canonicalPath(`${root}/none`)),
    source.hasInterface('lo'),
    source.hasInterface('no such interface'),
  ];
}

describe('files in memory', () => {
  test('answer as the machine does', () => {
    const content = 'listener 1883\nallow_anonymous true\n';
    const inMemory = memorySource({ [`${folder}/conf.d/a.conf`]: content });
    expect(answers(inMemory, folder)).toEqual(answers(machine, folder));
  });
});

test('the canonical path follows symbolic links', () => {
  expect(machine.canonicalPath(join(folder, 'link'))).toBe(join(folder, 'conf.d'));
});
