import { expect, test } from 'vitest';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { startBroker } from './embedding.ts';

const resources = useResources();

test('bridges: a broker in this process and another one; what a program allows its clients is not asked of a bridge', async () => {
  const { broker: there } = await startBroker(resources, {});
  const { broker: here } = await startBroker(resources, {
    authorize: () => false,
    bridges: [
      {
        name: 'one',
        address: [{ host: '127.0.0.1', port: there.listeners[0]?.port ?? 0 }],
        topic: [{ pattern: 'a/#', direction: 'both', qos: 1, localPrefix: 'here/' }],
      },
    ],
  });
  const heard: string[] = [];
  here.subscribe('here/#', (message) => heard.push(`here: ${message.topic}`));
  there.subscribe('a/#', (message) => heard.push(`there: ${message.topic}`));
  await waitFor('the bridge', () => here.clients.length === 1);
  expect(there.clients.map(({ clientId }) => clientId)).toEqual([expect.stringMatching(/\.one$/)]);
  expect(here.clients.map(({ clientId }) => clientId)).toEqual([expect.stringMatching(/^local\..*\.one$/)]);
  await waitFor('its subscription', () => there.publish('a/there', '') === 2);
  here.publish('here/a/here', '', { qos: 1 });
  await waitFor('both messages', () => heard.includes('here: here/a/there') && heard.includes('there: a/here'));
});
