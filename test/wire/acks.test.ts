/** Every acknowledgement in every state of an exchange, for ids in use and unknown ones. */
import { expect, test } from 'vitest';
import { type Connected } from '../conformance/wire/broker.ts';
import { bytes, hexOf, type Version } from '../conformance/wire/bytes.ts';
import { property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { listen, Stage, wantedOf } from './play.ts';

const resources = useResources();

/** How far an exchange with Packet Identifier 1 has come when the acknowledgement arrives. */
type State = 'nothing' | 'PUBACK due' | 'PUBREC due' | 'PUBCOMP due' | 'PUBREL due' | 'over at QoS 1' | 'over at QoS 2';

/** State → answers to PUBACK, PUBREC, PUBREL, PUBCOMP with Packet Identifier 1. Unknown ones are tolerated, as Mosquitto does. */
const table: Readonly<Record<State, readonly [puback: string, pubrec: string, pubrel: string, pubcomp: string]>> = {
  nothing: ['open', 'open 62 02 00 01', 'open 70 02 00 01', 'open'],
  'PUBACK due': ['open', '82', 'open 70 02 00 01', '82'],
  'PUBREC due': ['82', 'open 62 02 00 01', 'open 70 02 00 01', '82'],
  'PUBCOMP due': ['82', 'open 62 02 00 01', 'open 70 02 00 01', 'open'],
  'PUBREL due': ['open', 'open 62 02 00 01', 'open 70 02 00 01', 'open'],
  'over at QoS 1': ['open', 'open 62 02 00 01', 'open 70 02 00 01', 'open'],
  'over at QoS 2': ['open', 'open 62 02 00 01', 'open 70 02 00 01', 'open'],
};
const acks = [
  ['PUBACK', 0x40],
  ['PUBREC', 0x50],
  ['PUBREL', 0x62],
  ['PUBCOMP', 0x70],
] as const;

/** Brings the client into the state; its Packet Identifier is 1 on either side. */
async function reach(state: State, client: Connected): Promise<void> {
  const { packets } = client;
  if (state === 'nothing') return;
  if (state === 'PUBREL due') {
    client.send(packets.publish({ topic: 'unheard', qos: 2, packetId: 1 }));
    await client.expect('50 02 00 01');
    return;
  }
  const qos = state.endsWith('1') || state === 'PUBACK due' ? 1 : 2;
  await client.subscribe({ filter: 'own', qos });
  client.send(packets.publish({ topic: 'own' })); // QoS 0 takes no identifier
  await client.expectPublish({ qos: 0 });
  const other = packets.publish({ topic: 'own', qos, packetId: 99 });
  client.send(other);
  if (qos === 1) {
    await client.expectPublish({ qos, packetId: 1 });
    await client.expect('40 02 00 63');
    if (state === 'over at QoS 1') client.send(packets.puback({ packetId: 1 }));
    return;
  }
  await client.expect('50 02 00 63');
  client.send(packets.pubrel({ packetId: 99 }));
  await client.expectPublish({ qos, packetId: 1 });
  await client.expect('70 02 00 63');
  if (state === 'PUBREC due') return;
  client.send(packets.pubrec({ packetId: 1 }));
  await client.expect('62 02 00 01');
  if (state === 'over at QoS 2') client.send(packets.pubcomp({ packetId: 1 }));
}

/** The acknowledgement in its forms: short, and in MQTT 5.0 with a Reason Code and with properties. */
function formsOf(version: Version, firstByte: number): Buffer[] {
  const head = firstByte.toString(16);
  const short = bytes(`${head} 02 00 01`);
  return version === 5 ? [short, bytes(`${head} 03 00 01 00`), bytes(`${head} 04 00 01 00 00`)] : [short];
}

for (const version of [3, 4, 5] as const) {
  for (const [state, answers] of Object.entries(table) as [State, (typeof table)[State]][]) {
    test(`v${version} acknowledgements while ${state}`, async () => {
      const stage = await Stage.open(resources);
      const different: string[] = [];
      for (const [index, [name, firstByte]] of acks.entries()) {
        for (const sends of formsOf(version, firstByte)) {
          const properties = [property.sessionExpiryInterval(0)];
          const client = await stage.broker.connect({ clientId: 'case', version, keepAlive: 0, properties });
          await reach(state, client);
          client.send(sends);
          const found = await listen(client, false);
          client.close();
          const wanted = wantedOf(version, answers[index] as string);
          if (found !== wanted) different.push(`${name} (${hexOf(sends)}) | wanted ${wanted} | found ${found}`);
          await stage.checkOthersAreServed(`${name} while ${state}`);
        }
      }
      expect(different).toEqual([]);
    });
  }
}
