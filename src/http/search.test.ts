import { expect, test } from 'vitest';
import { Page } from './cursor.ts';
import { parseJsonCondition } from './json-condition.ts';
import { compilePattern, PatternError } from './linear-pattern.ts';

const texts = [
  '',
  'a',
  'ab',
  'abc',
  'home/kitchen/t1',
  'home/cellar/t22',
  'A',
  'é',
  'a\nb',
  'xaax',
  '12:30',
  '-',
  ']',
  'a.b',
];

test.each([
  ...[
    'a',
    '^a',
    'a$',
    '^a$',
    '^$',
    '',
    '.',
    '^.$',
    'a|b',
    '^(a|ab)$',
    'ab*c',
    '^a+x?',
    '[a-c]+',
    '[^a-z/]',
    '\\d+',
    '^\\w+$',
    '\\s',
    '\\.',
  ],
  ...[
    'home/[^/]+/t\\d{2}$',
    '^home/.*t\\d{1,2}$',
    '(?:a|x){2}',
    'x(a){2}x',
    '[]]',
    '[-]',
    '[\\d:]+',
    'a{0}b',
    '(a*)*b',
    '^(a?){3}$',
    'a??b',
    '\\D$',
  ],
])('/%s/ finds what JavaScript finds', (pattern) => {
  const own = compilePattern(pattern);
  const theirs = new RegExp(pattern);
  for (const text of [...texts, ...texts]) expect([text, own.test(text)]).toEqual([text, theirs.test(text)]);
});

test('patterns that take others for ever take time as long as the text', () => {
  const pattern = compilePattern('^(([a-z])+.)+[A-Z]([a-z])+$');
  const text = 'a'.repeat(50_000);
  expect(pattern.test(text)).toBe(false);
  expect(compilePattern('(x+x+)+y').test('x'.repeat(50_000))).toBe(false);
});

test.each([
  ['(', 'a ( without its )'],
  [')', 'a ) without its ('],
  ['[a', 'the pattern ends too early'],
  ['a\\', 'the pattern ends too early'],
  ['*a', 'nothing to repeat before *'],
  ['^*', 'nothing to repeat'],
  ['(?=a)', 'look-around is not possible here'],
  ['(a)\\1', 'back-references are not possible here'],
  ['\\bword', '\\b is not possible here'],
  ['a{3,2}', '{3,2} ends before it begins'],
  ['a{1000}', '{1000}: at most 100 repetitions'],
  ['((a{100}){100}){100}', 'the pattern is too large'],
  ['[z-a]', 'the range z-a ends before it begins'],
  ['('.repeat(500), 'too many brackets inside each other'],
])('/%s/ is refused: %s', (pattern, message) => {
  expect(() => compilePattern(pattern)).toThrow(new PatternError(message));
});

test.each([
  ['$.t > 20', '{"t":21}', true],
  ['$.t > 20', '{"t":20}', false],
  ['$.t >= 20', '{"t":20}', true],
  ['$.a.b == "x"', '{"a":{"b":"x"}}', true],
  ['$.list[1] != 2', '{"list":[1,3]}', true],
  ['$ < 5', '4', true],
  ['$.t', '{"t":null}', true],
  ['$.t', '{"u":1}', false],
  ['$.t = on', '{"t":"on"}', true],
  ['$.t == true', '{"t":true}', true],
  ['$.t > 1', '{"t":"2"}', false],
  ['$.constructor', '{}', false],
  ['$.__proto__.x', '{}', false],
  ['$.t > 1', 'no JSON', false],
  ['$.t > 1', '', false],
  ['$.t > 1', String.raw`{"\u0074":2}`, true],
  ['$.t > 1', '{"t" :\n 2}', true],
  ['$.t > 1', '{"t":2,"t":0}', false],
  ['$.t > 1', '{"t":{"t":2}}', false],
  ['$.t < -1', '{"t":-1.5e2}', true],
  ['$.t > 1', '{"text":"\'t\':2","t":1.01}', true],
  ['$.t > 1', '{"x":"t","t":"t"}', false],
  ['$.été >= 3', Buffer.from('{"été":3}').toString('latin1'), true],
])('%s of %s: %j', (text, payload, isTrue) => {
  const condition = parseJsonCondition(text);
  if (typeof condition === 'string') throw new Error(condition);
  expect(condition(payload)).toBe(isTrue);
});

test.each([
  ['t > 1', 'expected a path'],
  ['$.t >', 'expected a path'],
  ['$.t > x', '> compares numbers'],
  ['$.t == {}', 'expected a number'],
  ['$[x]', 'expected a path'],
])('%j is no condition', (text, message) => {
  expect(parseJsonCondition(text)).toContain(message);
});

test('pages of a list that changes in between: nothing twice, nothing left out', () => {
  let rows = Array.from({ length: 95 }, (_, index) => ({ key: index % 7, name: `n${index}` }));
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 20; pages++) {
    const page = new Page({ cursor, limit: 10, order: 'descending' });
    for (const row of rows) page.add(row);
    seen.push(...page.rows.map(({ name }) => name));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
    if (pages === 3) rows = rows.filter(({ name }) => name !== seen[0]);
  }
  expect(seen).toHaveLength(95);
  expect(new Set(seen).size).toBe(95);
  const sorted = Array.from({ length: 95 }, (_, index) => ({ key: index % 7, name: `n${index}` }));
  sorted.sort((one, other) => other.key - one.key || (one.name < other.name ? 1 : -1));
  expect(seen).toEqual(sorted.map(({ name }) => name));
});
