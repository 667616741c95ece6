import { expect, test } from 'vitest';
import { formatJson, itemPath, memberPath, parseJson } from './json.ts';
import { jsonRows, openAtFirst } from './json-rows.ts';

test.each(['{"a":1,"b":[true,false,null,"x"],"c":{"d":-1.5e3}}', '[]', '{}', '"\\u0041\\n"', ' [ 1 , 2 ] ', '0'])(
  '%s is read as JSON.parse reads it',
  (text) => {
    const node = parseJson(text);
    expect(JSON.parse(formatJson(node ?? { kind: 'literal', text: '' }))).toEqual(JSON.parse(text));
  },
);

test.each(['', '{', '[1,]', '{"a"}', "{'a':1}", '01', '1 2', '"\u0001"', '"\\x"', 'nul', '{"a":1}}'])(
  '%s is no JSON, here as for JSON.parse',
  (text) => {
    expect(parseJson(text)).toBeUndefined();
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  },
);

test('numbers keep their digits, keys their repetitions, and __proto__ is a key like any other', () => {
  const node = parseJson('{"n":12345678901234567890.10,"__proto__":{"x":1},"n":2}');
  expect(node?.kind === 'object' ? node.members.map((member) => member.key) : []).toEqual(['n', '__proto__', 'n']);
  expect(node?.kind === 'object' ? node.members[0]?.value : undefined).toEqual({
    kind: 'literal',
    text: '12345678901234567890.10',
  });
  expect(({} as { x?: number }).x).toBeUndefined();
});

test('nesting of 100,000 levels is refused, not followed', () => {
  expect(parseJson('['.repeat(100_000) + ']'.repeat(100_000))).toBeUndefined();
  expect(parseJson('['.repeat(400) + ']'.repeat(400))?.kind).toBe('array');
});

test('paths are those of JSON path', () => {
  expect(memberPath('$', 'a')).toBe('$.a');
  expect(memberPath('$', 'a b')).toBe('$["a b"]');
  expect(itemPath('$.a', 3)).toBe('$.a[3]');
});

test('only what is open makes lines', () => {
  const root = parseJson(JSON.stringify({ list: Array.from({ length: 100_000 }, (_, index) => index) }));
  if (root === undefined) throw new Error('no JSON');
  const open = openAtFirst(root);
  expect(jsonRows(root, open).map((row) => row.path)).toEqual(['$', '$.list']);
  expect(jsonRows(root, new Set(['$', '$.list'])).length).toBe(100_002);
});
