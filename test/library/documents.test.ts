import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../harness/ports.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { startProcess } from '../harness/running-process.ts';
import { buildLibrary } from './built-library.ts';
import { connect, inboxOf, refusalOf } from './embedding.ts';

const resources = useResources();
beforeAll(buildLibrary);

/** The programs in a document, in order. */
function programsOf(document: string): readonly string[] {
  const text = readFileSync(join(repositoryRoot, 'docs', document), 'utf8');
  return [...text.matchAll(/^```[jt]s\n(.*?)^```$/gms)].map(([, program = '']) => program);
}

describe('docs/from-aedes.md', () => {
  const [before = '', after = ''] = programsOf('from-aedes.md');

  test.each([
    ['aedes', before],
    ['moustique', after],
  ])('the program does the same with %s', async (name, program) => {
    expect(program).toContain(`from '${name}'`);
    const port = await freePort();
    const source = program.replace('1883', String(port));
    const running = startProcess(resources, [process.execPath, '--input-type=module', '-e', source], {
      cwd: repositoryRoot,
    });
    await running.waitForOutput('ready');
    const url = `mqtt://127.0.0.1:${port}`;
    const anne = { username: 'anne', password: 'secret', protocolVersion: 4 } as const;

    expect(await refusalOf(url, { ...anne, password: 'guess' })).toBe(4);
    const client = await connect(resources, url, { ...anne, clientId: 'first' });
    const inbox = inboxOf(client);
    const granted = await client.subscribeAsync('secret/#').catch((error: unknown) => error);
    expect(String(granted)).toContain('Unspecified error');
    await client.subscribeAsync('#');
    const other = await connect(resources, url, { ...anne, clientId: 'second' });
    other.publish('secret/plan', 'not for the others');
    other.publish('jobs/1', 'sweep');
    await connect(resources, url, { ...anne, clientId: 'third' }).then((third) =>
      third.publishAsync('jobs/2', 'dust', { qos: 1 }),
    );
    await inbox.until((line) => line === 'done dust');
    running.signal('SIGINT');
    const { stdout, status } = await running.ended;

    expect(status).toBe(0);
    expect(inbox.all).not.toContain('secret/plan not for the others');
    expect(inbox.all).toContain('jobs/2 dust');
    expect(stdout.split('\n').slice(0, 2)).toEqual(['ready', 'first came']);
    expect(stdout).toContain('third came\n');
    expect(stdout).toContain('first went\n');
  });
});

test('docs/library.md: the program at the top', async () => {
  const [program = ''] = programsOf('library.md');
  const port = await freePort();
  const running = startProcess(
    resources,
    [process.execPath, '--input-type=module', '-e', program.replace('1883', String(port))],
    { cwd: repositoryRoot },
  );
  await expect.poll(async () => await refusalOf(`mqtt://127.0.0.1:${port}`, {}).catch(() => 'let in')).toBe('let in');
  const client = await connect(resources, `mqtt://127.0.0.1:${port}`);
  const inbox = inboxOf(client);
  await client.subscribeAsync('greeting');
  await client.publishAsync('sensors/1', '20');

  expect(await inbox.first(1)).toEqual(['greeting hello']);
  await running.waitForOutput('sensors/1 20\n');
});
