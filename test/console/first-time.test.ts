// What a first-time user does, from the link in the log on: wide with a mouse, on a phone, and by keyboard alone.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { type Hands, keyboardHands, mouseHands } from './hands.ts';
import { connect, firstLink, openConsole, password, startConsoleBroker } from './open-console.ts';
import { fillHour } from './stored-numbers.ts';

interface Way {
  readonly name: string;
  readonly viewport: { width: number; height: number };
  readonly hands: (page: Page) => Hands;
}

const ways: readonly Way[] = [
  { name: 'with a mouse', viewport: { width: 1280, height: 800 }, hands: mouseHands },
  { name: 'on a phone, 360 pixels wide', viewport: { width: 360, height: 740 }, hands: mouseHands },
  { name: 'by keyboard alone', viewport: { width: 1280, height: 800 }, hands: keyboardHands },
];

describeWith(['chromium'], 'a first-time user', () => {
  const resources = useResources();

  test.each(ways)('$name', { timeout: 400_000 }, async ({ viewport, hands: take }) => {
    const broker = await startConsoleBroker(resources, { hasUsers: false, before: fillHour });
    const sensor = await connect(resources, broker, { clientId: 'capteur' });
    const browser = await startBrowser(resources);
    const opened = await openConsole(resources, browser, broker, { viewport });
    const { page, base } = opened;
    const hands = take(page);

    // Without an account there is nothing to see but where the link is.
    await page.getByText('This broker has no administrator yet').waitFor();
    await setPassword(page, hands, await firstLink(broker, base));
    await seeBonjour(page, hands, sensor);
    await publishFromForm(resources, page, hands, broker);
    await kickClient(page, hands, () => sensor.connected);
    await deleteAndUndo(page, hands, broker, resources);
    await plotAnHour(page, hands);
    await changeLanguageAndTheme(page, hands);
    expect(opened.faults).toEqual([]);
    expect(opened.foreign).toEqual([]);
  });
});

async function setPassword(page: Page, hands: Hands, link: string): Promise<void> {
  await page.goto(link);
  await hands.fill(page.getByLabel('Password', { exact: true }), password);
  await hands.fill(page.getByLabel('Password, once more'), password);
  await hands.press(page.getByRole('button', { name: 'Set the password and enter' }));
  await page.getByRole('navigation', { name: 'Screens' }).waitFor();
}

async function seeBonjour(page: Page, hands: Hands, sensor: Awaited<ReturnType<typeof connect>>): Promise<void> {
  await hands.press(page.getByRole('link', { name: 'Topics', exact: true }));
  await page.getByRole('tree').waitFor();
  await sensor.publishAsync('test/val', 'Bonjour', { qos: 1 });
  const node = page.getByRole('treeitem', { name: /^test ?, 1 topic below/ });
  // A tree that stands shows what is new only when asked to; an empty one shows it at once.
  const offer = page.getByTestId('new-topics');
  await waitFor(
    'the new topic to be offered or shown',
    async () => (await offer.isVisible()) || (await node.isVisible()),
  );
  if (!(await node.isVisible())) await hands.press(offer);
  await node.waitFor();
  // So small a tree opens by itself.
  const row = page.getByRole('treeitem', { name: /^val ?, Bonjour/ });
  await row.waitFor();
  await hands.turn(node);
  await row.waitFor({ state: 'detached' });
  await hands.turn(node);
  await row.waitFor();
  await sensor.publishAsync('test/val', 'Bonjour encore', { qos: 1 });
  await page.getByRole('treeitem', { name: /^val ?, Bonjour encore/ }).waitFor();
  await hands.choose(page.getByRole('treeitem', { name: /^val ?, Bonjour encore/ }));
  await page.getByTestId('payload-text').getByText('Bonjour encore').waitFor();
  expect(page.url()).toContain('topic=test%2Fval');
}

async function publishFromForm(
  resources: Resources,
  page: Page,
  hands: Hands,
  broker: Awaited<ReturnType<typeof startConsoleBroker>>,
): Promise<void> {
  const listener = await connect(resources, broker, { clientId: 'oreille', protocolVersion: 5 });
  await listener.subscribeAsync('maison/lampe', { qos: 2 });
  const heard: { text: string; retain: boolean; user: unknown }[] = [];
  listener.on('message', (_, payload, packet) =>
    heard.push({ text: payload.toString(), retain: packet.retain, user: packet.properties?.userProperties }),
  );
  await hands.press(page.getByRole('link', { name: 'Messages', exact: true }));
  await hands.press(page.getByRole('tab', { name: 'Publish' }));
  await hands.fill(page.getByLabel('Topic', { exact: true }), 'maison/lampe');
  await hands.fill(page.getByLabel('Payload', { exact: true }), 'allumée {{counter}}');
  await hands.press(page.getByText('MQTT 5.0 properties'));
  await hands.fill(page.getByLabel('User Properties'), 'qui=console');
  await page.getByText('1 subscription would get it').waitFor();
  await hands.press(page.getByTestId('publish-send'));
  await page.getByText('Sent to 1 subscription').waitFor();
  await page.getByText('Reason Code 0x00').waitFor();
  await waitFor('the published message', () => heard.length > 0);
  expect(heard).toEqual([{ text: 'allumée 1', retain: false, user: { qui: 'console' } }]);
}

async function kickClient(page: Page, hands: Hands, isConnected: () => boolean): Promise<void> {
  await hands.press(page.getByRole('link', { name: 'Clients', exact: true }));
  await hands.choose(page.getByRole('option', { name: /^capteur/ }));
  await hands.press(page.getByTestId('client-detail').getByRole('button', { name: 'Disconnect' }));
  await hands.press(page.getByTestId('kick-confirm'));
  await page.getByText('Disconnected', { exact: true }).waitFor();
  await waitFor('the client to be gone', () => !isConnected());
}

async function deleteAndUndo(
  page: Page,
  hands: Hands,
  broker: Awaited<ReturnType<typeof startConsoleBroker>>,
  resources: Resources,
): Promise<void> {
  const keeper = await connect(resources, broker, { clientId: 'gardien' });
  for (const name of ['a', 'b', 'c']) await keeper.publishAsync(`garde/${name}`, name, { qos: 1, retain: true });
  await keeper.publishAsync('ailleurs', 'reste', { qos: 1, retain: true });
  await hands.press(page.getByRole('link', { name: 'Topics', exact: true }));
  await hands.press(page.getByRole('tab', { name: 'Retained' }));
  await page.getByRole('option', { name: /garde\/b/ }).waitFor();
  await hands.fill(page.getByLabel('Topic Filter', { exact: true }), 'garde/#');
  await page.getByTestId('retained-count').getByText('3 retained messages').waitFor();
  await hands.press(page.getByRole('button', { name: 'Delete …' }));
  await page.getByTestId('delete-count').getByText('3 retained messages').waitFor();
  await hands.press(page.getByTestId('delete-confirm'));
  await page.getByTestId('retained-count').getByText('0 retained messages').waitFor();
  await hands.press(page.getByTestId('retained-undo').first());
  await page.getByTestId('retained-count').getByText('3 retained messages').waitFor();
}

async function plotAnHour(page: Page, hands: Hands): Promise<void> {
  await page.goto(`${page.url().split('#')[0]}#/topics?topic=maison%2Fsalon%2Ftemperature`);
  await hands.press(page.getByRole('tab', { name: 'History' }));
  const plot = page.getByTestId('plot');
  const points = async (): Promise<number> => Number(await plot.getAttribute('data-points'));
  await waitFor('an hour of points', async () => (await plot.isVisible()) && (await points()) >= 45);
  const before = page.url();
  await hands.zoom(page);
  await waitFor('fewer points after zooming', async () => page.url() !== before && (await points()) < 45);
  expect(await points()).toBeGreaterThan(0);

  const download = page.waitForEvent('download');
  await hands.press(page.getByTestId('plot-csv'));
  const lines = readFileSync(await (await download).path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  expect(lines[0]).toBe('time,maison/salon/temperature,maison/salon/temperature min,maison/salon/temperature max');
  expect(lines.length - 1).toBeGreaterThanOrEqual(await points());
  expect(lines[1]).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z,\d+(?:\.\d+)?,/);
  await page.goBack();
  await waitFor('the whole hour again', async () => (await points()) >= 45);
}

async function changeLanguageAndTheme(page: Page, hands: Hands): Promise<void> {
  await hands.press(page.getByRole('link', { name: 'Settings', exact: true }));
  await hands.select(page.getByTestId('language'), 'fr');
  await page.getByRole('link', { name: 'Réglages', exact: true }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('fr');
  const light = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  await hands.select(page.getByTestId('theme'), 'dark');
  await waitFor(
    'the dark theme',
    async () => (await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')) !== light,
  );
  // Both are remembered.
  await page.reload();
  await page.getByRole('link', { name: 'Réglages', exact: true }).waitFor();
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
}
