// The console on a broker of another make: Debian's mosquitto over WebSocket, and ours, with MQTT 3.1.1 and 5.0 by turns.
import { expect, test } from 'vitest';
import { startBroker } from '../harness/brokers.ts';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, openConsole, startConsoleBroker } from './open-console.ts';

describeWith(['chromium', 'mosquitto'], 'another broker', () => {
  const resources = useResources();

  test('is seen in the tree and the stream, and published to', { timeout: 120_000 }, async () => {
    const ours = await startConsoleBroker(resources);
    const other = await startBroker(resources, 'mosquitto', {
      config: ['listener {port} 127.0.0.1', 'listener {ws} 127.0.0.1', 'protocol websockets', 'allow_anonymous true'],
    });
    const sensor = await connect(resources, other, { clientId: 'capteur', protocolVersion: 5 });
    await sensor.publishAsync('maison/salon', '21', { qos: 1, retain: true });
    const heard: string[] = [];
    sensor.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
    await sensor.subscribeAsync('maison/lampe', { qos: 2 });

    const browser = await startBrowser(resources);
    const { page, base, faults, foreign } = await openConsole(resources, browser, ours, {}, [other.port('ws')]);
    await page.goto(`${base}/#/overview?other=1`);
    await page.getByLabel('Address').fill(`ws://127.0.0.1:${other.port('ws')}`);
    await page.getByRole('button', { name: 'Connect' }).click();
    const row = page.locator('[data-topic="maison/salon"]');
    await row.waitFor();
    await sensor.publishAsync('maison/salon', '22', { qos: 1 });
    await row.getByText('22').waitFor();
    await row.click();
    await page.getByTestId('payload-text').getByText('22').waitFor();

    // Only what MQTT can tell is offered.
    expect(await page.getByRole('navigation', { name: 'Screens' }).getByRole('link').allTextContents()).toEqual([
      'Topics',
      'Messages',
      'Settings',
    ]);
    await page.getByRole('link', { name: 'Messages', exact: true }).click();
    await page.getByText('Waiting for messages').waitFor();
    await sensor.publishAsync('maison/cave', 'fraîche', { qos: 1 });
    await page.getByRole('option', { name: /maison\/cave/ }).waitFor();
    await page.getByRole('tab', { name: 'Publish' }).click();
    await page.getByLabel('Topic', { exact: true }).fill('maison/lampe');
    await page.getByLabel('Payload', { exact: true }).fill('éteinte');
    await page.getByLabel('QoS').selectOption('2');
    await page.getByTestId('publish-send').click();
    await page.getByTestId('publish-result').getByText('acknowledged').waitFor();
    await waitFor('the published message', () => heard.length > 0);
    expect(heard).toEqual(['maison/lampe éteinte']);
    expect(faults).toEqual([]);
    expect(foreign).toEqual([]);
  });

  test('that is not there is said to be unreachable', { timeout: 60_000 }, async () => {
    const ours = await startConsoleBroker(resources);
    const browser = await startBrowser(resources);
    const { page, base } = await openConsole(resources, browser, ours, {}, [1]);
    await page.goto(`${base}/#/overview?other=1`);
    await page.getByLabel('Address').fill('ws://127.0.0.1:1');
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('alert').getByText('No MQTT broker answers').waitFor();
  });
});
