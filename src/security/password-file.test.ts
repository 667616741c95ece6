import { expect, test } from 'vitest';
import { parsePasswordFile } from './password-file.ts';

const SALT = Buffer.alloc(12, 1).toString('base64');
const HASH = Buffer.alloc(64, 2).toString('base64');
const ENTRY = `$6$${SALT}$${HASH}`;

test('reads users, skipping comments, blank lines and lines without a colon', () => {
  const content = `# users\n\nno colon here\nalice:${ENTRY}\r\n  bob the builder : ${ENTRY} :ignored\n`;
  const { users, problems } = parsePasswordFile(content, 'passwd');
  expect([...users.keys()]).toEqual(['alice', 'bob the builder']);
  expect(problems).toEqual([]);
});

test('takes a # that is not in column 0 for part of a name', () => {
  const { users } = parsePasswordFile(` #alice:${ENTRY}`, 'passwd');
  expect([...users.keys()]).toEqual(['#alice']);
});

test('reports every unusable line with its number', () => {
  const content = [`a:${ENTRY}`, `a:${ENTRY}`, 'b:plain', 'c:', `:${ENTRY}`, ` :${ENTRY}`].join('\n');
  const { users, problems } = parsePasswordFile(content, 'pw');
  expect([...users.keys()]).toEqual(['a']);
  expect(problems).toEqual([
    { line: 2, message: "Duplicate user 'a' in password file 'pw'." },
    { line: 3, message: "Unable to decode line in password file 'pw'." },
    { line: 4, message: "Unable to decode line in password file 'pw'." },
    { line: 5, message: `Invalid line in password file 'pw': :${ENTRY}.` },
    { line: 6, message: "Empty username in password file 'pw'." },
  ]);
});
