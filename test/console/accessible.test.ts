// No violation that axe knows, on every screen, in light wide and in dark on a phone; dialogs included.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { connect, logIn, openConsole, settled, startConsoleBroker } from './open-console.ts';
import { fillHour } from './stored-numbers.ts';

const axe = readFileSync(join(repositoryRoot, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');

const views = [
  '#/overview',
  '#/topics?open=maison&topic=maison%2Fclimat',
  '#/topics?topic=maison%2Fclimat&tab=stream',
  '#/topics?topic=maison%2Fsalon%2Ftemperature&tab=plot',
  '#/topics?topic=maison%2Fclimat&tab=who',
  '#/topics?q=maison&topic=maison%2Fbytes',
  '#/topics?pane=retained',
  '#/messages',
  '#/messages?pane=history',
  '#/messages?pane=publish&to=maison%2Flampe',
  '#/messages?pane=saved',
  '#/clients?client=capteur',
  '#/clients?pane=who&who=maison%2Fclimat&match=%23',
  '#/clients?pane=bans',
  '#/settings',
  '#/settings?pane=config',
  '#/settings?pane=listeners',
  '#/settings?pane=tokens',
  '#/settings?pane=audit',
] as const;

/** What axe finds, one line each. */
async function violations(page: Page): Promise<string[]> {
  const found = await page.evaluate<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then((results) => results.violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary.replaceAll('\n', ' ').slice(0, 200)}`),
  );
}

describeWith(['chromium'], 'accessibility', () => {
  const resources = useResources();

  test('axe finds nothing on any screen, light and wide, dark and narrow', { timeout: 400_000 }, async () => {
    const broker = await startConsoleBroker(resources, { before: fillHour });
    const sensor = await connect(resources, broker, { clientId: 'capteur', protocolVersion: 5 });
    await sensor.subscribeAsync('maison/#');
    const json = JSON.stringify({ t: 21.5, etat: 'ok', liste: [1, 2] });
    await sensor.publishAsync('maison/climat', json, {
      retain: true,
      qos: 1,
      properties: { contentType: 'application/json' },
    });
    await sensor.publishAsync('maison/bytes', Buffer.from([0, 1, 2, 255]), { retain: true, qos: 1 });
    const browser = await startBrowser(resources);
    const found: string[] = [];
    for (const form of [
      { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
      { colorScheme: 'dark', viewport: { width: 360, height: 740 }, locale: 'fr-FR' },
    ] as const) {
      const { page, base } = await openConsole(resources, browser, broker, form);
      const look = async (what: string): Promise<void> => {
        found.push(
          ...(await violations(page)).map((line) => `${form.colorScheme} ${form.viewport.width} ${what}: ${line}`),
        );
      };
      await page.evaluate(axe);
      await page.locator('input[name=username]').waitFor();
      await look('login');
      await page.goto(`${base}/#/overview?other=1`);
      await page.getByTestId('connect-other').waitFor();
      await look('another broker');
      await page.goto(`${base}/#/overview`);
      await logIn(page);
      for (const view of views) {
        await page.goto(`${base}/${view}`);
        await settled(page);
        await look(view);
      }
      await page.keyboard.press('Control+K');
      await page.getByRole('dialog').getByRole('combobox').fill('mai');
      await page
        .getByRole('listbox')
        .getByRole('option', { name: /maison/ })
        .first()
        .waitFor();
      await look('palette');
      await page.keyboard.press('Escape');
      await page.goto(`${base}/#/clients?client=capteur`);
      await page.getByTestId('client-detail').locator('.button.danger').last().click();
      await page.getByTestId('kick-confirm').waitFor();
      await look('ban dialog');
      const [link] = await page.locator('a[href^="help/"]').all();
      await page.goto(`${base}/${await link?.getAttribute('href')}`);
      await page.getByRole('heading', { name: 'locale' in form ? 'La console web' : 'The web console' }).waitFor();
      await page.evaluate(axe);
      await look('guide');
    }
    expect(found).toEqual([]);
  });
});
