import { expect, test } from 'vitest';
import { ACL_LINES, aclLines, credentialsOf, passwordLines, USERS } from './access-files.ts';

test('a thousand users, each once', () => {
  const names = passwordLines().map((line) => line.split(':')[0]);
  expect(new Set(names).size).toBe(USERS);
});

test('a thousand lines, and everybody who takes part has a block', () => {
  const lines = aclLines(100, 10);
  expect(lines).toHaveLength(ACL_LINES);
  expect(lines).toContain(`user ${credentialsOf('publisher', 99).username}`);
  expect(lines).toContain(`user ${credentialsOf('subscriber', 9).username}`);
});

test('publishers and subscribers are different users', () => {
  expect(credentialsOf('publisher', 99).username).not.toBe(credentialsOf('subscriber', 0).username);
});
