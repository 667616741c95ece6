import { expect, test } from 'vitest';
import { main as sub } from '../../../src/cli/sub.ts';
import type { PublishPacket } from '../../../src/codec/packet.ts';
import { runInProcess } from '../../cli/in-process.ts';
import { useResources } from '../../harness/resources.ts';
import { connectClient, type Dialled } from '../wire/client-under-test.ts';
import type { Peer } from '../wire/peer.ts';
import { RawServer } from '../wire/server.ts';

const resources = useResources();

const message = { topic: 'a', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;

/** Of a client that keeps its session and comes back by itself. */
const lasting = {
  cleanStart: false,
  connectProperties: { sessionExpiryInterval: 60 },
  reconnect: { initialDelayMs: 1000, maximumDelayMs: 1000 },
} as const;

/** Cuts the connection, and lets the client back in to its session. */
async function comeBack({ client, server, clock }: Dialled, peer: Peer): Promise<Peer> {
  peer.close();
  await expect.poll(() => client.isConnected).toBe(false);
  clock.advance(1000);
  const back = await server.accept();
  await back.expectPacket('connect');
  back.send(back.packets.connack({ sessionPresent: true }));
  return back;
}

test('v5 [MQTT-4.5.0-2] v311 [MQTT-4.5.0-2] messages that nobody takes are acknowledged as their QoS says', async () => {
  for (const version of [4, 5] as const) {
    const { client, peer } = await connectClient(resources, { version }); // without onMessage
    client.unsubscribe('a').catch(() => {});
    await peer.expectPacket('unsubscribe'); // and messages may still come until UNSUBACK
    peer.send(peer.packets.publish({ topic: 'a', qos: 0 }), peer.packets.publish({ topic: 'a', qos: 1, packetId: 5 }));
    await peer.expect('40 02 00 05'); // PUBACK, and nothing for QoS 0
    peer.send(peer.packets.publish({ topic: 'never/subscribed', qos: 2, packetId: 6 }));
    await peer.expect('50 02 00 06'); // PUBREC
    peer.send(peer.packets.pubrel({ packetId: 6 }));
    await peer.expect('70 02 00 06'); // PUBCOMP
  }
});

test('v5 [MQTT-4.5.0-2] v311 [MQTT-4.5.0-2] sub acknowledges messages that -T and -R keep from being printed', async () => {
  for (const version of [4, 5] as const) {
    const server = await RawServer.listen(resources, version);
    const place = ['-h', '127.0.0.1', '-p', String(server.port), '-V', version === 5 ? '5' : '311', '-i', 'sub'];
    const outcome = runInProcess(sub, [...place, '-t', '#', '-q', '2', '-T', 'out/#', '-R', '-C', '1']);
    const peer = await server.accept();
    await peer.expectPacket('connect');
    peer.send(peer.packets.connack());
    const { packetId } = await peer.expectPacket('subscribe');
    peer.send(peer.packets.suback({ packetId, reasonCodes: [2] }));
    for (const unwanted of [{ topic: 'out/a' }, { topic: 'a', retain: true }]) {
      peer.send(peer.packets.publish({ ...unwanted, payload: 'hidden', qos: 1, packetId: 5 }));
      await peer.expect('40 02 00 05');
      peer.send(peer.packets.publish({ ...unwanted, payload: 'hidden', qos: 2, packetId: 6 }));
      await peer.expect('50 02 00 06');
      peer.send(peer.packets.pubrel({ packetId: 6 }));
      await peer.expect('70 02 00 06');
    }
    peer.send(peer.packets.publish({ topic: 'a', payload: 'shown', qos: 1, packetId: 7 }));
    await peer.expect('40 02 00 07');
    await peer.expectPacket('disconnect');
    peer.close();
    expect(await outcome).toMatchObject({ status: 0, stdout: 'shown\n' });
  }
});

test('v5 [MQTT-4.6.0-1] v311 [MQTT-4.6.0-1] what is repeated is repeated in its first order', async () => {
  for (const version of [4, 5] as const) {
    const dialled = await connectClient(resources, { ...lasting, version });
    const { client, peer } = dialled;
    const sent = [];
    for (const [payload, qos] of [
      ['1', 1],
      ['2', 2],
      ['3', 1],
      ['4', 2],
      ['5', 1],
    ] as const) {
      client.send({ ...message, payload: Buffer.from(payload), qos });
      sent.push(await peer.expectPublish({ payload, qos, dup: false }));
    }
    // Acknowledged out of order, which must not change the order of the rest.
    peer.send(peer.packets.puback({ packetId: sent[2]?.packetId ?? 0 }));
    await peer.expectQuiet();
    client.send({ ...message, payload: Buffer.from('6'), qos: 1 });
    sent.push(await peer.expectPublish({ payload: '6', dup: false }));
    let back = peer;
    for (let times = 0; times < 2; times++) {
      back = await comeBack(dialled, back);
      for (const index of [0, 1, 3, 4, 5]) {
        const { qos, packetId, text } = sent[index] as (typeof sent)[0];
        await back.expectPublish({ payload: text, qos, packetId, dup: true });
      }
    }
  }
});

for (const [type, qos, acknowledgement, title] of [
  ['puback', 1, 0x40, 'v5 [MQTT-4.6.0-2] v311 [MQTT-4.6.0-2] PUBACKs leave in the order of the PUBLISHes'],
  ['pubrec', 2, 0x50, 'v5 [MQTT-4.6.0-3] v311 [MQTT-4.6.0-3] PUBRECs leave in the order of the PUBLISHes'],
] as const) {
  test(title, async () => {
    for (const version of [4, 5] as const) {
      for (const manualAcknowledgement of [false, true]) {
        const messages: PublishPacket[] = [];
        const { client, peer } = await connectClient(resources, {
          version,
          manualAcknowledgement,
          onMessage: (received) => messages.push(received),
        });
        const packetIds = [9, 3, 65_535, 1, 4];
        peer.send(...packetIds.map((packetId) => peer.packets.publish({ qos, packetId })));
        if (manualAcknowledgement && qos === 1) {
          await expect.poll(() => messages.length).toBe(packetIds.length);
          // A program that is done with the last one first.
          for (const received of messages.toReversed()) client.acknowledge(received);
        }
        for (const packetId of packetIds) {
          const answer = await peer.expectPacket(type);
          expect([answer.bytes[0], answer.packetId]).toEqual([acknowledgement, packetId]);
        }
      }
    }
  });
}

test('v5 [MQTT-4.6.0-2] v311 [MQTT-4.6.0-2] PUBACKs keep their order behind a program that reads slowly', async () => {
  for (const version of [4, 5] as const) {
    const messages: string[] = [];
    const { client, peer } = await connectClient(resources, {
      version,
      onMessage: ({ payload }) => {
        messages.push(payload.toString());
        return false; // wait for resume()
      },
    });
    for (const packetId of [3, 1, 2]) peer.send(peer.packets.publish({ payload: `${packetId}`, qos: 1, packetId }));
    for (const [index, packetId] of [3, 1, 2].entries()) {
      await expect.poll(() => messages.length).toBe(index + 1);
      await peer.expect(peer.packets.puback({ packetId }));
      client.resume();
    }
    expect(messages).toEqual(['3', '1', '2']);
  }
});

test('v5 [MQTT-4.6.0-4] v311 [MQTT-4.6.0-4] PUBRELs leave in the order of the PUBRECs, also when they are repeated', async () => {
  for (const version of [4, 5] as const) {
    const dialled = await connectClient(resources, { ...lasting, version });
    const { client, peer } = dialled;
    const packetIds: number[] = [];
    for (let count = 0; count < 5; count++) {
      client.send({ ...message, qos: 2 });
      packetIds.push((await peer.expectPacket('publish')).packetId);
    }
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = packetIds;
    const order = [third, first, fifth, second];
    peer.send(...order.map((packetId) => peer.packets.pubrec({ packetId })));
    for (const packetId of order) expect((await peer.expectPacket('pubrel')).packetId).toBe(packetId);
    peer.send(peer.packets.pubcomp({ packetId: first }));
    await peer.expectQuiet();

    const back = await comeBack(dialled, peer);
    for (const packetId of [third, fifth, second]) {
      expect((await back.expectPacket('pubrel')).packetId).toBe(packetId);
    }
    await back.expectPublish({ qos: 2, packetId: fourth, dup: true });
    back.send(back.packets.pubrec({ packetId: fourth }));
    expect((await back.expectPacket('pubrel')).packetId).toBe(fourth);
  }
});
