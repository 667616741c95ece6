/** Bridges between two and three brokers of ours: directions, loops, what waits, which address, access, reload. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { freePort } from '../harness/ports.ts';
import { useResources } from '../harness/resources.ts';
import { carryEverything, clientsOf, heardUntil } from './carry.ts';
import {
  acceptBridge,
  grantSubscriptions,
  logged,
  RawServer,
  startBridged,
  startRemote,
  stateTopicOf,
  untilConnected,
  untilSubscribed,
} from './places.ts';

const resources = useResources();

test.each(['mqttv31', 'mqttv311', 'mqttv50'])(
  '%s: out, in and both, with prefixes, at every QoS; retained stays retained; nothing comes back',
  (version) => carryEverything(resources, 'moustique', 'moustique', version),
);

describe('loops', () => {
  test('three brokers in a row pass each message once, both ways', async () => {
    const third = await startRemote(resources);
    const second = await startBridged(resources, third.broker.port(), ['topic # both 2']);
    const first = await startBridged(resources, second.broker.port(), ['topic # both 2']);
    await untilSubscribed(third);
    await untilSubscribed(second);
    const places = [await clientsOf(first), await clientsOf(second), await clientsOf(third)];
    for (const [index, { publisher }] of places.entries()) {
      await publisher.publish({ topic: `from/${index}`, payload: `${index}`, qos: 2 });
    }
    for (const { publisher } of places) await publisher.publish({ topic: 'marker', payload: 'm', qos: 2 });
    for (const { all } of places) {
      const heard = await heardUntil(all, 'm', 3);
      expect(heard.sort()).toEqual([0, 1, 2].map((index) => `from/${index} ${index} q2 r0`));
    }
  });

  test('a broker that does not know a bridge sends its messages back: heard twice, and never again', async () => {
    const there = await startRemote(resources);
    const here = await startBridged(resources, there.broker.port(), ['topic # both 1', 'try_private false']);
    await untilSubscribed(there);
    const [near, far] = [await clientsOf(here), await clientsOf(there)];
    await near.publisher.publish({ topic: 'a', payload: 'echo', qos: 1 });
    for (let count = 0; count < 2; count++)
      await near.all.acknowledge(await near.all.expectPublish({ payload: 'echo' }));
    await near.publisher.publish({ topic: 'a', payload: 'end', qos: 1 });
    expect(await heardUntil(far.all, 'end')).toEqual(['a echo q1 r0']);
    expect(await heardUntil(near.all, 'end')).toEqual([]);
  });
});

describe('what waits', () => {
  test('local_cleansession false keeps QoS 1 and 2 while the other side is away; true forgets, and so does QoS 0', async () => {
    for (const [line, wanted] of [
      ['local_cleansession false', ['1', '2']],
      ['local_cleansession true', []],
      ['cleansession true', []], // local_cleansession is as cleansession
    ] as const) {
      const server = await RawServer.listen(resources, 4);
      const place = await startBridged(resources, server.port, [
        ...['topic zero out 0', 'topic one out 1', 'topic two out 2', line, 'restart_timeout 1'],
        ...['bridge_attempt_unsubscribe false', 'notifications false'],
      ]);
      const first = await acceptBridge(server);
      const client = await place.connect();
      await client.publish({ topic: 'one', payload: 'now', qos: 1 });
      await first.peer.acknowledge(await first.peer.expectPublish({ payload: 'now' }));
      first.peer.close();
      await logged(place, '] disconnected: connection closed by client.');
      await client.publish({ topic: 'zero', payload: '0', qos: 2 });
      await client.publish({ topic: 'one', payload: '1', qos: 2 });
      await client.publish({ topic: 'two', payload: '2', qos: 2 });
      const { peer } = await acceptBridge(server);
      await untilConnected(place, 2);
      for (const payload of wanted) await peer.acknowledge(await peer.expectPublish({ payload }));
      await client.publish({ topic: 'one', payload: 'end', qos: 1 });
      await peer.expectPublish({ payload: 'end' });
    }
  });

  test('start_type lazy: leaves after idle_timeout, comes back when threshold messages wait, QoS 0 among them', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, [
      ...['topic # out 1', 'start_type lazy', 'idle_timeout 1', 'threshold 3', 'bridge_attempt_unsubscribe false'],
      ...['notifications false', 'restart_timeout 1'],
    ]);
    const first = await acceptBridge(server);
    await first.peer.expectClosed();
    await logged(place, 'Bridge connection one has exceeded idle timeout, disconnecting.');
    const client = await place.connect();
    await client.publish({ topic: 'a', payload: '1', qos: 1 });
    await client.publish({ topic: 'a', payload: '2', qos: 0 });
    await client.drain();
    const attempts = () => place.log.split('Connecting bridge one').length - 1;
    expect(attempts()).toBe(1);
    await client.publish({ topic: 'a', payload: '3', qos: 1 });
    const { peer } = await acceptBridge(server);
    const heard: string[] = [];
    for (let count = 0; count < 3; count++) {
      const publish = await peer.expectPacket('publish');
      await peer.acknowledge(publish);
      heard.push(publish.text);
    }
    expect(heard.sort()).toEqual(['1', '2', '3']);
  });

  test('start_type once: a connection that is over is not made again', async () => {
    const server = await RawServer.listen(resources, 4);
    const place = await startBridged(resources, server.port, [
      ...['topic a in', 'start_type once', 'restart_timeout 1', 'notifications false'],
      // Another one, to see when it would have come.
      ...[
        'connection two',
        `address 127.0.0.1:${server.port}`,
        'topic a in',
        'restart_timeout 1',
        'notifications false',
      ],
    ]);
    const both = [await acceptBridge(server), await acceptBridge(server)];
    for (const { peer } of both) await grantSubscriptions(peer, 1);
    for (const { peer } of both) peer.close();
    for (let count = 0; count < 2; count++) {
      const { connect, peer } = await acceptBridge(server);
      expect(connect.clientId).toMatch(/\.two$/);
      peer.close();
    }
    expect(place.log.split('Connecting bridge one')).toHaveLength(2);
  });
});

describe('where to', () => {
  test('addresses: the next one when the first does not answer, and back to the first when it does', async () => {
    const second = await RawServer.listen(resources, 4);
    const firstPort = await freePort();
    const place = await startBridged(resources, `127.0.0.1:${firstPort} 127.0.0.1:${second.port}`, [
      ...['topic a in', 'restart_timeout 1', 'notifications false'],
    ]);
    const { peer } = await acceptBridge(second);
    await grantSubscriptions(peer, 1);
    await logged(place, `Connecting bridge one (127.0.0.1:${firstPort})`);
    await logged(place, 'Error creating bridge: Connection refused.');
    const first = await RawServer.listen(resources, 4, firstPort);
    await peer.expectClosed();
    // The look whether it answers is a connection of its own.
    (await first.accept()).close();
    const { connect } = await acceptBridge(first);
    expect(connect.clientId).toContain('.one');
    await logged(place, `Bridge one: 127.0.0.1:${firstPort} answers again, going back to it.`);
  });

  test('round_robin true: the next one after each end, whichever it is', async () => {
    const servers = [await RawServer.listen(resources, 4), await RawServer.listen(resources, 4)];
    await startBridged(resources, servers.map(({ port }) => `127.0.0.1:${port}`).join(' '), [
      ...['topic a in', 'restart_timeout 1', 'round_robin true', 'notifications false'],
    ]);
    for (const server of [...servers, servers[0] as RawServer]) {
      const { peer } = await acceptBridge(server);
      await grantSubscriptions(peer, 1);
      peer.close();
    }
  });

  test.runIf(process.platform === 'linux')('bridge_bind_address and bridge_tcp_keepalive', async () => {
    const there = await startRemote(resources);
    const here = await startBridged(resources, there.broker.port(), [
      ...['topic a in', 'bridge_bind_address 127.0.0.3', 'bridge_tcp_keepalive 60 10 5'],
    ]);
    await untilConnected(here);
    await logged(there, /New bridge connected from 127\.0\.0\.3:\d+/);
    const [, port = ''] = /New bridge connected from 127\.0\.0\.3:(\d+)/.exec(there.log) ?? [];
    // The kernel's table: local address, remote address, state, queues, then the timer: 02 is keep alive.
    const own = Number(port).toString(16).toUpperCase().padStart(4, '0');
    const row = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([, local]) => local === `0300007F:${own}`);
    expect(row?.[5]).toMatch(/^02:/);
  });
});

describe('this side', () => {
  test('local_clientid and local_username: a session that nobody else may take, and to which no rules apply', async () => {
    const there = await startRemote(resources);
    const here = await startBridged(
      resources,
      there.broker.port(),
      ['topic # both 1', 'local_clientid mine', 'local_username bridge', 'local_password unused'],
      { before: ['acl_file {dir}/acl'], options: { files: { acl: 'topic write in/#\n' } } },
    );
    await untilSubscribed(there);
    const thief = await here.open(4);
    thief.send(thief.packets.connect({ clientId: 'mine' }));
    await thief.expectRefused(2);
    const far = await clientsOf(there);
    const near = await here.connect();
    await near.publish({ topic: 'in/x', payload: 'out it goes', qos: 1 });
    await near.publish({ topic: 'forbidden', payload: 'stays', qos: 1 });
    await near.publish({ topic: 'in/x', payload: 'end', qos: 1 });
    expect(await heardUntil(far.all, 'end')).toEqual(['in/x out it goes q1 r0']);
    await far.publisher.publish({ topic: 'forbidden', payload: 'comes in', qos: 1, retain: true });
    await logged(here, 'Received PUBLISH from mine (d0, q1, r1, m');
  });

  test('what came over a bridge is retained for clients, whatever check_retain_source asks of others', async () => {
    const there = await startRemote(resources);
    const here = await startBridged(resources, there.broker.port(), ['topic # in 1'], {
      before: ['check_retain_source true', 'acl_file {dir}/acl'],
      options: { files: { acl: 'topic read #\n' } },
    });
    await untilSubscribed(there);
    const far = await there.connect();
    await far.publish({ topic: 'kept', payload: 'k', qos: 1, retain: true });
    await logged(here, 'Received PUBLISH from local.');
    const near = await here.connect();
    await near.subscribe({ filter: 'kept', qos: 1 });
    await near.expectPublish({ topic: 'kept', payload: 'k', retain: true });
  });

  test('the state is told to clients, retained: 0 before, 1 while, 0 after', async () => {
    const port = await freePort();
    const here = await startBridged(resources, port, ['topic # out', 'restart_timeout 1']);
    const watcher = await here.connect();
    await watcher.subscribe('$SYS/broker/connection/#');
    await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '0', retain: true });
    const server = await RawServer.listen(resources, 4, port);
    const { peer } = await acceptBridge(server);
    await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '1' });
    peer.close();
    await watcher.expectPublish({ topic: stateTopicOf('one'), payload: '0' });
  });
});

describe('SIGHUP', () => {
  test.each(['immediate', 'lazy'])(
    'bridge_reload_type %s; a bridge that is gone ends, a new one begins',
    async (type) => {
      const server = await RawServer.listen(resources, 4);
      const other = await RawServer.listen(resources, 4);
      const place = await startBridged(resources, server.port, [
        ...['topic a in', `bridge_reload_type ${type}`, 'notifications false', 'restart_timeout 1'],
      ]);
      const { peer } = await acceptBridge(server);
      await grantSubscriptions(peer, 1);
      const file = 'moustique.conf';
      const before = place.broker.read(file);
      place.broker.write(
        file,
        `${before.replace('topic a in', 'topic b in')}\nconnection two\naddress 127.0.0.1:${other.port}\ntopic c in\nnotifications false\n`,
      );
      place.broker.process.signal('SIGHUP');
      const two = await acceptBridge(other);
      await grantSubscriptions(two.peer, 1);
      if (type === 'immediate') await peer.expectClosed();
      else {
        await peer.expectQuiet();
        peer.close();
      }
      const again = await acceptBridge(server);
      expect((await grantSubscriptions(again.peer, 1)).map(({ filter }) => filter)).toEqual(['b']);
      place.broker.write(file, before.replace('topic a in', 'topic b in'));
      place.broker.process.signal('SIGHUP');
      await two.peer.expectClosed();
      await again.peer.expectQuiet();
    },
  );
});
