import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fill, type Text, type Texts } from './i18n.ts';
import { texts as english } from './languages/en.ts';
import { texts as french } from './languages/fr.ts';

const codes = readdirSync(`${import.meta.dirname}/languages`)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => file.replace('.ts', ''));

const forms = (text: Text): readonly string[] => (typeof text === 'string' ? [text] : Object.values(text));
const parameters = (text: Text): string[] =>
  [...new Set(forms(text).flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')))].sort();

describe.each(codes)('language %s', (code) => {
  test('has every key of English and no other, each with a text and the same parameters', async () => {
    const { texts } = (await import(`./languages/${code}.ts`)) as { texts: Texts };
    expect(Object.keys(texts).sort()).toEqual(Object.keys(english).sort());
    for (const [key, text] of Object.entries(texts) as [keyof typeof english, Text][]) {
      expect(
        forms(text).filter((form) => form.trim() === ''),
        key,
      ).toEqual([]);
      expect(parameters(text), key).toEqual(parameters(english[key]));
    }
  });

  test('has every plural form that the language has', async () => {
    const { texts } = (await import(`./languages/${code}.ts`)) as { texts: Texts };
    const needed = [0, 1, 2, 5, 21].map((n) => new Intl.PluralRules(code).select(n));
    for (const [key, text] of Object.entries(texts) as [string, Text][]) {
      if (typeof text === 'string') continue;
      expect(
        needed.filter((form) => text[form] === undefined),
        key,
      ).toEqual([]);
    }
  });
});

test('French says no message in the singular', () => {
  const text = { one: '{n} message', other: '{n} messages' };
  const say = (n: number, code: string): string =>
    fill(text, { n }, new Intl.PluralRules(code), new Intl.NumberFormat(code));
  expect(say(0, 'fr')).toBe('0 message');
  expect(say(0, 'en')).toBe('0 messages');
  expect(say(12_345, 'fr')).toBe('12\u202f345 messages');
});

test('French does not break a line in front of its punctuation', () => {
  for (const [key, text] of Object.entries(french)) {
    const forms = typeof text === 'string' ? [text] : Object.values(text);
    for (const form of forms) expect([key, / [:;?!»](?=\W|$)|« /.test(form)]).toEqual([key, false]);
  }
});
