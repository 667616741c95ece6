/** Dynamic security beside Debian's Mosquitto 2.0: the same requests, the same answers, files that either reads, its tool. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BrokerName } from '../harness/brokers.ts';
import { describeWith, programPath } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { type Finished, runToEnd } from '../harness/running-process.ts';
import { refusalOf } from './clients.ts';
import { commands, payloads } from './dynsec-requests.ts';
import { administrator, type Json, startDynsec, tcp5 } from './dynsec-world.ts';

const resources = useResources();
const names: readonly BrokerName[] = ['moustique', 'mosquitto'];

/** Without what Mosquitto 2.1 has and 2.0 has not. */
function asIn20(value: unknown, isGroupClient = false): unknown {
  if (Array.isArray(value)) return value.map((one) => asIn20(one, isGroupClient));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value as Json).filter(
    ([name]) => name !== 'connections' && name !== 'allowwildcardsubs' && !(isGroupClient && name === 'priority'),
  );
  // The priority of a group for a client, in the list of the group's clients.
  const isGroup = 'groupname' in value;
  return Object.fromEntries(kept.map(([name, inner]) => [name, asIn20(inner, isGroup && name === 'clients')]));
}

describeWith(['mosquitto'], 'beside Mosquitto', () => {
  test('the same requests have the same answers', { timeout: 60_000 }, async () => {
    const [ours, theirs] = await Promise.all(
      names.map(async (name) => await administrator(resources, await startDynsec(resources, name))),
    );
    for (const payload of payloads) {
      const [answer, expected] = await Promise.all([ours?.ask(payload), theirs?.ask(payload)]);
      expect(asIn20(JSON.parse(answer ?? '')), payload).toEqual(asIn20(JSON.parse(expected ?? '')));
    }
    const [answers = [], expected = []] = await Promise.all([ours?.run(...commands), theirs?.run(...commands)]);
    for (const [index, command] of commands.entries()) {
      expect(asIn20(answers[index]), JSON.stringify(command)).toEqual(asIn20(expected[index]));
    }
  });

  test.each(names)('what %s wrote is read by the other', { timeout: 60_000 }, async (writer) => {
    const broker = await startDynsec(resources, writer);
    const admin = await administrator(resources, broker);
    await admin.run(...commands);
    const questions = ['listClients', 'listGroups', 'listRoles'].map((command) => ({ command, verbose: true }));
    questions.push({ command: 'getDefaultACLAccess', verbose: true }, { command: 'getAnonymousGroup', verbose: true });
    const before = await admin.run(...questions);
    const other = await startDynsec(resources, writer === 'moustique' ? 'mosquitto' : 'moustique');
    await Promise.all([broker.stop(), other.stop()]);
    writeFileSync(join(other.dir, 'ds.json'), broker.read('ds.json'));
    await other.start();
    const after = await (await administrator(resources, other)).run(...questions);
    expect(asIn20(after)).toEqual(asIn20(before));
    // Passwords as well: one that the writer hashed itself.
    expect(await refusalOf(resources, other, tcp5, { user: 'anne', password: 'other-pw-of-anne' })).toBe(0);
    expect(await refusalOf(resources, other, tcp5, { user: 'anne', password: 'pw-of-anne' })).toBe(0x87);
  });

  test("Mosquitto's tool administers Moustique", { timeout: 60_000 }, async () => {
    const said = await Promise.all(
      names.map(async (name) => {
        const broker = await startDynsec(resources, name);
        const ctrl = (words: string): Promise<Finished> =>
          runToEnd([
            programPath('mosquitto_ctrl'),
            ...['-p', String(broker.port()), '-u', 'admin', '-P', 'secret', 'dynsec', ...words.split(' ')],
          ]);
        const answers: Pick<Finished, 'stdout' | 'stderr' | 'status'>[] = [];
        for (const words of [
          ...['createClient anne -p x -i cid', 'createGroup g', 'createRole r', 'createRole r'],
          ...['addRoleACL r publishClientSend t/%u/# allow 5', 'addRoleACL r subscribePattern t/# deny'],
          ...['addClientRole anne r 3', 'addGroupClient g anne', 'addGroupRole g r', 'setAnonymousGroup g'],
          ...['getClient anne', 'getGroup g', 'getRole r', 'getAnonymousGroup', 'getDefaultACLAccess'],
          ...['listClients', 'listGroups', 'listRoles', 'disableClient anne', 'getClient anne', 'getRole nope'],
          ...['setDefaultACLAccess subscribe allow', 'getDefaultACLAccess', 'removeRoleACL r subscribePattern t/#'],
          ...['removeGroupRole g r', 'removeClientRole anne r', 'removeGroupClient g anne', 'deleteClient anne'],
          ...['setClientPassword admin secret', 'deleteRole r', 'listRoles'],
        ]) {
          const { stdout, stderr, status } = await ctrl(words);
          answers.push({ stdout, stderr, status });
        }
        return answers;
      }),
    );
    expect(said[0]).toEqual(said[1]);
  });
});
