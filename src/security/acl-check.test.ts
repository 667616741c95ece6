import { describe, expect, test } from 'vitest';
import type { Action } from '../contracts/authorizer.ts';
import { AclRules } from './acl-check.ts';
import { parseAclFile } from './acl-file.ts';

function rightsIn(lines: readonly string[], username: string | null, clientId = 'c') {
  return new AclRules(parseAclFile(lines.join('\n'), 'acl')).rightsOf({ clientId, username, listenerPort: 1883 });
}

/** What decides, in words; denials begin with "no:". */
function decide(
  lines: readonly string[],
  username: string | null,
  action: Action,
  topic: string,
  clientId?: string,
): string {
  const rights = rightsIn(lines, username, clientId);
  const verdict = rights.decide(action, topic);
  return `${verdict > 0 ? 'yes' : 'no'}: ${rights.describe(verdict)}`;
}

const nothing = 'no: no line of acl allows it';

describe('users', () => {
  const lines = ['topic read public/#', 'user anne', 'topic read in/#', 'topic write out/+', 'user bob', 'topic all/#'];

  test.each([
    ['anne', 'receive', 'in/1', 'yes: acl:3: topic read in/#'],
    ['anne', 'publish', 'in/1', nothing],
    ['anne', 'publish', 'out/1', 'yes: acl:4: topic write out/+'],
    ['anne', 'publish', 'out/1/2', nothing],
    ['anne', 'receive', 'out/1', nothing],
    ['bob', 'publish', 'all', 'yes: acl:6: topic readwrite all/#'],
    ['bob', 'receive', 'in/1', nothing],
    // Rules before any user line are for clients without a user name, and for nobody else.
    [null, 'receive', 'public/1', 'yes: acl:1: topic read public/#'],
    [null, 'publish', 'public/1', nothing],
    ['anne', 'receive', 'public/1', nothing],
    ['carl', 'receive', 'public/1', nothing],
  ] as const)('%s %s %s: %s', (username, action, topic, expected) => {
    expect(decide(lines, username, action, topic)).toBe(expected);
  });

  test('a topic below $ is seen by rules that begin with $ only', () => {
    expect(decide(['topic read #', 'topic read +/broker/#'], null, 'receive', '$SYS/broker/uptime')).toBe(nothing);
    expect(decide(['topic read $SYS/#'], null, 'receive', '$SYS/broker/uptime')).toMatch(/^yes/);
  });

  test('a subscription is never refused', () => {
    expect(decide([], 'anne', 'subscribe', '#')).toMatch(/^yes/);
    expect(decide(['user anne', 'topic deny #'], 'anne', 'subscribe', 'a')).toMatch(/^yes/);
  });

  test('an empty file denies everything', () => {
    expect(decide([], null, 'receive', 'a')).toBe(nothing);
    expect(decide([], 'anne', 'publish', 'a')).toBe(nothing);
  });
});

describe('deny', () => {
  test('comes first wherever it stands, and the last of several decides', () => {
    const lines = ['user anne', 'topic deny a/b/#', 'topic readwrite a/#', 'topic deny a/b/c'];
    expect(decide(lines, 'anne', 'publish', 'a/b/c')).toBe('no: acl:4: topic deny a/b/c');
    expect(decide(lines, 'anne', 'receive', 'a/b/d')).toBe('no: acl:2: topic deny a/b/#');
    expect(decide(lines, 'anne', 'publish', 'a/d')).toBe('yes: acl:3: topic readwrite a/#');
  });

  test('of a user is final; of a pattern it is not asked once the user has the right', () => {
    const lines = ['user anne', 'topic a/#', 'topic deny no/%u', 'pattern deny a/%u', 'pattern readwrite no/%u'];
    expect(decide(lines, 'anne', 'publish', 'a/anne')).toBe('yes: acl:2: topic readwrite a/#');
    expect(decide(lines, 'bob', 'publish', 'a/bob')).toBe('no: acl:4: pattern deny a/%u');
    expect(decide(['user anne', 'topic deny no/#', 'pattern no/%u'], 'anne', 'publish', 'no/anne')).toBe(
      'no: acl:2: topic deny no/#',
    );
  });
});

describe('patterns', () => {
  const lines = ['pattern readwrite dev/%c/#', 'pattern read user-%u/in'];

  test.each([
    ['anne', 'c1', 'publish', 'dev/c1/x', 'yes: acl:1: pattern readwrite dev/%c/#'],
    ['anne', 'c1', 'publish', 'dev/c2/x', nothing],
    ['anne', 'c1', 'receive', 'user-anne/in', 'yes: acl:2: pattern read user-%u/in'],
    ['anne', 'c1', 'receive', 'user-bob/in', nothing],
    // Without a user name a pattern with %u says nothing.
    [null, 'c1', 'receive', 'user-/in', nothing],
    [null, 'c1', 'publish', 'dev/c1/x', 'yes: acl:1: pattern readwrite dev/%c/#'],
    // What stands in a name is not a pattern again, nor anything special.
    ['%c', 'c1', 'receive', 'user-c1/in', nothing],
    ['%c', 'c1', 'receive', 'user-%c/in', 'yes: acl:2: pattern read user-%u/in'],
    ['anne', '%u', 'publish', 'dev/anne/x', nothing],
    ['.*', 'c1', 'receive', 'user-bob/in', nothing],
    ["$&$1$'", 'c1', 'receive', "user-$&$1$'/in", 'yes: acl:2: pattern read user-%u/in'],
    // As in Mosquitto, a name may span levels.
    ['anne', 'a/b', 'publish', 'dev/a/b/x', 'yes: acl:1: pattern readwrite dev/%c/#'],
    ['anne', '..', 'publish', 'dev/c1/x', nothing],
  ] as const)('user %s client %s %s %s: %s', (username, clientId, action, topic, expected) => {
    expect(decide(lines, username, action, topic, clientId)).toBe(expected);
  });

  test.each([
    ['+', 'c', 'no: ACL denying access to client with dangerous username "+"'],
    ['a/#', 'c', 'no: ACL denying access to client with dangerous username "a/#"'],
    ['anne', '#', 'no: ACL denying access to client with dangerous client id "#"'],
    ['anne', 'x+', 'no: ACL denying access to client with dangerous client id "x+"'],
  ])('names with a wildcard are denied: user %s, client %s', (username, clientId, expected) => {
    expect(decide(['pattern readwrite dev/%c'], username, 'publish', 'dev/c', clientId)).toBe(expected);
    // The rules of the user himself come first.
    expect(decide([`user ${username}`, 'topic dev/c', 'pattern a/%c'], username, 'publish', 'dev/c', clientId)).toMatch(
      /^yes/,
    );
  });

  test('a name put in opens no topic below $', () => {
    expect(decide(['pattern read %u/#'], '$SYS', 'receive', '$SYS/broker/uptime')).toBe(nothing);
    expect(decide(['pattern read $SYS/%u/#'], 'broker', 'receive', '$SYS/broker/uptime')).toMatch(/^yes/);
  });
});

describe('explain', () => {
  const explain = (lines: readonly string[], username: string | null, action: Action, topic: string) => {
    const { isAllowed, decidedBy, nearest, nearestLacks } = rightsIn(lines, username).explain(action, topic);
    return [isAllowed, decidedBy?.line ?? null, nearest?.line ?? null, nearestLacks];
  };

  test('what is allowed has the line that allows it', () => {
    expect(explain(['topic read a'], null, 'receive', 'a')).toEqual([true, 1, null, '']);
    expect(explain(['topic read a'], null, 'subscribe', 'b')).toEqual([true, null, null, '']);
  });

  test('what is denied has the line that comes closest to allowing it', () => {
    expect(explain(['user u', 'topic deny a/b', 'topic a/#'], 'u', 'publish', 'a/b')).toEqual([
      false,
      2,
      3,
      'another line denies it',
    ]);
    expect(explain(['user u', 'topic read a/#'], 'u', 'publish', 'a/b')).toEqual([
      false,
      null,
      2,
      'it gives read only',
    ]);
    expect(explain(['topic a/x', 'user v', 'topic a/b'], 'u', 'publish', 'a/b')).toEqual([
      false,
      null,
      3,
      'it is for user v',
    ]);
    expect(explain(['topic write a/b'], 'u', 'publish', 'a/b')).toEqual([
      false,
      null,
      1,
      'it is for clients without a user name',
    ]);
    expect(explain(['pattern q/%c', 'pattern a/%c/x'], 'u', 'publish', 'a/c/y')).toEqual([
      false,
      null,
      2,
      'its topic is another one',
    ]);
    expect(explain(['pattern q/%c'], 'u', 'publish', 'a/c/y')).toEqual([false, null, null, '']);
  });
});

test('many rules of one user cost no more than the levels of the topic', () => {
  const lines = ['user anne', ...Array.from({ length: 100_000 }, (_, n) => `topic read a/${n}/+`)];
  const rights = rightsIn(lines, 'anne');
  // 100,000 decisions over 100,000 rules: one by one they would be 10^10 comparisons, which no test waits for.
  for (let n = 0; n < 100_000; n++) expect(rights.decide('receive', `a/${n}/x`)).toBe(n + 1);
});
