import { test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from '../wire/broker.ts';
import { v5 } from '../wire/packets.ts';

const resources = useResources();

for (const transport of ['tcp', 'ws', 'tls'] as const) {
  test(`v5 [MQTT-3.1.4-5] an accepted CONNECT is answered by CONNACK 0x00 (${transport})`, async () => {
    const broker = await startBroker(resources, { transports: [transport] });
    const client = await broker.open({ transport });
    client.send(v5.connect());
    await client.expect('20 0E 00 00 0B 22 00 0A 27 00 1E 84 80 21 00 14');
    await client.expectNothing();
    await client.disconnect();
  });
}
