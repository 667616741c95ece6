import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileStrftime, strftime } from './strftime.ts';

const zoneBefore = process.env['TZ'];

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});
afterAll(() => {
  if (zoneBefore === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zoneBefore;
});

/** Sunday 22 November 2026, 14:08:06 UTC */
const afternoon = Date.UTC(2026, 10, 22, 14, 8, 6);
/** Friday 1 January 2027, 00:00:00 UTC: still week 53 of 2026 by ISO 8601 */
const newYear = Date.UTC(2027, 0, 1);

describe('directives of the C locale', () => {
  test.each([
    ['%Y-%m-%dT%H:%M:%S', '2026-11-22T14:08:06'],
    ['%F %T', '2026-11-22 14:08:06'],
    ['%D %R', '11/22/26 14:08'],
    ['%c', 'Sun Nov 22 14:08:06 2026'],
    ['%x %X', '11/22/26 14:08:06'],
    ['%a %A %b %B %h', 'Sun Sunday Nov November Nov'],
    ['%I:%M %p %P', '02:08 PM pm'],
    ['%r', '02:08:06 PM'],
    ['%k|%l', '14| 2'],
    ['%C %y %j', '20 26 326'],
    ['%u %w %U %W %V %G %g', '7 0 47 46 47 2026 26'],
    ['%s', String(afternoon / 1000)],
    ['%z %Z', '+0000 UTC'],
    ['100%%', '100%'],
    ['%n%t', '\n\t'],
    ['%EY %Od', '2026 22'],
  ])('%j', (format, text) => {
    expect(strftime(format, afternoon)).toBe(text);
  });

  test.each([
    ['%V of %G', '53 of 2026'],
    ['%e|%d|%-d|%_d|%03d', ' 1|01|1| 1|001'],
    ['%l', '12'],
    ['%j', '001'],
    ['%U %W', '00 00'],
  ])('at new year: %j', (format, text) => {
    expect(strftime(format, newYear)).toBe(text);
  });
});

test('flags change padding and case', () => {
  expect(strftime('%^a %#Z %-M %6Y %10A|', afternoon)).toBe('SUN utc 8 002026     Sunday|');
});

test('what is no directive stays as written', () => {
  expect(strftime('at %Q, 50 % sure%', afternoon)).toBe('at %Q, 50 % sure%');
  expect(strftime('', afternoon)).toBe('');
});

test('the time is local', () => {
  process.env['TZ'] = 'Asia/Kolkata';
  expect(strftime('%H:%M %z', afternoon)).toBe('19:38 +0530');
  process.env['TZ'] = 'UTC';
});

test('a compiled format serves many dates', () => {
  const format = compileStrftime('%d');
  expect([format(afternoon), format(newYear)]).toEqual(['22', '01']);
});
