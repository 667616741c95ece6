import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, subscribe } from '../harness/tools.ts';
import { describeWalks } from './walks.ts';

// How the log names each version of the protocol: Mosquitto 2.0, which Debian has, and 2.1, which we follow.
const versions = {
  mqttv31: { mosquitto: 'p1', moustique: 'p3' },
  mqttv311: { mosquitto: 'p2', moustique: 'p4' },
  mqttv5: { mosquitto: 'p5', moustique: 'p5' },
};

describeWalks('7.1 MyMQTT : un client pour Android (MQTT v3.1)', (walk) => {
  const resources = useResources();

  for (const [version, namesInLog] of Object.entries(versions)) {
    test(`a client of ${version} subscribes and publishes`, async () => {
      const config = ['log_dest file {dir}/mosquitto.log', 'log_type all'];
      const broker = await startBroker(resources, walk.broker, { config, args: ['-p', '{port}'] });
      const client = ['-V', version, '-p', String(broker.port())];
      const subscriber = await subscribe(resources, walk.tools, [
        ...client,
        '-i',
        'mymqtt',
        '-q',
        '2',
        '-v',
        '-t',
        'maison/#',
      ]);
      await publish(walk.tools, [...client, '-q', '2', '-t', 'maison/salon/temp', '-m', '21,5 °C']);
      expect(await subscriber.linesUntil('maison/salon/temp 21,5 °C')).toEqual(['maison/salon/temp 21,5 °C']);
      await broker.stop();
      expect(broker.read('mosquitto.log')).toContain(` as mymqtt (${namesInLog[walk.broker]}, c1, k60).`);
    });
  }
});
