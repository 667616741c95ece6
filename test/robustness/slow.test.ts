/** Peers that take their time: to say who they are, to go on, to go away. Time is the test's own. */
import { describe, expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { Attacker } from './attacker.ts';

const v5 = packetsOf(5);
const transports = ['tcp', 'ws'] as const;

for (const transport of transports) {
  describe(`slow peers over ${transport}`, () => {
    const resources = useResources();

    test('whoever says nothing is closed after 10 s, whoever said CONNECT is not', async () => {
      const broker = await startBroker(resources, { transports });
      const silent = await broker.open({ transport });
      const known = await broker.connect({ transport, keepAlive: 0 });
      await broker.advance(9);
      expect(silent.hasEnded).toBe(false);
      await broker.advance(2);
      await silent.expectClosed();
      await known.expectNothing();
    });

    test('a CONNECT that comes byte by byte has 10 s in all', async () => {
      const broker = await startBroker(resources, { transports });
      const slow = await broker.open({ transport });
      const quick = await broker.open({ transport });
      const packet = v5.connect({ clientId: 'slow' });
      for (let second = 0; second < 9; second++) {
        slow.send(packet.subarray(second, second + 1));
        quick.send(packet.subarray(second, second + 1));
        await broker.advance(1);
      }
      quick.send(packet.subarray(9));
      await quick.expectPacket('connack');
      await broker.advance(2);
      await slow.expectClosed();
      await quick.expectNothing();
    });

    test('a packet that comes byte by byte keeps nobody alive', async () => {
      const broker = await startBroker(resources, { transports });
      const slow = await broker.connect({ transport, clientId: 'slow', keepAlive: 10 });
      const packet = v5.publish({ topic: 'topic', payload: 'x'.repeat(40) });
      let sent = 0;
      while (sent < packet.length - 1 && !slow.hasEnded) {
        slow.send(packet.subarray(sent, ++sent));
        await broker.advance(1);
      }
      // 1.5 × Keep Alive
      expect(sent).toBeGreaterThanOrEqual(15);
      expect(sent).toBeLessThan(20);
      await slow.expectError(0x8d);
    });

    test('a peer that is gone without a word is found by its Keep Alive, and its Will is sent', async () => {
      const broker = await startBroker(resources, { transports });
      const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
      await watcher.subscribe('will');
      const gone = await broker.connect({
        transport,
        clientId: 'gone',
        keepAlive: 10,
        will: { topic: 'will', payload: 'gone' },
      });
      await broker.advance(14);
      await watcher.expectNothing();
      await broker.advance(2);
      await watcher.expectPublish({ topic: 'will', payload: 'gone' });
      await gone.expectError(0x8d);
    });

    test('a PUBLISH that is never finished is not delivered, and its client’s Will is', async () => {
      const broker = await startBroker(resources, { transports });
      const watcher = await broker.connect({ clientId: 'watcher', keepAlive: 0 });
      await watcher.subscribe('#');
      const cut = await broker.connect({ transport, clientId: 'cut', will: { topic: 'will', payload: 'gone' } });
      cut.send(
        v5.publish({ topic: 'whole', payload: 'whole' }),
        v5.publish({ topic: 'half', payload: 'half' }).subarray(0, -1),
      );
      await watcher.expectPublish({ topic: 'whole' });
      await broker.kill(cut);
      await watcher.expectPublish({ topic: 'will', payload: 'gone' });
      await watcher.expectNothing();
    });

    test('a client that vanishes between CONNECT and CONNACK leaves nothing behind', async () => {
      const broker = await startBroker(resources, { transports });
      for (let round = 0; round < 50; round++) {
        const attacker = resources.add(await Attacker.open(broker.port(transport), transport));
        attacker.send(v5.connect({ clientId: `v${round}` }));
        attacker.reset();
      }
      await waitFor('the connections to end', () => broker.running.broker.engine.connectionsCount === 0);
      expect(broker.running.broker.engine.sessions.size).toBe(0);
      // Kept sessions are kept, whoever the connection died of.
      const attacker = resources.add(await Attacker.open(broker.port(transport), transport));
      attacker.send(v5.connect({ clientId: 'kept', properties: [property.sessionExpiryInterval(100)] }));
      await waitFor('the session', () => broker.running.broker.engine.sessions.has('kept'));
      attacker.reset();
      await waitFor('the connection to end', () => broker.running.broker.engine.connectionsCount === 0);
      expect(broker.running.broker.engine.sessions.has('kept')).toBe(true);
    });

    test('a reset in the middle of anything ends that connection alone', async () => {
      const broker = await startBroker(resources, { transports });
      const watcher = await broker.connect({ clientId: 'watcher' });
      await watcher.subscribe({ filter: 'a', qos: 1 });
      const packets = [
        v5.connect({ clientId: 'reset' }),
        v5.subscribe({ filters: ['a', 'b'] }),
        v5.publish({ topic: 'a', payload: 'from reset', qos: 2 }),
        v5.pubrel(),
        v5.pingreq(),
        v5.disconnect({ reasonCode: 4 }),
      ];
      const whole = Buffer.concat(packets);
      for (let length = 0; length <= whole.length; length++) {
        const attacker = resources.add(await Attacker.open(broker.port(transport), transport));
        await attacker.pour(whole.subarray(0, length));
        attacker.reset();
      }
      await waitFor('the connections to end', () => broker.running.broker.engine.connectionsCount === 1);
      const arrived = await watcher.drainPublishes();
      // The message of whoever got to its PUBREL; those behind it had all of it twice over.
      expect(arrived.length).toBeGreaterThan(0);
      expect(arrived.every(({ topic, text }) => topic === 'a' && text === 'from reset')).toBe(true);
      expect(broker.running.broker.engine.sessions.size).toBe(1);
    });
  });
}

describe('half-closed and half-done connections', () => {
  const resources = useResources();

  test('a client that will send nothing more (FIN) is done with, and gets what was sent before', async () => {
    const broker = await startBroker(resources);
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.subscribe('will');
    const half = await broker.connect({ clientId: 'half', will: { topic: 'will', payload: 'gone' } });
    half.send(v5.publish({ topic: 'a', payload: 'last', qos: 1, packetId: 7 }));
    half.stream.end();
    // PUBACK for 7, nobody subscribed
    await half.expect('40 03 00 07 10');
    await half.expectClosed();
    await watcher.expectPublish({ topic: 'will', payload: 'gone' });
  });
});
