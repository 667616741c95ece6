/**
 * Clients that are let in and send what does harm further on: text that is no text, the same exchange over and over, names that
 * look like lines of a log, fragments without end.
 */
import { describe, expect, test } from 'vitest';
import { field } from '../conformance/wire/bytes.ts';
import { RawClient } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import { frame, Opcode } from '../conformance/wire/websocket.ts';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { hasProc, Siege, transports } from './siege.ts';
import { size } from './sizes.ts';

const versions = [4, 5] as const;

/** What is no UTF-8 (Unicode 3.9, table 3-7), or U+0000. */
const malformed: readonly (readonly [what: string, hex: string])[] = [
  ['U+0000', '00'],
  ['a lone continuation byte', '80'],
  ['an overlong slash', 'c0af'],
  ['an overlong U+0000', 'c080'],
  ['a sequence cut off', 'e282'],
  ['a high surrogate', 'eda080'],
  ['a pair of surrogates', 'eda081edb080'],
  ['above U+10FFFF', 'f4908080'],
  ['five bytes', 'f888808080'],
  ['0xFF', 'ff'],
];

for (const transport of transports) {
  for (const version of versions) {
    describe.runIf(hasProc)(`MQTT ${version} over ${transport}`, () => {
      const resources = useResources();
      const packets = packetsOf(version);

      test('what is no UTF-8 ends the connection and reaches nobody', async () => {
        const siege = await Siege.begin(resources);
        const listener = await siege.connect('tcp', 'listener');
        await listener.subscribe('#');
        let cases = 0;
        await siege.withstand(async () => {
          for (const [, hex] of malformed) {
            const bad = Buffer.concat([Buffer.from('a'), Buffer.from(hex, 'hex'), Buffer.from('b')]);
            const wills = [{ topic: bad, payload: 'x' }];
            const texts = version === 5 ? propertiesWith(bad) : [];
            const inConnect = [
              packets.connect({ clientId: bad }),
              packets.connect({ username: bad }),
              ...wills.map((will) => packets.connect({ will })),
              ...texts.map((text) => packets.connect({ will: { topic: 'a', payload: 'x', properties: [text] } })),
            ];
            const inside = [
              packets.publish({ topic: bad, payload: 'x' }),
              packets.publish({ topic: bad, payload: 'x', qos: 2, retain: true }),
              packets.subscribe({ filters: [bad] }),
              packets.subscribe({ filters: ['good', bad] }),
              packets.unsubscribe({ filters: [bad] }),
              ...texts.map((text) => packets.publish({ topic: 'a', payload: 'x', properties: [text] })),
            ];
            for (const bytes of inConnect) {
              const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport, version }));
              client.send(bytes);
              await ended(client);
              cases++;
            }
            for (const bytes of inside) {
              const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport, version }));
              client.send(packets.connect({ clientId: 'inside' }));
              client.send(bytes);
              await ended(client);
              cases++;
            }
          }
        });
        expect(cases).toBe(malformed.length * (version === 5 ? 16 : 8));
        const publisher = await siege.connect('tcp', 'publisher');
        await publisher.publish({ topic: 'end', payload: 'end' });
        let message = await listener.expectPublish({});
        while (message.topic === 'canary/song') message = await listener.expectPublish({});
        expect(message).toMatchObject({ topic: 'end' });
      });

      test('the same QoS 2 identifier over and over is one message', { timeout: 300_000 }, async () => {
        const siege = await Siege.begin(resources);
        const listener = await siege.connect('tcp', 'listener');
        await listener.subscribe({ filter: 'flood', qos: 2 });
        const attacker = await siege.insider(transport, 'same', [], version);
        await siege.canary.sing(100);
        const before = siege.memory();
        const first = packets.publish({ topic: 'flood', payload: 'the first', qos: 2, packetId: 7 });
        const again = packets.publish({ topic: 'flood', payload: 'another', qos: 2, packetId: 7, dup: true });
        const batch = Buffer.concat(Array.from({ length: 1000 }, () => again));
        const batches = size(20, 1000);
        await siege.withstand(async () => {
          attacker.send(first);
          for (let count = 0; count < batches; count++) await attacker.pour(batch);
          // Each is answered: PUBREC has 4 bytes, over WebSocket with what frames it.
          await waitFor('every PUBREC', () => attacker.receivedBytes >= 4 * 1000 * batches);
        });
        // One exchange, whatever is sent.
        expect(siege.memory() - before).toBeLessThan(48);
        attacker.send(packets.pubrel({ packetId: 7 }));
        await listener.expectPublish({ topic: 'flood', payload: 'the first' });
        attacker.send(packets.publish({ topic: 'flood', payload: 'end' }));
        await listener.expectPublish({ topic: 'flood', payload: 'end' });
      });

      test('a Will to $CONTROL is refused, and nobody is asked to do anything', async () => {
        const siege = await Siege.begin(resources, { config: ['enable_control_api true'] });
        const client = resources.add(await RawClient.open(siege.broker.port(transport), { transport, version }));
        const will = { topic: '$CONTROL/broker/v1', payload: '{"commands":[{"command":"listListeners"}]}' };
        client.send(packets.connect({ will }));
        // 3.1.1 has no word for it.
        if (version === 5) expect((await client.expectPacket('connack')).reasonCode).toBe(0x90);
        await client.expectClosed();
        await siege.canary.sing();
      });

      test('names cannot forge lines of the log', async () => {
        const broker = await startBroker(resources, 'moustique', {
          config: [
            ...['log_type all', 'log_dest stderr', 'log_dest file {dir}/log', 'allow_anonymous true'],
            ...['listener {tcp} 127.0.0.1', 'listener {ws} 127.0.0.1', 'protocol websockets'],
          ],
        });
        const forged = '1700000000: New client connected from 192.0.2.1:1 as admin (p5, c1, k60).';
        for (const control of [
          '\n',
          '\r\n',
          '\r',
          '\x1b[2J\x1b[H',
          '\x07',
          '\x7f',
          '\u0085',
          '\u2028',
          '\u202e',
          '\x9b2J',
        ]) {
          const name = `x${control}${forged}`;
          const client = resources.add(await RawClient.open(broker.port(transport), { transport, version }));
          client.send(packets.connect({ clientId: name, username: name, will: { topic: name, payload: 'x' } }));
          client.send(packets.subscribe({ filters: [name] }));
          client.send(packets.publish({ topic: name, payload: 'x', qos: 1 }));
          client.send(packets.unsubscribe({ filters: [name] }));
          client.send(packets.disconnect());
          await ended(client);
          const refused = resources.add(await RawClient.open(broker.port(transport), { transport, version }));
          refused.send(packets.connect({ protocolName: name, clientId: name }));
          await ended(refused);
        }
        await broker.stop();
        for (const log of [broker.read('log'), broker.process.stderr]) {
          expect(log).toContain(forged);
          // A tab begins some lines of the broker's own.
          // oxlint-disable-next-line no-control-regex -- they are what must not be there
          expect(log).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/);
          const lines = log.trimEnd().split('\n');
          expect(lines.filter((line) => !/^\d+: /.test(line))).toEqual([]);
          expect(lines.filter((line) => line.startsWith(forged.slice(0, 20)))).toEqual([]);
        }
      });
    });
  }
}

describe.runIf(hasProc)('WebSocket frames', () => {
  const resources = useResources();

  test('a message in very many fragments, with pings between, costs no more than its bytes', {
    timeout: 300_000,
  }, async () => {
    const siege = await Siege.begin(resources);
    const client = await siege.insider('ws', 'fragments', [{ filter: 'flood', qos: 0 }]);
    await siege.canary.sing(100);
    const before = siege.memory();
    const payload = Buffer.alloc(size(100_000, 1_000_000), 'x');
    const packet = packetsOf(5).publish({ topic: 'flood', payload });
    const nothing = frame(Opcode.continuation, Buffer.alloc(0), false);
    await siege.withstand(async () => {
      client.socket.write(frame(Opcode.binary, packet.subarray(0, 1), false));
      for (let at = 1; at < packet.length; at += 1000) {
        const parts: Buffer[] = [];
        for (let byte = at; byte < Math.min(at + 1000, packet.length); byte++) {
          parts.push(frame(Opcode.continuation, packet.subarray(byte, byte + 1), byte === packet.length - 1));
          if (byte < packet.length - 1) parts.push(nothing, frame(Opcode.ping, Buffer.from('p')));
        }
        await new Promise<void>((resolve) => void client.socket.write(Buffer.concat(parts), () => resolve()));
      }
      // The message comes back, and a Pong for each Ping.
      await waitFor('the message', () => client.receivedBytes > payload.length + 3 * (packet.length - 2));
    });
    expect(siege.memory() - before).toBeLessThan(48);
  });
});

/** A property with a text of each kind in a PUBLISH or a Will. */
function propertiesWith(bad: Buffer): Buffer[] {
  return [
    property.contentType(bad as never),
    property.responseTopic(bad as never),
    // User Property: 0x26, name, value
    Buffer.concat([Buffer.from([0x26]), field(bad), field('value')]),
    Buffer.concat([Buffer.from([0x26]), field('name'), field(bad)]),
  ];
}

/** Reads whatever comes until the broker closes. */
async function ended(client: RawClient): Promise<void> {
  await waitFor('the broker to close', () => client.hasEnded);
}
