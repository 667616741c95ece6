import { describe, expect, test } from 'vitest';
import type { Rights } from '../../contracts/authorizer.ts';
import { parseDocument } from './document.ts';
import { DynamicSecurity } from './dynamic-security.ts';

const acl = (acltype: string, topic: string, allow = true, priority = 0) => ({ acltype, topic, allow, priority });

function security(acls: readonly object[], defaults: object = {}): DynamicSecurity {
  const document = {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: false, unsubscribe: false, ...defaults },
    roles: [{ rolename: 'r', acls }],
    clients: ['anne', '+', '$SYS', '%c'].map((username) => ({ username, roles: [{ rolename: 'r' }] })),
  };
  return new DynamicSecurity(parseDocument(JSON.stringify(document), 'ds.json').state, 'ds.json');
}

const rightsOf = (acls: readonly object[], username: string | null = 'anne', clientId = 'c1'): Rights =>
  security(acls).rightsOf({ clientId, username, listenerPort: 1883 }, null);

describe('the first rule that matches decides', () => {
  test.each([
    ['publishClientSend', 'publish'],
    ['publishClientReceive', 'receive'],
    ['subscribePattern', 'subscribe'],
    ['unsubscribePattern', 'unsubscribe'],
  ] as const)('%s', (type, action) => {
    const rights = rightsOf([
      acl(type, 'a/#'),
      acl(type, 'a/+/c', false, 1),
      acl(type, 'a/b/c', true, 2),
      acl(type, '%u'),
    ]);
    const allowed = (topic: string): boolean => rights.decide(action, topic) > 0;
    expect(['a', 'a/b', 'a/b/c', 'a/x/c', 'a/x', 'b', 'anne'].map(allowed)).toEqual([
      ...[true, true, true, false, true, false, true],
    ]);
  });
});

test('rules with names and without keep their order', () => {
  const rights = rightsOf([
    acl('publishClientSend', 'x/anne/#', false, 1),
    acl('publishClientSend', 'x/%u/ok', true, 2),
    acl('publishClientSend', 'x/%c/#', true, 0),
    acl('publishClientSend', 'x/c1/no', false, 0),
  ]);
  const allowed = (topic: string): boolean => rights.decide('publish', topic) > 0;
  expect(['x/anne/ok', 'x/anne/other', 'x/c1/no', 'x/c2'].map(allowed)).toEqual([true, false, true, false]);
});

test('literal rules mean the filter as it is written, names and all', () => {
  const rights = rightsOf([acl('subscribeLiteral', 'a/#'), acl('subscribeLiteral', '%u')]);
  expect(['a/#', 'a/b', '%u', 'anne'].map((filter) => rights.decide('subscribe', filter) > 0)).toEqual([
    ...[true, false, true, false],
  ]);
});

test('a name is put in once, and opens nothing below $', () => {
  const rules = [acl('publishClientSend', '%u/#')];
  expect(rightsOf(rules, '%c').decide('publish', 'c1/x')).toBeLessThan(0);
  expect(rightsOf(rules, '%c').decide('publish', '%c/x')).toBeGreaterThan(0);
  expect(rightsOf(rules, '$SYS').decide('publish', '$SYS/x')).toBeLessThan(0);
  expect(rightsOf(rules, '+').decide('publish', 'a/x')).toBeLessThan(0);
  expect(rightsOf([acl('publishClientSend', 't/%c')], 'anne', '#').decide('publish', 't/x')).toBeLessThan(0);
});

test('whom it does not know has the rights that others give, or none', () => {
  const others: Rights = { decide: () => 7, describe: () => 'others' };
  const dynsec = security([acl('publishClientSend', 'a')], { publishClientSend: true });
  const stranger = { clientId: 'c', username: 'stranger', listenerPort: 1 };
  expect(dynsec.rightsOf(stranger, others)).toBe(others);
  expect(dynsec.rightsOf(stranger, null).decide('publish', 'a')).toBeLessThan(0);
  // Without a user name the defaults decide, then others.
  expect(dynsec.rightsOf({ ...stranger, username: null }, null).decide('publish', 'x')).toBeGreaterThan(0);
  expect(dynsec.rightsOf({ ...stranger, username: null }, others).decide('subscribe', 'x')).toBe(7);
});

test('a verdict says which rule it was', () => {
  const rights = rightsOf([acl('publishClientSend', 'a'), acl('publishClientSend', 'b', false)]);
  const why = (topic: string): string => rights.describe(rights.decide('publish', topic));
  expect(why('a')).toBe('ds.json: role r: publishClientSend allow a');
  expect(why('b')).toBe('ds.json: role r: publishClientSend deny b');
  expect(why('c')).toBe('no role in ds.json allows it');
  const dangerous = rightsOf([acl('publishClientSend', 't/%u')], '+');
  expect(dangerous.describe(dangerous.decide('publish', 't/x'))).toBe(
    "ds.json: role r: publishClientSend t/%u: the client's name has a wildcard in it",
  );
});

test('a default allows everything but $CONTROL', () => {
  const all = { publishClientSend: true, publishClientReceive: true, subscribe: true, unsubscribe: true };
  const rights = security([], all).rightsOf({ clientId: 'c', username: 'anne', listenerPort: 1 }, null);
  for (const action of ['publish', 'receive', 'subscribe', 'unsubscribe'] as const) {
    expect(rights.decide(action, 'a')).toBeGreaterThan(0);
    expect(rights.decide(action, '$CONTROL/x')).toBeLessThan(0);
  }
  expect(rights.decide('subscribe', '$share/g/$CONTROL/x')).toBeLessThan(0);
  expect(rights.decide('subscribe', '$share/g/a')).toBeGreaterThan(0);
});
