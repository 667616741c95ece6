// The installed console: it has what a browser asks of an application, starts without network, and says so.
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { logIn, openConsole, startConsoleBroker } from './open-console.ts';

interface Manifest {
  readonly name: string;
  readonly display: string;
  readonly start_url: string;
  readonly icons: readonly { readonly src: string; readonly sizes: string; readonly type: string }[];
}

describeWith(['chromium'], 'the installed console', () => {
  const resources = useResources();

  test('can be installed, and its shell starts offline', { timeout: 120_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    const browser = await startBrowser(resources);
    const { page, base, context, faults } = await openConsole(resources, browser, broker);

    const manifest = (await (await fetch(`${base}/manifest.webmanifest`)).json()) as Manifest;
    expect(manifest).toMatchObject({ name: 'Moustique console', display: 'standalone', start_url: './' });
    expect(manifest.icons.map((icon) => icon.sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']));
    for (const icon of manifest.icons) {
      const answer = await fetch(`${base}/${icon.src}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, icon.type]);
    }

    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    await page.reload();
    await waitFor('the service worker to be in charge', () =>
      page.evaluate<boolean>('navigator.serviceWorker.controller !== null'),
    );
    await logIn(page);
    await context.setOffline(true);
    await page.getByText('There is no network').waitFor();
    await broker.stop();
    await page.reload();
    await page.getByRole('heading', { name: 'No broker answers' }).waitFor();
    expect(faults.filter((fault) => !/Failed to load|WebSocket connection/.test(fault))).toEqual([]);

    // With network and broker it goes on.
    await context.setOffline(false);
    await broker.start();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('input[name=username]').waitFor();
  });
});
