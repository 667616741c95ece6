// Everyday work: find a topic, compare two messages, save and send messages, go somewhere by Ctrl-K, fill a pause from the
// history; and what a viewer is not offered.
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, logIn, openConsole, startConsoleBroker } from './open-console.ts';

describeWith(['chromium'], 'everyday work', () => {
  const resources = useResources();

  test('search, comparison, saved messages, Ctrl-K, a pause filled from the history', {
    timeout: 120_000,
  }, async () => {
    const broker = await startConsoleBroker(resources);
    const sensor = await connect(resources, broker, { clientId: 'capteur' });
    await sensor.publishAsync('maison/cave/climat', '{"t":12,"etat":"ok"}', { qos: 1, retain: true });
    await sensor.publishAsync('maison/toit/climat', '{"t":31,"etat":"chaud"}', { qos: 1, retain: true });
    const browser = await startBrowser(resources);
    const { page, base, faults } = await openConsole(resources, browser, broker);
    await logIn(page);

    const searches = [
      ['CAVE', 'substring', ['maison/cave/climat']],
      ['maison/+/climat', 'wildcard', ['maison/cave/climat', 'maison/toit/climat']],
      ['^maison/t.*t$', 'regex', ['maison/toit/climat']],
      ['"t":12', 'payload', ['maison/cave/climat']],
      ['$.t > 20', 'jsonpath', ['maison/toit/climat']],
    ] as const;
    for (const [q, mode, expected] of searches) {
      await page.goto(`${base}/#/topics?mode=${mode}&q=${encodeURIComponent(q)}`);
      let found: string[] = [];
      await waitFor(
        () => `what ${mode} ${q} finds; it found ${found.join()}`,
        async () => {
          found = await page
            .locator('.tree-row')
            .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-topic') ?? ''));
          return found.join() === expected.join();
        },
      );
    }

    // What changed between a held message and the newest.
    await page.goto(`${base}/#/topics?topic=maison%2Fcave%2Fclimat`);
    await page.getByRole('button', { name: 'Hold' }).click();
    await sensor.publishAsync('maison/cave/climat', '{"t":13,"etat":"ok","pile":0.4}', { qos: 1, retain: true });
    await page.getByText('2 messages').waitFor();
    await page.getByRole('button', { name: 'Compare with the newest' }).click();
    const rows = page.locator('.diff-table tbody tr');
    await rows.first().waitFor();
    expect(await rows.allTextContents()).toEqual(['$.t1213', '$.pile0.4']);
    await page.keyboard.press('Escape');

    // What each message of a stream has changed.
    await page.goto(`${base}/#/messages?filter=maison%2Ftoit%2F%2B&changes=1`);
    await page.getByText('Waiting for messages').waitFor();
    for (const t of [31, 32, 32]) await sensor.publishAsync('maison/toit/climat', `{"t":${t},"etat":"ok"}`, { qos: 1 });
    const streamed = page.locator('.stream .message-value');
    await waitFor('three messages', async () => (await streamed.count()) === 3);
    expect(await streamed.allTextContents()).toEqual(['{"t":31,"etat":"ok"}', 't: 31 → 32', 'unchanged']);

    // A saved message, sent from its collection.
    await page.goto(`${base}/#/messages?pane=publish&to=maison%2Flampe`);
    await page.getByLabel('Payload', { exact: true }).fill('allumée');
    await page.getByLabel('Retain').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('lumière');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'Saved' }).click();
    await page.getByText('lumière').waitFor();
    await page.getByRole('button', { name: 'Send all' }).click();
    await page.getByText('1 message sent').waitFor();

    // To a topic and to a client by name; the back button returns.
    await page.keyboard.press('Control+K');
    await page.getByRole('dialog').getByRole('combobox').fill('lampe');
    await page.getByRole('option', { name: /maison\/lampe/ }).click();
    await page.getByTestId('payload-text').getByText('allumée').waitFor();
    await page.goBack();
    await page.getByText('lumière').waitFor();

    await page.keyboard.press('Control+K');
    await page.getByRole('dialog').getByRole('combobox').fill('history_topic');
    await page.getByRole('option', { name: /^history_topic/ }).click();
    await page.locator('table.config tbody tr').filter({ hasText: 'maison/#' }).waitFor();
    expect(page.url()).toContain('option=history_topic');

    // More messages during a pause than a stream may send: the history has the others.
    await page.goto(`${base}/#/messages?filter=maison%2Fflot`);
    await page.getByText('Waiting for messages').waitFor();
    await sensor.publishAsync('maison/flot', 'avant', { qos: 1 });
    await page.getByRole('option', { name: /avant/ }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    for (let n = 0; n < 3000; n++) sensor.publish('maison/flot', `n${n}`);
    await sensor.publishAsync('maison/flot', 'la fin', { qos: 1 });
    await page.getByRole('button', { name: 'Resume' }).click();
    // How many gaps there are, and where, depends on how the burst fell into the seconds of the broker.
    const toGap = page.getByRole('button', { name: /not shown$/ });
    await toGap.waitFor();
    const missing = async (): Promise<string> => (await toGap.allTextContents()).join();
    let filled = 0;
    while ((await missing()) !== '') {
      await toGap.click();
      await page
        .getByRole('option', { name: /Get from the history/ })
        .first()
        .click();
      // What the history has not written yet leaves a smaller gap, or the same.
      await page
        .getByText(/messages? from the history/)
        .first()
        .waitFor();
      await page.locator('.toasts').getByRole('button', { name: 'Close' }).first().click();
      filled++;
    }
    await page.getByText(/^3,002 messages$/).waitFor();
    expect(filled).toBeGreaterThan(0);
    // In the order in which they came.
    await page.getByRole('listbox', { name: 'Messages' }).press('Home');
    const values = page.locator('.stream .message-value');
    await waitFor('the first of them', async () => (await values.nth(1).textContent()) === 'n0');
    expect((await values.allTextContents()).slice(0, 4)).toEqual(['avant', 'n0', 'n1', 'n2']);
    expect(faults).toEqual([]);
  });

  test('a viewer is offered nothing that changes anything', { timeout: 60_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    const sensor = await connect(resources, broker, { clientId: 'capteur' });
    await sensor.publishAsync('maison/lampe', 'allumée', { qos: 1, retain: true });
    const browser = await startBrowser(resources);
    const { page, base } = await openConsole(resources, browser, broker);
    await logIn(page, 'vera');
    await page.goto(`${base}/#/topics?pane=retained&topic=maison%2Flampe`);
    await page.getByTestId('payload-text').getByText('allumée').waitFor();
    await page.getByTestId('retained-count').getByText('1 retained message').waitFor();
    expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Publish' }).count()).toBe(0);
    await page.goto(`${base}/#/messages`);
    expect(await page.getByRole('tab').allTextContents()).toEqual(['Live', 'History']);
    await page.goto(`${base}/#/clients?client=capteur`);
    await page.getByTestId('client-detail').getByText('Keep Alive').waitFor();
    // A client whose connection broke: its session says why.
    const broken = await connect(resources, broker, {
      ...{ clientId: 'perdu', protocolVersion: 5, properties: { sessionExpiryInterval: 60 } },
    });
    broken.stream.destroy();
    await page.goto(`${base}/#/clients?client=perdu`);
    await page.getByTestId('client-detail').getByText('Last error').waitFor();
    await page.goto(`${base}/#/clients?client=capteur`);
    await page.getByTestId('client-detail').getByText('Keep Alive').waitFor();
    expect(await page.locator('.button.danger').count()).toBe(0);
    await page.goto(`${base}/#/settings`);
    expect(await page.getByRole('tab').allTextContents()).toEqual(['Console', 'Listeners']);
  });
});
