import { describe, expect, test } from 'vitest';
import { parseAclFile } from './acl-file.ts';

const rulesOf = (text: string) =>
  parseAclFile(text, 'acl').rules.map(({ line, keyword, user, access, filter }) => [
    line,
    keyword,
    user,
    access,
    filter,
  ]);

const problemsOf = (text: string) => parseAclFile(text, 'acl').problems.map(({ line, text: words }) => [line, words]);

test('reads rules of nobody, of users and of everybody, in the order of the file', () => {
  const text = [
    '# a comment',
    'topic read public/#',
    '',
    'user anne smith  ',
    '  topic write a b',
    'topic read',
    'topic  deny   a/secret\t',
    'pattern readwrite dev/%c/#',
    'user bob',
    'topic b/#\r',
    'user anne smith',
    'topic readwrite again',
  ].join('\n');

  expect(rulesOf(text)).toEqual([
    [2, 'topic', null, 'read', 'public/#'],
    [5, 'topic', 'anne smith', 'write', 'a b'],
    // A single word is the topic.
    [6, 'topic', 'anne smith', 'readwrite', 'read'],
    [7, 'topic', 'anne smith', 'deny', 'a/secret'],
    [8, 'pattern', null, 'readwrite', 'dev/%c/#'],
    [10, 'topic', 'bob', 'readwrite', 'b/#'],
    [12, 'topic', 'anne smith', 'readwrite', 'again'],
  ]);
  const file = parseAclFile(text, 'acl');
  expect(file.users.get('anne smith')?.map(({ line }) => line)).toEqual([5, 6, 7, 12]);
  expect(file.anonymous.map(({ line }) => line)).toEqual([2]);
  expect(file.patterns.map(({ line }) => line)).toEqual([8]);
  expect(file.problems).toEqual([]);
});

test('rules are numbered from 1 in the order of the file', () => {
  expect(parseAclFile('topic a\nuser x\ntopic b\n', 'acl').rules.map(({ id }) => id)).toEqual([1, 2]);
});

test.each([
  ['topic', 'Error: Empty topic in acl_file "acl".'],
  ['pattern  ', 'Error: Empty topic in acl_file "acl".'],
  ['topic wriet a/b', 'Error: Invalid topic access type "wriet" in acl_file "acl".'],
  ['topic read a/#/b', 'Error: Invalid ACL topic "a/#/b" in acl_file "acl".'],
  // What looks like a comment behind a rule belongs to the topic.
  ['topic read a/# # all of a', 'Error: Invalid ACL topic "a/# # all of a" in acl_file "acl".'],
  ['user', 'Error: Missing username in acl_file "acl".'],
  ['user   ', 'Error: Missing username in acl_file "acl".'],
  ['topics read a', 'Error: Invalid line in acl_file "acl": topics.'],
  // Only a space separates.
  ['topic\tread a', 'Error: Invalid line in acl_file "acl": topic\tread.'],
  [' # indented', 'Error: Invalid line in acl_file "acl": #.'],
  ['user \ufffd', 'Error: Malformed UTF-8 in acl_file "acl".'],
])('%j is refused in words of Mosquitto', (line, expected) => {
  expect(problemsOf(`topic a\n${line}\ntopic b\n`)).toEqual([[2, expected]]);
  expect(rulesOf(`topic a\n${line}\ntopic b\n`)).toHaveLength(2);
});

describe('warnings', () => {
  test('a pattern that is the same for everybody is probably not meant', () => {
    expect(parseAclFile('pattern read a/#\n', 'acl').warnings).toEqual([
      { line: 1, text: "Warning: ACL pattern 'a/#' does not contain '%c' or '%u'." },
    ]);
    expect(parseAclFile('pattern read a/%u\n', 'acl').warnings).toEqual([]);
  });
});
