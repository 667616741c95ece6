import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationManPage, configurationMarkdown, describeOption } from './describe.ts';
import { option } from './option.ts';
import { optionNames, optionTable } from './options.ts';
import { integer } from './value-types.ts';

const root = new URL('../../', import.meta.url);

test.each([
  ['docs/configuration.md', configurationMarkdown],
  ['docs/man/moustique.conf.5', configurationManPage],
])('%s is what the table says (npx tsx scripts/generate-docs.ts writes it)', (path, make) => {
  expect(readFileSync(new URL(path, root), 'utf8')).toBe(make());
});

test('every option has a heading of its own', () => {
  const headings = configurationMarkdown()
    .split('\n')
    .filter((line) => line.startsWith('### '));
  const names = optionNames.map((name) => `### ${name}${optionTable[name]?.isPrefix === true ? 'KEY' : ''}`);
  expect(headings).toEqual(names);
});

test('every link of the page has its target', () => {
  const page = configurationMarkdown();
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text.toLowerCase().replaceAll('.', '').replaceAll(' ', '-'),
  );
  const targets = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(new Set(headings).size).toBe(headings.length);
  expect(targets.filter((target) => !headings.includes(target ?? ''))).toEqual([]);
});

test('a row in words', () => {
  const row = option({
    scope: 'listener',
    type: integer({ min: 0, max: 9 }),
    default: 4,
    unit: 's',
    reload: 'new-connections',
    doc: 'An example.',
    aliases: ['sample'],
    since: '2.1',
    deprecated: { instead: 'Use another.' },
    unsupported: { why: 'it is an example' },
  });
  expect(describeOption('example', row)).toEqual({
    name: 'example',
    aliases: ['sample'],
    scope: 'listener',
    value: 'integer 0..9 (s)',
    default: '4',
    reload: 'new connections',
    status: 'deprecated (Use another.); refused: it is an example; since Mosquitto 2.1',
    doc: 'An example.',
  });
});

test('the man page has no line that roff would take for a command of its own', () => {
  const commands = ['.\\"', '.TH', '.SH', '.B', '.I', '.IP', '.TP', '.BR', '.RS', '.RE', '.PP'];
  const lines = configurationManPage()
    .split('\n')
    .filter((line) => /^[.']/.test(line));
  expect(lines.filter((line) => !commands.includes(line.split(' ')[0] ?? ''))).toEqual([]);
});
