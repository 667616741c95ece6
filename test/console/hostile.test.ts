// Whatever a stranger puts into a payload, a topic, a client id or a user name is text: nothing runs, nothing is asked of
// anybody, no policy is violated, and what is invisible is shown.
import { expect, test } from 'vitest';
import { startBrowser } from '../harness/browser.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { connect, logIn, openConsole, settled, startConsoleBroker } from './open-console.ts';

const vectors: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<svg><animate onbegin=alert(1) attributeName=x dur=1s>',
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<iframe src=javascript:alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '`${alert(1)}`',
  '{{constructor.constructor("alert(1)")()}}',
  '${7*7}',
  '<body onload=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<video><source onerror=alert(1)>',
  '<math><mtext></table><mglyph><style><img src=x onerror=alert(1)>',
  '<link rel=stylesheet href=http://evil.example/x.css>',
  '<base href=http://evil.example/>',
  '<meta http-equiv=refresh content="0;url=http://evil.example/">',
  '<form action=http://evil.example/><input name=q>',
  '<object data=http://evil.example/x.swf>',
  '<template><script>alert(1)</script></template>',
  '</textarea><script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '<!--><script>alert(1)</script>',
  '<style>@import "http://evil.example/x.css";</style>',
  '__proto__',
  'constructor',
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '=cmd|" /C calc"!A0',
  '@SUM(1+1)*cmd|" /C calc"!A0',
  'pay\u200bpal',
  '\u202egpj.exe',
  'a\u2066b\u2069c',
  '\ufeffBOM',
  'x\u00adsoft',
  '\u{e0041}tag',
  'line\u2028separator',
  '\u001b[2J\u001b[31mred',
];

/** A vector as a name: the broker refuses controls and wildcards in those. */
const nameOf = (vector: string): string => vector.replaceAll(/[\p{Cc}#+]/gu, '');
const topicOf = (vector: string): string => `load/${nameOf(vector)}`;

describeWith(['chromium'], 'hostile input', () => {
  const resources = useResources();

  test(`${vectors.length} vectors in payloads, topics, client ids, user names, properties and wills`, {
    timeout: 400_000,
  }, async () => {
    const broker = await startConsoleBroker(resources);
    for (const [index, vector] of vectors.entries()) {
      const client = await connect(resources, broker, {
        clientId: `${nameOf(vector)} ${index}`,
        username: nameOf(vector),
        protocolVersion: 5,
        will: { topic: topicOf(vector), payload: Buffer.from(vector), qos: 1, retain: false },
      });
      await client.publishAsync(topicOf(vector), vector, {
        qos: 1,
        retain: true,
        properties: { contentType: nameOf(vector), userProperties: { [nameOf(vector)]: nameOf(vector) } },
      });
    }
    const browser = await startBrowser(resources);
    const { page, base, faults, foreign } = await openConsole(resources, browser, broker);
    await logIn(page);
    await page.evaluate('globalThis.ran = 0; globalThis.alert = () => { globalThis.ran += 1; }');

    // Each in the inspector, with its payload, properties and publisher, then its client.
    const shown: string[] = [];
    for (const [index, vector] of vectors.entries()) {
      const topic = encodeURIComponent(topicOf(vector));
      await page.goto(`${base}/#/topics?topic=${topic}`);
      const view = page.locator('.message-view');
      await waitFor(`payload ${index}`, async () => ((await view.textContent().catch(() => '')) ?? '').includes('QoS'));
      shown.push((await view.textContent()) ?? '');
      await page.goto(`${base}/#/clients?client=${encodeURIComponent(`${nameOf(vector)} ${index}`)}`);
      await page.getByTestId('client-detail').getByText('Keep Alive').waitFor();
    }
    // The lists: tree, search, retained, stream, saved messages, history, clients, palette.
    await page.goto(`${base}/#/topics?open=load`);
    await page.getByRole('tree').waitFor();
    for (const link of [
      '#/topics?q=load&mode=substring',
      `#/topics?q=${encodeURIComponent('(a+)+$')}&mode=regex`,
      '#/topics?pane=retained',
      '#/messages?pane=history&filter=load%2F%23',
      '#/clients',
      '#/clients?pane=who&match=load%2F%23&who=load%2F__proto__',
      `#/topics?topic=${encodeURIComponent('<img src=x onerror=alert(1)>')}&tab=plot&series=${encodeURIComponent('<svg onload=alert(1)>\tx')}`,
      `#/messages?pane=publish&to=${encodeURIComponent('"><script>alert(1)</script>')}`,
      '#/topics?__proto__=x&constructor=y&topic=__proto__',
    ]) {
      await page.goto(`${base}/${link}`);
      await settled(page);
    }
    await page.keyboard.press('Control+K');
    await page.getByRole('dialog').getByRole('combobox').fill('<script>');
    await settled(page);

    expect(await page.evaluate('globalThis.ran')).toBe(0);
    expect(await page.evaluate('({}).polluted')).toBeUndefined();
    expect(
      await page.evaluate('document.querySelectorAll("iframe, object, embed, base, script:not([src])").length'),
    ).toBe(0);
    expect(faults).toEqual([]);
    expect(foreign).toEqual([]);

    // What is invisible is shown by name, and no mark that turns text around reaches the page.
    const invisible = [
      [34, 'ZWSP'],
      [35, 'RLO'],
      [36, 'LRI'],
      [37, 'BOM'],
      [38, 'SHY'],
      [39, 'U+E0041'],
      [40, 'LS'],
      [41, 'ESC'],
    ] as const;
    for (const [index, name] of invisible) expect(shown[index], vectors[index]).toContain(name);
    expect(shown.filter((text) => /[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u00ad]/.test(text))).toEqual([]);
    // And the others are there, letter by letter.
    for (const vector of vectors.slice(0, 31))
      expect(
        shown.some((text) => text.includes(vector)),
        vector,
      ).toBe(true);
  });
});
