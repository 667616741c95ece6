import { expect, test } from 'vitest';
import { spellInvisible, splitInvisible } from './invisible.ts';

test.each([
  ['a\u200bb', 'a⟨ZWSP⟩b'],
  ['\u202egpj.exe', '⟨RLO⟩gpj.exe'],
  ['\u2066x\u2069', '⟨LRI⟩x⟨PDI⟩'],
  ['\u0000', '⟨NUL⟩'],
  ['\u001b[31m', '⟨ESC⟩[31m'],
  ['a\u00a0b', 'a⟨NBSP⟩b'],
  ['\ufeff', '⟨BOM⟩'],
  ['\u3164', '⟨U+3164⟩'],
  ['\u{e0041}', '⟨U+E0041⟩'],
  ['\ud800', '⟨U+D800⟩'],
  ['\u2028', '⟨LS⟩'],
])('%j is shown as %s', (text, shown) => {
  expect(spellInvisible(text)).toBe(shown);
});

test('what a reader sees stays as it is', () => {
  for (const text of ['Température 21 °C', 'مرحبا', '日本語', '👍🏽', 'a\tb\nc', '❤️']) {
    expect(splitInvisible(text)).toEqual([{ plain: text }]);
  }
});
