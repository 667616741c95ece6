/** Light or dark: the system's choice unless the user made one. Styles read `data-theme` of the root element. */

import { computed, effect, signal } from '@preact/signals';
import { remember, remembered } from './storage.ts';

export const themeChoices = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof themeChoices)[number];

const dark = window.matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches;
});

export const themeChoice = signal<ThemeChoice>(
  themeChoices.find((choice) => choice === remembered('theme')) ?? 'system',
);

/** What is drawn. */
export const theme = computed<'light' | 'dark'>(() =>
  themeChoice.value === 'system' ? (systemIsDark.value ? 'dark' : 'light') : themeChoice.value,
);

export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  remember('theme', choice === 'system' ? null : choice);
}

export function followTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}

/** Theme and name → colour. Asking the style sheet makes the browser lay out what has changed, so it is asked once. */
const colours = new Map<string, string>();

/** A colour of the style sheet, for what is drawn on a canvas. */
export function colour(name: string): string {
  const key = `${theme.value} ${name}`;
  let found = colours.get(key);
  if (found === undefined) {
    found = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    colours.set(key, found);
  }
  return found;
}
