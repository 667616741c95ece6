import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { programPath } from './programs.ts';
import { repositoryRoot } from './repository.ts';
import type { Resources } from './resources.ts';

/** Debian's Chromium without a window, without sandbox (containers have none) and without a network of its own. */
const options = () => ({
  executablePath: programPath('chromium'),
  headless: true,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

export async function startBrowser(resources: Resources): Promise<Browser> {
  return resources.add(await chromium.launch(options()));
}

/** A browser that remembers, as people have it. @param folder - where; the caller closes the context, then removes it */
export const startProfile = (folder: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, options());

/**
 * Open a page that has loaded JavaScript files of the repository (or of node_modules), served from this machine.
 *
 * @param scripts - paths from the repository's root, loaded in this order
 */
export async function openPage(resources: Resources, browser: Browser, scripts: readonly string[]): Promise<Page> {
  const tags = scripts.map((_, index) => `<script src="/${index}.js"></script>`).join('');
  const server = createServer((request, response) => {
    const script = scripts[Number(/^\/(\d+)\.js$/.exec(request.url ?? '')?.[1] ?? -1)];
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script === undefined ? `<!doctype html>${tags}` : readFileSync(join(repositoryRoot, script)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.add({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return page;
}
