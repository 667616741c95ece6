import { expect, test } from 'vitest';
import { expandTemplate, hasVariables, type TemplateSources } from './template.ts';

let counter = 0;
const sources: TemplateSources = {
  nowMs: () => 1_700_000_000_000,
  counter: () => ++counter,
  random: () => 0.5,
  uuid: () => 'an-uuid',
  last: (topic) => Promise.resolve(topic === 'a b/c' ? '{"t":[{"x y":"warm"},2]}' : undefined),
};

test.each([
  ['{{now}}', '1700000000000'],
  ['{{ iso }}', '2023-11-14T22:13:20.000Z'],
  ['{{uuid}}', 'an-uuid'],
  ['{{random 1 3}}', '2'],
  ['{{random}}', '50'],
  ['{{random 0.0 1.5}}', '0.750'],
  ['{{last a b/c $.t[1]}}', '2'],
  ['{"id":"{{uuid}}"}', '{"id":"an-uuid"}'],
  ['{{unknown}} {not} {{', '{{unknown}} {not} {{'],
])('%s becomes %s', async (text, expanded) => {
  expect(await expandTemplate(text, sources)).toBe(expanded);
});

test('a counter counts, also twice in one text', async () => {
  counter = 0;
  expect(await expandTemplate('{{counter}} {{counter}}', sources)).toBe('1 2');
});

test('a topic without a message says so', async () => {
  await expect(expandTemplate('{{last x/y $.t}}', sources)).rejects.toThrow('no message');
  await expect(expandTemplate('{{last a b/c $.u}}', sources)).rejects.toThrow('no value');
});

test('whether there are variables', () => {
  expect(hasVariables('{{now}}')).toBe(true);
  expect(hasVariables('{ "a": {} }')).toBe(false);
});
