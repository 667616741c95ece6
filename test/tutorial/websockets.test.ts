import { once } from 'node:events';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type BrokerName, startBroker } from '../harness/brokers.ts';
import { openPage, startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { publish, subscribe } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';
import { describeBrokers } from './walks.ts';

const tutorialConfig = [
  'port {port}      # A ajouter',
  'listener {websockets} # A ajouter',
  'protocol websockets # A ajouter',
  'pid_file {dir}/mosquitto.pid',
  'allow_anonymous true',
];

describeBrokers('6.2 MQTT sur WebSockets', (name: BrokerName) => {
  const resources = useResources();

  describeWith(['chromium', 'mosquitto_pub'], 'in a browser', () => {
    test('6.2.3 Test de Websocket: a page with the Paho client in Chromium', async () => {
      const broker = await startBroker(resources, name, { config: tutorialConfig });
      const tcp = ['-p', String(broker.port())];
      const browser = await startBrowser(resources);
      const page = await openPage(resources, browser, [
        'node_modules/paho-mqtt/paho-mqtt.js',
        'test/tutorial/paho-page.js',
      ]);
      await page.evaluate(`connectAndSubscribe(${broker.port('websockets')}, 'page', 'maison/#')`);

      // From the command line to the page …
      await publish('mosquitto', [...tcp, '-t', 'maison/salon/temp', '-m', '21,5 °C']);
      const lines = await waitFor('a message in the page', async () => {
        const received = await page.evaluate<string[]>('receivedLines()');
        return received.length > 0 && received;
      });
      expect(lines).toEqual(['maison/salon/temp 21,5 °C']);

      // … and from the page to the command line.
      const subscriber = await subscribe(resources, 'mosquitto', [...tcp, '-v', '-t', 'maison/lampe']);
      await page.evaluate(`publishFromPage('maison/lampe', 'allumée')`);
      expect(await subscriber.linesUntil('maison/lampe allumée')).toEqual(['maison/lampe allumée']);
    });
  });

  for (const subprotocol of ['mqtt', 'mqttv3.1'] as const) {
    test(`the subprotocol ${subprotocol} is spoken`, async () => {
      const broker = await startBroker(resources, name, { config: tutorialConfig });
      const socket = new WebSocket(`ws://localhost:${broker.port('websockets')}/mqtt`, [subprotocol]);
      resources.add({ close: () => socket.terminate() });
      await once(socket, 'open');
      expect(socket.protocol).toBe(subprotocol);
    });
  }

  test('3.3 Sur un NAS Synology: protocol before port applies to that port', async () => {
    const config = [
      'protocol websockets # A ajouter',
      'pid_file {dir}/mosquitto.pid',
      'port {websockets}',
      'listener {port} # A ajouter',
    ];
    const broker = await startBroker(resources, name, { config: [...config, 'allow_anonymous true'] });
    for (const url of [`ws://localhost:${broker.port('websockets')}`, `mqtt://localhost:${broker.port()}`]) {
      const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
      await client.endAsync();
    }
  });
});
