// The installed console: it has what a browser asks of an application, starts without network, and says so.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startBrowser, startProfile } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { logIn, openConsole, startConsoleBroker } from './open-console.ts';

interface Manifest {
  readonly name: string;
  readonly display: string;
  readonly start_url: string;
  readonly icons: readonly {
    readonly src: string;
    readonly sizes: string;
    readonly type: string;
    readonly purpose?: string;
  }[];
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

    expect(manifest.icons.some(({ purpose }) => purpose === 'maskable')).toBe(true);
    for (const selector of [
      'meta[name=viewport]',
      'meta[name=theme-color]',
      'link[rel=apple-touch-icon]',
      'html[lang]',
    ]) {
      expect(await page.locator(selector).count(), selector).toBe(1);
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

  test('lacks nothing that Chromium asks of what it installs', { timeout: 120_000 }, async () => {
    const broker = await startConsoleBroker(resources);
    // A profile on disk: in a window that keeps nothing, nothing can be installed.
    const profile = mkdtempSync(join(tmpdir(), 'moustique-profile-'));
    const context = await startProfile(profile);
    resources.add({ close: () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 }) });
    resources.add(context);
    const [page = await context.newPage()] = context.pages();
    await page.goto(`http://127.0.0.1:${broker.port('http')}`);
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    const session = await context.newCDPSession(page);
    const { errors } = await session.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    expect(installabilityErrors).toEqual([]);
  });
});
