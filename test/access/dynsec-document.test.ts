/** `docs/dynamic-security.md`, every command of it, in its order. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  aclsMax,
  clientsMax,
  groupsMax,
  linksMax,
  priorityMax,
  rolesMax,
  textBytesMax,
} from '../../src/security/dynsec/state.ts';
import { freePort, isListening } from '../harness/ports.ts';
import { moustiqueCommand, repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd, startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { stepsOf } from '../tutorial/document.ts';

const resources = useResources();
const path = join(repositoryRoot, 'docs/dynamic-security.md');

test('does what it says', async () => {
  const dir = tempDir(resources);
  const port = await freePort();
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  for (const name of ['moustique', 'moustique_ctrl', 'moustique_pub', 'moustique_sub'] as const) {
    const more = name === 'moustique' ? '' : ` -p ${port}`;
    const command = moustiqueCommand(name).join(' ');
    // `init` takes no port, and needs none.
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\n[ "$2" = init ] && exec ${command} "$@"\nexec ${command}${more} "$@"\n`,
      {
        mode: 0o755,
      },
    );
  }
  const place = { cwd: dir, env: { PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) } };
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  let shown = '';
  for (const step of stepsOf(path)) {
    const where = `dynamic-security.md:${step.line}`;
    if (step.kind === 'file') {
      writeFileSync(join(dir, step.path), step.text.replace('listener 1883', `${user}listener ${port} 127.0.0.1`));
    } else if (step.kind === 'shown') {
      expect(shown, where).toMatch(patternOf(step.text));
    } else if (step.mode === 'broker') {
      startProcess(resources, ['sh', '-c', `exec ${step.text.trim()}`], place);
      await waitFor(
        () => 'the broker to listen',
        () => isListening(port),
      );
    } else {
      const { stdout, stderr, status } = await runToEnd(['bash', '-ec', step.text], place);
      shown = stdout + stderr;
      if (step.mode === 'fails') expect(status, `${where}: ${shown}`).not.toBe(0);
      else expect(status, `${where}: ${shown}`).toBe(0);
    }
  }
});

/** … stands for anything. */
function patternOf(text: string): RegExp {
  const escaped = text.trimEnd().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('…', '[\\s\\S]*')}\\s*$`);
}

test('has the bounds that hold', () => {
  const text = readFileSync(path, 'utf8');
  const number = (value: number): string => value.toLocaleString('en-US');
  expect(groupsMax).toBe(rolesMax);
  for (const row of [
    `| clients | ${number(clientsMax)} |`,
    `| groups, roles | ${number(groupsMax)} each |`,
    `| rules of a role | ${number(aclsMax)} |`,
    `| roles of a client or group, groups of a client | ${number(linksMax)} |`,
    `| priorities | −${number(priorityMax)} to ${number(priorityMax)} |`,
    `| a name or a text | ${number(textBytesMax)} bytes |`,
  ]) {
    expect(text).toContain(row);
  }
});
