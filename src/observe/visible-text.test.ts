import { expect, test } from 'vitest';
import { cutToBytes, visibleText } from './visible-text.ts';

test('shows control characters instead of printing them', () => {
  expect(visibleText('a\nNew client\r')).toBe('a\\nNew client\\r');
  expect(visibleText('\u001b[31mred\u0000\u007f\u009b')).toBe('\\x1b[31mred\\x00\\x7f\\x9b');
  expect(visibleText('user\u202egpj.exe\u2028')).toBe('user\\u202egpj.exe\\u2028');
  expect(visibleText('a\tb')).toBe('a\\tb');
});

test('leaves every other text as it is', () => {
  expect(visibleText("maison/salon — l'été 🦟 \\n")).toBe("maison/salon — l'été 🦟 \\n");
});

test('cuts between characters', () => {
  expect(cutToBytes('été', 5)).toBe('été'); // c3 a9 74 c3 a9
  expect(cutToBytes('été', 4)).toBe('ét');
  expect(cutToBytes('été', 3)).toBe('ét');
  expect(cutToBytes('🦟🦟', 7)).toBe('🦟'); // four bytes each
  expect(cutToBytes('abc', 2)).toBe('ab');
});
