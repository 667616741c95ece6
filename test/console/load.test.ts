// A busy broker in the console: 10,000 messages a second over 10,000 topics, then many topics at once. With npm test a short
// look that nothing is lost; MOUSTIQUE_CONSOLE_LOAD=300 runs it so many seconds, with 1,000,000 topics, and asserts times.
import { connect as connectSocket, type Socket } from 'node:net';
import type { CDPSession, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { type Resources, useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { logIn, openConsole, startConsoleBroker } from './open-console.ts';

const seconds = Number(process.env['MOUSTIQUE_CONSOLE_LOAD'] ?? 0);
const isMeasured = seconds > 0;
const topics = 10_000;
const perSecond = 10_000;

/** PUBLISH with QoS 0: type, Remaining Length (below 128), topic, payload. */
function publishPacket(topic: string, payload: string, retain: boolean): Buffer {
  const name = Buffer.from(topic);
  const head = Buffer.from([retain ? 0x31 : 0x30, 2 + name.length + Buffer.byteLength(payload), 0, name.length]);
  return Buffer.concat([head, name, Buffer.from(payload)]);
}

async function openPublisher(resources: Resources, port: number): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1');
  resources.add({ close: () => void socket.destroy() });
  socket.resume();
  // CONNECT of 3.1.1: clean session, no keep alive, Client Identifier "load".
  socket.write(Buffer.from([0x10, 16, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 4, 108, 111, 97, 100]));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** Publishes a counter to each topic once a second, a fiftieth of them every 20 ms, until the test ends. */
async function publishForEver(resources: Resources, port: number): Promise<void> {
  const socket = await openPublisher(resources, port);
  let sent = 0;
  const start = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
    const packets: Buffer[] = [];
    for (; sent < due && packets.length < perSecond; sent++) {
      const topic = sent % topics;
      packets.push(
        publishPacket(`load/${Math.floor(topic / 100)}/${topic % 100}`, String(Math.floor(sent / topics)), false),
      );
    }
    if (packets.length > 0 && socket.writableLength < 4_000_000) socket.write(Buffer.concat(packets));
  }, 20);
  resources.add({ close: () => clearInterval(timer) });
}

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find((metric) => metric.name === 'JSHeapUsedSize')?.value ?? 0;
}

const longTasks = (page: Page): Promise<number[]> => page.evaluate<number[]>('globalThis.longTasks');

/** Text of the rows of a stream, in order. */
const streamValues = (page: Page): Promise<string[]> => page.locator('.stream .message-value').allTextContents();

describeWith(['chromium'], 'a busy broker', () => {
  const resources = useResources();

  test(`${perSecond} messages a second over ${topics} topics`, { timeout: 120_000 + seconds * 1500 }, async () => {
    const broker = await startConsoleBroker(resources);
    const browser = await startBrowser(resources);
    const { page, base, context, faults } = await openConsole(resources, browser, broker);
    await context.addInitScript(`
      globalThis.longTasks = [];
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) longTasks.push(Math.round(entry.duration)); })
        .observe({ entryTypes: ['longtask'] });
    `);
    await logIn(page);
    await publishForEver(resources, broker.port());
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');

    // One topic of the ten thousand: a pause of some seconds loses nothing.
    await page.goto(`${base}/#/topics?topic=load%2F7%2F7&tab=stream`);
    await page.reload();
    await waitFor('values of one topic', async () => (await streamValues(page)).length >= 2);
    await page.getByRole('button', { name: 'Pause' }).click();
    // What was on its way when the button was pressed may still come.
    await page.waitForTimeout(1000);
    const before = await streamValues(page);
    await page.waitForTimeout(3000);
    expect(await streamValues(page)).toEqual(before);
    await page.getByRole('button', { name: 'Resume' }).click();
    await waitFor('what came meanwhile', async () => (await streamValues(page)).length >= before.length + 3);
    const values = (await streamValues(page)).map(Number);
    expect(values).toEqual(values.map((_, index) => (values[0] ?? 0) + index));

    // All of them, in the tree: open the node, walk through it, and keep looking.
    await page.goto(`${base}/#/topics?open=load%0Aload%2F0`);
    await page.reload();
    const tree = page.getByRole('tree');
    await tree.waitFor();
    await page.locator('[data-topic="load/0/0"]').waitFor();
    await page.evaluate('longTasks.length = 0');
    const atStart = await heapBytes(session);
    const rounds = isMeasured ? Math.ceil(seconds / 5) : 2;
    const heaps: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await tree.hover();
      for (let step = 0; step < 10; step++) {
        await page.mouse.wheel(0, round % 2 === 0 ? 300 : -300);
        await page.waitForTimeout(isMeasured ? 480 : 100);
      }
      heaps.push(await heapBytes(session));
    }
    const value = page.locator('.tree-row .tree-value').first();
    const old = await value.textContent();
    await waitFor('a value to change', async () => (await value.textContent()) !== old);
    const tasks = await longTasks(page);
    const tail = heaps.slice(Math.min(heaps.length - 1, Math.ceil(60 / 5)));
    const growth = (tail.at(-1) ?? 0) - (tail[0] ?? 0);
    console.log(
      `long tasks: ${tasks.length}, longest ${Math.max(0, ...tasks)} ms; heap ${(atStart / 1e6).toFixed(1)} MB → ` +
        `${((heaps.at(-1) ?? 0) / 1e6).toFixed(1)} MB, after the first minute ${(growth / 1e6).toFixed(2)} MB`,
    );
    expect(faults).toEqual([]);
    if (isMeasured) {
      expect(Math.max(0, ...tasks)).toBeLessThanOrEqual(100);
      expect(growth).toBeLessThan(5e6);
    }
  });

  test('many topics: the first paint and opening a node do not wait for them', { timeout: 300_000 }, async () => {
    const many = isMeasured ? 1_000_000 : 20_000;
    const broker = await startConsoleBroker(resources);
    const socket = await openPublisher(resources, broker.port());
    for (let start = 0; start < many; start += 1000) {
      const packets = Array.from({ length: Math.min(1000, many - start) }, (_, index) => {
        const n = start + index;
        return publishPacket(`m/${n % 1000}/${Math.floor(n / 1000)}`, String(n), true);
      });
      if (!socket.write(Buffer.concat(packets))) await new Promise((resolve) => socket.once('drain', resolve));
    }
    // PINGREQ: its answer comes when everything before it was taken.
    socket.write(Buffer.from([0xc0, 0]));
    await new Promise((resolve) => socket.once('data', resolve));
    const browser = await startBrowser(resources);
    const { page, base } = await openConsole(resources, browser, broker);
    await logIn(page);
    await page.goto(`${base}/#/topics`);
    const first = await timed(async () => {
      await page.reload();
      await page.locator('[data-topic="m"]').waitFor();
    });
    const topmost = await expandTime(page, 'm', 'm/0');
    const inner = await expandTime(page, 'm/0', 'm/0/0');
    console.log(
      `${many} topics: first paint ${first} ms, opening 1,000 nodes ${topmost} ms, opening one of them ${inner} ms`,
    );
    await waitFor('all topics to be counted', async () =>
      (await page.locator('[data-topic="m"] .for-reader').first().textContent())?.includes(
        many.toLocaleString('en-GB'),
      ),
    ).catch(() => undefined);
    if (isMeasured) {
      expect(first).toBeLessThan(1000);
      expect(Math.max(topmost, inner)).toBeLessThan(150);
    }
  });
});

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start);
}

/** From the click to the first child in the page, as the page itself sees it. */
async function expandTime(page: Page, topic: string, child: string): Promise<number> {
  const row = page.locator(`[data-topic="${topic}"]`);
  await row.waitFor();
  // A small tree has opened by itself.
  if ((await row.getAttribute('aria-expanded')) === 'true') await row.locator('.twist').click();
  await page.locator(`[data-topic="${child}"]`).waitFor({ state: 'detached' });
  return await page.evaluate<number>(`new Promise((resolve) => {
    const start = performance.now();
    const seen = new MutationObserver(() => {
      if (document.querySelector('[data-topic="${child}"]') === null) return;
      seen.disconnect();
      resolve(Math.round(performance.now() - start));
    });
    seen.observe(document.body, { subtree: true, childList: true, attributes: true });
    document.querySelector('[data-topic="${topic}"] .twist').click();
  })`);
}
