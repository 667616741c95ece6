import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd, startProcess } from '../harness/running-process.ts';
import { buildLibrary } from '../library/built-library.ts';

const examples = join(repositoryRoot, 'examples', 'client');

describe('examples of the client', () => {
  const resources = useResources('end of file');
  let broker: TestBroker;
  let url: string;

  beforeAll(async () => {
    await buildLibrary();
    broker = await startBroker(resources, 'moustique', { config: ['listener {port}', 'allow_anonymous true'] });
    url = `mqtt://127.0.0.1:${broker.port()}`;
  });

  const example = (name: string, ...args: string[]) => [process.execPath, join(examples, name), ...args];

  test('publish.mjs and subscribe.mjs: a message goes from one to the other', async () => {
    const reader = startProcess(resources, example('subscribe.mjs', url, 'hello/#'));
    await reader.waitForOutput('stop with Ctrl+C');
    const writer = await runToEnd(example('publish.mjs', url, 'hello/world', 'hi there'));
    expect(writer).toMatchObject({ status: 0, stderr: '' });
    expect(writer.stdout).toMatch(/^published as \S+\n$/);
    await reader.waitForOutput('hello/world: hi there\n');
    reader.signal('SIGINT');
    expect(await reader.ended).toMatchObject({ status: 0, stderr: '' });
  });

  test('publish.mjs: an error has a kind', async () => {
    const writer = await runToEnd(example('publish.mjs', 'mqtt://127.0.0.1:1', 'a', 'b'));
    expect(writer).toMatchObject({ status: 1, stderr: 'dial: connect ECONNREFUSED 127.0.0.1:1\n' });
  });

  test('request.mjs: each request gets its response', async () => {
    expect(await runToEnd(example('request.mjs', url))).toMatchObject({
      status: 0,
      stdout: 'ONE TWO THREE\n',
      stderr: '',
    });
  });

  test('every example is run here and told of in docs/client.md', () => {
    const tests = readFileSync(import.meta.filename, 'utf8');
    const docs = readFileSync(join(repositoryRoot, 'docs/client.md'), 'utf8');
    for (const file of readdirSync(examples)) {
      expect(tests).toContain(`example('${file}'`);
      expect(docs).toContain(`(../examples/client/${file})`);
    }
  });
});
