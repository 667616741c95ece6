/**
 * Texts in the user's language. A language is one file in languages/ with every key of English (a test checks it);
 * numbers, dates and plurals are the browser's `Intl`.
 */

import { computed, signal } from '@preact/signals';
import { texts as english } from './languages/en.ts';
import { remember, remembered } from './storage.ts';

/** A text, or one per plural form of `n`. `{name}` stands for a parameter. */
export type Text = string | { readonly [form in Intl.LDMLPluralRule]?: string };
export type TextKey = keyof typeof english;
/** What a file in languages/ exports. */
export type Texts = Readonly<Record<TextKey, Text>>;
export type TextParameters = Readonly<Record<string, string | number>>;

const code = signal('en');
const texts = signal<Texts>(english);

export const language = computed(() => code.value);

const plurals = computed(() => new Intl.PluralRules(code.value));
const numbers = computed(() => new Intl.NumberFormat(code.value, { maximumFractionDigits: 2 }));

/** The language asked for, the browser's, or English. */
export function preferredLanguage(): string {
  const wanted = [remembered('language') ?? '', ...navigator.languages].map((tag) => tag.split('-')[0] ?? '');
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? 'en';
}

/** Load a language and show it. @param chosen - by the user, so it is remembered */
export async function useLanguage(tag: string, chosen: boolean): Promise<void> {
  const loaded = tag === 'en' ? english : ((await import(`./languages/${tag}.ts`)) as { texts: Texts }).texts;
  texts.value = loaded;
  code.value = tag;
  document.documentElement.lang = tag;
  if (chosen) remember('language', tag);
}

/** A text of the interface. Numbers among the parameters are written as the language does; `n` chooses the plural. */
export function t(key: TextKey, parameters?: TextParameters): string {
  return fill(texts.value[key] ?? english[key], parameters, plurals.value, numbers.value);
}

/** Whether there is a text of this name. */
export const hasText = (key: string): key is TextKey => Object.hasOwn(english, key);

/** Puts parameters into a text. */
export function fill(
  text: Text,
  parameters: TextParameters | undefined,
  rules: Intl.PluralRules,
  format: Intl.NumberFormat,
): string {
  const n = parameters?.['n'];
  const chosen =
    typeof text === 'string' ? text : ((typeof n === 'number' ? text[rules.select(n)] : undefined) ?? text.other ?? '');
  if (parameters === undefined) return chosen;
  return chosen.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? format.format(value) : value;
  });
}
