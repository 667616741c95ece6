// What belongs together: a node with everything below it, a group with its members, collections that go out and come back.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, logIn, openConsole, startConsoleBroker } from './open-console.ts';

describeWith(['chromium'], 'the console', () => {
  const resources = useResources();

  test('shows the messages below a node, and the share of each member of a group', { timeout: 60_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    const sensor = await connect(resources, broker, { clientId: 'capteur', protocolVersion: 5 });
    const workers = [];
    for (const clientId of ['atelier-1', 'atelier-2']) {
      const worker = await connect(resources, broker, { clientId, protocolVersion: 5 });
      await worker.subscribeAsync('$share/atelier/maison/#', { qos: 1 });
      workers.push(worker);
    }
    const browser = await startBrowser(resources);
    const { page, base, faults } = await openConsole(resources, browser, broker);
    await logIn(page);
    await page.goto(`${base}/#/topics?topic=maison&tab=stream`);
    await page.getByText('Waiting for messages').waitFor();
    for (const topic of ['maison/cave/climat', 'jardin/climat', 'maison/toit', 'maison', 'maisonnette']) {
      await sensor.publishAsync(topic, 'x', { qos: 1 });
    }
    const topics = page.locator('.stream .message-topic');
    await waitFor('three of the five', async () => (await topics.count()) === 3);
    expect(await topics.allTextContents()).toEqual(['maison/cave/climat', 'maison/toit', 'maison']);

    await page.goto(`${base}/#/clients?pane=who&who=maison%2Ftoit`);
    const members = page.getByTestId('receivers').getByRole('listitem');
    await members.first().waitFor();
    expect(await members.allTextContents()).toEqual([
      expect.stringMatching(/^ ?atelier-1 QoS 1 · 2 messages \(67% of the group\)$/),
      expect.stringMatching(/^ ?atelier-2 QoS 1 · 1 message \(33% of the group\)$/),
    ]);
    expect(faults).toEqual([]);
  });

  test('gives saved messages to a file and takes them back', { timeout: 60_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    const browser = await startBrowser(resources);
    const { page, base, faults } = await openConsole(resources, browser, broker);
    await logIn(page);
    await page.goto(`${base}/#/messages?pane=saved`);
    const collections = [
      {
        name: 'matin',
        messages: [
          { name: 'volets', topic: 'maison/volets', payload: 'ouverts', qos: 1, retain: true },
          { name: 'café', topic: 'maison/café', payload: '{{counter}}', qos: 0, delayMs: 200 },
        ],
      },
    ];
    const file = (text: string) => ({ name: 'm.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    const input = page.locator('input[type=file]');
    await input.setInputFiles(file('no JSON'));
    await page.locator('.toasts').getByText('This file holds no saved messages.').waitFor();
    await input.setInputFiles(file(JSON.stringify({ collections })));
    await page.getByText('café', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Move up' }).nth(1).click();
    const names = page.locator('.saved-text strong');
    await waitFor('the new order', async () => (await names.allTextContents()).join() === 'café,volets');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const written = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as {
      collections: typeof collections;
    };
    expect(written.collections.map(({ name, messages }) => [name, messages.map(({ topic }) => topic)])).toEqual([
      ['matin', ['maison/café', 'maison/volets']],
    ]);
    expect(written.collections[0]?.messages[1]).toMatchObject(collections[0]?.messages[0] ?? {});
    expect(faults).toEqual([]);
  });
});
