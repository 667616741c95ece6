// Every screen, in both languages, light and dark, wide and on a phone, as files to be looked at: test/console/shots/.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { connect, drawn, logIn, openConsole, settled, startConsoleBroker } from './open-console.ts';

const folder = join(repositoryRoot, 'test', 'console', 'shots');

const screens: Readonly<Record<string, string>> = {
  overview: '#/overview',
  topics: '#/topics?open=maison%0Amaison%2Fsalon&topic=maison%2Fsalon%2Fclimat',
  plot: '#/topics?open=maison%0Amaison%2Fsalon&topic=maison%2Fsalon%2Ftemperature&tab=plot&range=15m',
  retained: '#/topics?pane=retained',
  messages: '#/messages',
  publish: '#/messages?pane=publish&to=test%2Fval',
  saved: '#/messages?pane=saved',
  clients: '#/clients?client=salon-capteur',
  history: '#/messages?pane=history&filter=maison%2F%23',
  who: '#/clients?pane=who&who=maison%2Fsalon%2Ftemperature&match=maison%2F%23',
  settings: '#/settings',
  config: '#/settings?pane=config',
  audit: '#/settings?pane=audit',
  listeners: '#/settings?pane=listeners',
  tokens: '#/settings?pane=tokens',
};

async function fillHouse(house: MqttClient): Promise<void> {
  for (let turn = 0; turn < 40; turn++) {
    const degrees = 21 + Math.sin(turn / 5);
    house.publish('maison/salon/temperature', degrees.toFixed(2));
    house.publish('maison/cuisine/temperature', (degrees - 2).toFixed(2));
    house.publish('maison/salon/humidite', (45 + Math.cos(turn / 6) * 4).toFixed(1));
    await house.publishAsync(
      'maison/salon/climat',
      JSON.stringify({
        t: Number(degrees.toFixed(2)),
        h: 45,
        etat: 'ok',
        capteurs: [
          { id: 1, pile: 0.93 },
          { id: 2, pile: 0.41 },
        ],
      }),
      {
        qos: 1,
        retain: true,
        properties: { contentType: 'application/json', userProperties: { capteur: 'DHT22' } },
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  await house.publishAsync('maison/lampe', 'allumée', { qos: 1, retain: true });
  await house.publishAsync('maison/photo', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70]), {
    qos: 1,
    retain: true,
  });
  await house.publishAsync('test/val', 'Bonjour', { qos: 1 });
}

describeWith(['chromium'], 'screenshots', () => {
  const resources = useResources();

  test('are made of every screen', { timeout: 300_000 }, async () => {
    mkdirSync(folder, { recursive: true });
    const broker = await startConsoleBroker(resources);
    const house = await connect(resources, broker, { clientId: 'salon-capteur', protocolVersion: 5 });
    const phone = await connect(resources, broker, {
      clientId: 'téléphone de Léa',
      username: 'lea',
      protocolVersion: 4,
    });
    await phone.subscribeAsync(['maison/#', 'test/val'], { qos: 1 });
    await house.subscribeAsync('maison/lampe', { qos: 1 });
    await fillHouse(house);
    const browser = await startBrowser(resources);
    const forms = ['en-GB', 'fr-FR'].flatMap((locale) => [
      { name: 'wide', locale, viewport: { width: 1280, height: 800 } },
      { name: 'phone', locale, viewport: { width: 360, height: 740 } },
    ]);
    const problems: string[] = [];
    for (const form of forms) {
      const { page, base, faults, foreign } = await openConsole(resources, browser, broker, form);
      const take = async (name: string): Promise<void> => {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await drawn(page);
          const file = `${name}-${form.name}-${colorScheme}-${form.locale.slice(0, 2)}`;
          await page.screenshot({ path: join(folder, `${file}.png`) });
          // Nothing sticks out of a phone's screen.
          const isWide = await page.evaluate<boolean>('document.documentElement.scrollWidth > window.innerWidth');
          if (isWide) problems.push(`${file} is wider than the window`);
        }
      };
      await page.locator('input[name=username]').waitFor();
      await take('login');
      await logIn(page);
      for (const [name, link] of Object.entries(screens)) {
        await page.goto(`${base}/${link}`);
        await house.publishAsync('maison/salon/temperature', '21.5');
        await settled(page);
        await page.waitForTimeout(200);
        await take(name);
      }
      await page.goto(`${base}/help/${form.locale.slice(0, 2)}.html`);
      await take('guide');
      problems.push(...faults, ...foreign);
    }
    expect(problems).toEqual([]);
  });
});
