/** What is refused before anybody is known: no CONNECT, garbage, other protocols, lengths that nobody may announce. */
import { describe, expect, test } from 'vitest';
import { bytes, u8 } from '../conformance/wire/bytes.ts';
import { RawClient } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { Attacker } from './attacker.ts';
import { hasProc, Siege, transports } from './siege.ts';

const v5 = packetsOf(5);
const seed = 20_261_123;

/** Numbers that look random and are the same in every run. */
function* randomBytes(): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state >>> 24;
  }
}

for (const transport of transports) {
  describe(`before CONNECT, over ${transport}`, () => {
    const resources = useResources();

    test('every other packet is answered by closing, without a byte', async () => {
      const siege = await Siege.begin(resources);
      const packets: readonly Buffer[] = [
        v5.publish({ topic: 'a', payload: 'x' }),
        v5.publish({ topic: 'a', payload: 'x', qos: 2 }),
        v5.puback(),
        v5.pubrec(),
        v5.pubrel(),
        v5.pubcomp(),
        v5.subscribe({ filters: ['#'] }),
        v5.unsubscribe({ filters: ['#'] }),
        v5.pingreq(),
        v5.disconnect(),
        v5.auth(),
        v5.connack(),
        v5.suback({ reasonCodes: [0] }),
        v5.pingresp(),
        bytes('00 00'), // packet type 0 is reserved
      ];
      await siege.withstand(async () => {
        for (const packet of packets) {
          const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport }));
          client.send(packet);
          await client.expectClosed();
        }
      });
      // The same connection with the right first packet is let in.
      await siege.connect(transport, 'right');
    });

    test('the first byte is enough: nothing of the packet is waited for', async () => {
      const siege = await Siege.begin(resources);
      for (const firstByte of [0x00, 0x30, 0x82, 0xc0, 0xe0, 0x47 /* G of GET */]) {
        const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport }));
        client.send(u8(firstByte));
        await client.expectClosed();
      }
    });

    test('garbage is answered by closing, and others do not notice', async () => {
      const siege = await Siege.begin(resources);
      const random = randomBytes();
      await siege.withstand(async () => {
        for (let round = 0; round < 10; round++) {
          const attackers = await siege.attackers(transport, 20);
          for (const attacker of attackers) {
            const garbage = Buffer.from(Array.from({ length: 1000 }, () => random.next().value as number));
            // A CONNECT may be longer than what came of it; this is about what cannot be one.
            if ((garbage[0] as number) >> 4 === 1) garbage[0] = 0x21;
            attacker.send(garbage);
          }
          for (const attacker of attackers) await attacker.closed();
        }
      });
    });

    test('a garbled CONNECT is answered by closing, wherever the fault is', async () => {
      const siege = await Siege.begin(resources);
      const random = randomBytes();
      const whole = v5.connect({
        clientId: 'garbled',
        username: 'u',
        password: 'p',
        will: { topic: 'w', payload: 'x' },
      });
      await siege.withstand(async () => {
        for (let at = 2; at < whole.length; at++) {
          const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport }));
          const garbled = Buffer.from(whole);
          garbled[at] = (whole[at] as number) ^ (1 + ((random.next().value as number) & 0x7f));
          client.send(garbled);
          // Some faults are none: another Client Identifier, a longer Keep Alive. What follows is never right.
          client.send(bytes('ff 00'));
          await waitFor('the broker to close', () => client.hasEnded);
        }
      });
      expect(siege.broker.process.hasEnded).toBe(false);
    });
  });
}

describe('another protocol on the wrong port', () => {
  const resources = useResources();

  test('HTTP and TLS on the MQTT port are closed', async () => {
    const siege = await Siege.begin(resources);
    for (const greeting of [
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      // TLS record, handshake, ClientHello
      bytes('16 03 01 02 00 01 00 01 fc 03 03'),
      Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
    ]) {
      const attacker = await siege.attack('tcp');
      attacker.send(greeting);
      await attacker.closed();
      expect(attacker.receivedBytes).toBe(0);
    }
  });

  test('MQTT, an endless header and an endless request line on the WebSocket port are closed', async () => {
    const siege = await Siege.begin(resources);
    for (const greeting of [
      v5.connect({ clientId: 'c' }),
      Buffer.from(`GET / HTTP/1.1\r\nX: ${'x'.repeat(1_000_000)}`),
      Buffer.from(`GET /${'x'.repeat(1_000_000)}`),
    ]) {
      const attacker = resources.add(await Attacker.open(siege.broker.port('ws'), 'tcp'));
      attacker.send(greeting);
      await attacker.closed();
    }
    await siege.connect('ws', 'right');
  });
});

describe.runIf(hasProc)('announced lengths', () => {
  const resources = useResources();
  /** MiB that 500 connections may cost; what they announce is 128,000. */
  const growthMax = 48;

  for (const transport of transports) {
    test(`${transport}: 500 connections that begin with a CONNECT of 256 MB are closed at once`, async () => {
      const siege = await Siege.begin(resources);
      await siege.canary.sing(100);
      const before = siege.memory();
      await siege.withstand(async () => {
        const attackers = await siege.attackers(transport, 500);
        // CONNECT, Remaining Length 268,435,455, the beginning of a body
        for (const attacker of attackers) attacker.send(bytes('10 ff ff ff 7f 00 04 "MQTT" 05'));
        for (const attacker of attackers) await attacker.closed();
      });
      expect(siege.memory() - before).toBeLessThan(growthMax);
    });

    test(`${transport}: 500 clients that announce a PUBLISH of 2 MB and send a little of it cost little`, async () => {
      const siege = await Siege.begin(resources);
      await siege.canary.sing(100);
      const before = siege.memory();
      await siege.withstand(async () => {
        const clientIds = Array.from({ length: 500 }, (_, index) => `c${index}`);
        const insiders = await Promise.all(clientIds.map((clientId) => siege.insider(transport, clientId)));
        // PUBLISH, Remaining Length 1,999,995: just within max_packet_size
        for (const insider of insiders) insider.send(bytes('30 fb 88 7a 00 01 "a" 00 "beginning"'));
      });
      expect(siege.openSockets()).toBe(502);
      expect(siege.memory() - before).toBeLessThan(growthMax);
    });

    test(`${transport}: a client that announces more than max_packet_size is told 0x95 and closed at once`, async () => {
      const siege = await Siege.begin(resources);
      const client = await siege.connect(transport, 'large');
      // PUBLISH, Remaining Length 268,435,455
      client.send(bytes('30 ff ff ff 7f 00 01 "a"'));
      await client.expectError(0x95);
      await siege.canary.sing();
    });

    test(`${transport}: a Remaining Length that never ends is closed`, async () => {
      const siege = await Siege.begin(resources);
      const before = resources.add(await RawClient.open(siege.broker.port(transport), { transport }));
      before.send(bytes('10 ff ff ff ff ff'));
      await before.expectClosed();
      const after = await siege.connect(transport, 'endless');
      after.send(bytes('30 ff ff ff ff ff'));
      await after.expectClosed();
      await siege.canary.sing();
    });
  }
});
