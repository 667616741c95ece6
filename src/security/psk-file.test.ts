import { expect, test } from 'vitest';
import { parsePskFile } from './psk-file.ts';

test('reads identities and keys', () => {
  const { keys, problems, duplicates } = parsePskFile('# comment\n\nanne:0badC0de\r\n bob : 7 \nno colon\nanne:ff\n');
  expect([...keys]).toEqual([
    ['anne', Buffer.from('0badc0de', 'hex')],
    ['bob', Buffer.from([0x07])],
  ]);
  expect(problems).toEqual([]);
  expect(duplicates).toEqual([{ line: 6, text: 'Error: Duplicate identity "anne".' }]);
});

test.each([
  ['anne:', 'Error: Empty psk for identity "anne".'],
  ['anne:0x12', 'Error: psk for identity "anne" contains non-hexadecimal characters.'],
  ['anne:12 34', 'Error: psk for identity "anne" contains non-hexadecimal characters.'],
  [':12', 'Error: Empty identity.'],
])('%s is refused', (line, text) => {
  expect(parsePskFile(`bob:12\n${line}\n`)).toMatchObject({ problems: [{ line: 2, text }] });
});
