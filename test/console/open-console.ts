/** The console in Chromium, with everything a test wants to know of what the page tried. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { prepareBroker, type TestBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { linkToken, passwordFile } from '../http/console-client.ts';

export const password = 'correct horse';

export interface ConsoleBrokerOptions {
  /** Whether vera, otto and ada exist, as viewer, operator and admin; otherwise it is a first start. */
  readonly hasUsers?: boolean;
  readonly config?: readonly string[];
  /** Runs before the broker does. */
  readonly before?: (broker: TestBroker) => Promise<void>;
}

/** A broker with MQTT, WebSockets, the console and a history of everything below `maison` and `load`. */
export async function startConsoleBroker(
  resources: Resources,
  options: ConsoleBrokerOptions = {},
): Promise<TestBroker> {
  const hasUsers = options.hasUsers ?? true;
  const broker = await prepareBroker(resources, 'moustique', {
    config: [
      'per_listener_settings true',
      ...['persistence true', 'persistence_location {dir}/'],
      ...['history_topic maison/# keep 30 days', 'history_topic load/# keep 1 days', 'history_write_interval 100'],
      ...(hasUsers ? ['http_role viewer vera', 'http_role operator otto', 'http_role admin ada'] : []),
      ...(options.config ?? []),
      ...['listener {port} 127.0.0.1', 'allow_anonymous true'],
      ...['listener {ws} 127.0.0.1', 'protocol websockets', 'allow_anonymous true'],
      ...['listener {http} 127.0.0.1', 'protocol http_api'],
      ...(hasUsers ? ['password_file {dir}/passwd'] : []),
    ],
    files: hasUsers ? { passwd: await passwordFile() } : {},
  });
  await options.before?.(broker);
  await broker.start();
  return broker;
}

export interface OpenOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly locale?: string;
  readonly colorScheme?: 'light' | 'dark';
}

export interface OpenConsole {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly base: string;
  /** Requests to anything but this broker; each was blocked. */
  readonly foreign: string[];
  /** Violations of the content security policy, errors of scripts, and dialogs, of which there should be none. */
  readonly faults: string[];
}

/** A page of its own context, at the console's first page. @param otherPorts - of brokers it may talk to as well */
export async function openConsole(
  resources: Resources,
  browser: Browser,
  broker: TestBroker,
  options: OpenOptions = {},
  otherPorts: readonly number[] = [],
): Promise<OpenConsole> {
  const context = await browser.newContext({
    viewport: options.viewport ?? { width: 1280, height: 800 },
    locale: options.locale ?? 'en-GB',
    timezoneId: 'Europe/Paris',
    colorScheme: options.colorScheme ?? 'light',
    acceptDownloads: true,
  });
  resources.add(context);
  const base = `http://127.0.0.1:${broker.port('http')}`;
  const foreign: string[] = [];
  const faults: string[] = [];
  const ports = [broker.port('http'), broker.port('ws'), ...otherPorts];
  const ours = new Set(ports.map((port) => `127.0.0.1:${port}`));
  await context.route(
    (url) => !ours.has(url.host) && url.protocol !== 'blob:' && url.protocol !== 'data:',
    async (route) => {
      foreign.push(route.request().url());
      await route.abort();
    },
  );
  await context.addInitScript(`
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error('CSP report: ' + event.violatedDirective + ' ' + event.blockedURI));
  `);
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d|net::ERR/.test(message.text())) faults.push(message.text());
  });
  page.on('websocket', (socket) => {
    if (!ours.has(new URL(socket.url()).host)) foreign.push(socket.url());
  });
  await page.goto(base);
  return { context, page, base, foreign, faults };
}

/** Log in as ada, the administrator, through the form. */
export async function logIn(page: Page, name = 'ada'): Promise<void> {
  await page.locator('input[name=username]').fill(name);
  await page.locator('input[name=password]').fill(`${name}-secret`);
  await page.locator('button[type=submit]').click();
  await page.locator('.shell').waitFor();
}

/** The link of the broker's log. */
export const firstLink = async (broker: TestBroker, base: string): Promise<string> =>
  `${base}/#/welcome?token=${await linkToken(broker)}`;

/** A client of the broker, closed with the test. */
export async function connect(
  resources: Resources,
  broker: TestBroker,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port()}`, { reconnectPeriod: 0, ...options });
  resources.add({ close: () => client.endAsync(true) });
  return client;
}

/** Until the screen has what it asked the broker for, and has drawn it. */
export async function settled(page: Page): Promise<void> {
  await waitFor('what was asked for', async () => !/Loading …|Chargement…/.test(await page.innerText('body')));
  await drawn(page);
}

/** Until what was just done is in the page. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
}
