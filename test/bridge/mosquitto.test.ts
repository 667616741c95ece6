/** Bridges with Debian's mosquitto 2.0.11 at one end. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Place } from '../behaviour/either-broker.ts';
import { startBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { freePort } from '../harness/ports.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { waitFor } from '../harness/wait.ts';
import { carryEverything, clientsOf, heardUntil } from './carry.ts';
import { logged, startBridged, startRemote, stateTopicOf, untilSubscribed } from './places.ts';

const resources = useResources();

describeWith(['mosquitto'], 'with mosquitto', () => {
  test.each(['mqttv31', 'mqttv311', 'mqttv50'])('%s: from ours to mosquitto', (version) =>
    carryEverything(resources, 'moustique', 'mosquitto', version),
  );

  test.each(['mqttv31', 'mqttv311', 'mqttv50'])('%s: from mosquitto to ours', (version) =>
    carryEverything(resources, 'mosquitto', 'moustique', version),
  );

  test.each([
    ['moustique', 'mosquitto'],
    ['mosquitto', 'moustique'],
  ] as const)(
    'over TLS, %s to %s; the state is told at both ends, and the Will when the bridge goes',
    async (here, there) => {
      const dir = tempDir(resources);
      const authority = await CertificateAuthority.create(dir);
      const server = await authority.issue('server', 'server');
      const remote = await startRemote(resources, there, [
        ...['listener {tls} 127.0.0.1', `certfile ${server.certFile}`, `keyfile ${server.keyFile}`],
      ]);
      const place = await startBridged(
        resources,
        `localhost:${remote.broker.port('tls')}`,
        ['topic # both 2', `bridge_cafile ${authority.certFile}`],
        { name: here },
      );
      await untilSubscribed(remote);
      const [near, far] = [await clientsOf(place), await clientsOf(remote)];
      const large = readFileSync(authority.certFile, 'utf8').repeat(300);
      await near.publisher.publish({ topic: 'large', payload: large, qos: 2 });
      await near.publisher.publish({ topic: 'end', payload: 'end', qos: 2 });
      expect(await heardUntil(far.all, 'end')).toEqual([`large ${large} q2 r0`]);
      await far.publisher.publish({ topic: 'back', payload: 'back', qos: 2 });
      await far.publisher.publish({ topic: 'end', payload: 'end of far', qos: 2 });
      expect((await heardUntil(near.all, 'end of far')).at(-1)).toBe('back back q2 r0');
      for (const one of [place, remote]) {
        const watcher = await one.connect({ clientId: 'watcher' });
        await watcher.subscribe('$SYS/broker/connection/#');
        await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '1', retain: true });
        if (one === place) continue;
        await place.broker.stop();
        await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '0' });
      }
    },
  );

  test('what waits at ours while mosquitto is away arrives when it is there', async () => {
    const port = await freePort();
    const here = await startBridged(resources, port, ['topic # out 2', 'restart_timeout 1']);
    const publisher = await here.connect();
    const numbers = Array.from({ length: 50 }, (_, index) => String(index));
    for (const payload of numbers) await publisher.publish({ topic: 'a', payload, qos: 2 });
    await logged(here, 'Error creating bridge: Connection refused.');
    const there = new Place(
      await startBroker(resources, 'mosquitto', {
        config: ['allow_anonymous true', 'log_type all', `listener ${port} 127.0.0.1`, 'listener {port} 127.0.0.1'],
      }),
      resources,
    );
    const far = await there.connect({ clientId: 'far' });
    await far.subscribe({ filter: 'b', qos: 2 });
    await publisher.publish({ topic: 'b', payload: 'end', qos: 2 });
    expect(await heardUntil(far, 'end')).toEqual([]);
    const arrived = () =>
      there.log.split('Received PUBLISH from').filter((line) => line.includes("'a', ...") && line.includes('(d0'));
    await waitFor('the lines of the log', () => arrived().length >= numbers.length);
    expect(arrived()).toHaveLength(numbers.length);
  });
});
