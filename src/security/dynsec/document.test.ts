import { describe, expect, test } from 'vitest';
import { formatPasswordHash } from '../password-hash.ts';
import { parseDocument } from './document.ts';
import { formatDocument } from './format-document.ts';

const salt = Buffer.alloc(12, 1).toString('base64');
const hash = Buffer.alloc(64, 2).toString('base64');

const parse = (document: unknown) => parseDocument(JSON.stringify(document), 'ds.json');
const written = (document: unknown): unknown => JSON.parse([...formatDocument(parse(document).state)].join(''));

describe('a file of Mosquitto 2.0', () => {
  const client = { UserName: 'anne', Password: hash, salt, iterations: 101, textName: 'Anne', clientid: 'c' };

  test('is read without regard to the case of names', () => {
    const { state, problems, warnings } = parse({ Clients: [client] });
    expect([problems, warnings]).toEqual([[], []]);
    expect(state.clients.get('anne')).toMatchObject({ username: 'anne', textName: 'Anne', clientId: 'c', roles: [] });
  });

  test('is written with the password in both forms', () => {
    expect(written({ clients: [client] })).toMatchObject({
      clients: [{ encoded_password: `$7$101$${salt}$${hash}`, password: hash, salt, iterations: 101 }],
    });
  });
});

test('the form of 2.1 counts when both are there', () => {
  const encoded = `$7$5$${salt}$${hash}`;
  const { state } = parse({
    clients: [{ username: 'u', encoded_password: encoded, password: hash, salt, iterations: 9 }],
  });
  const { password } = state.clients.get('u') ?? {};
  expect(password === null || password === undefined ? '' : formatPasswordHash(password)).toBe(encoded);
});

test('a password that is not understood is kept, and nobody can log in with it', () => {
  const client = { username: 'u', encoded_password: '$9$new' };
  const { state, warnings } = parse({ clients: [client] });
  expect(state.clients.get('u')?.password).toBeNull();
  expect(warnings).toEqual([
    'Warning: ds.json: clients[0]: the password of "u" is not understood: nobody can log in with it.',
  ]);
  expect(written({ clients: [client] })).toMatchObject({ clients: [client] });
});

test('what is not known is written back, everywhere', () => {
  const document = {
    changeIndex: 7,
    defaultACLAccess: { publishClientSend: true, publishClientReceive: false, subscribe: true, unsubscribe: false },
    clients: [{ username: 'u', disabled: true, roles: [{ rolename: 'r', priority: 3 }], badge: { n: 1 } }],
    groups: [
      { groupname: 'g', textname: 't', roles: [{ rolename: 'r' }], clients: [{ username: 'u' }], colour: 'red' },
    ],
    anonymousGroup: 'g',
    roles: [
      {
        ...{ rolename: 'r', textdescription: 'd', allowwildcardsubs: false, note: [1] },
        acls: [{ acltype: 'publishClientSend', topic: 'a', priority: 0, allow: true }],
      },
    ],
    future: { x: null },
  };
  expect(written(document)).toEqual(document);
});

test('clients, groups and roles are written by name, ACLs by type and priority', () => {
  const acl = (acltype: string, topic: string, priority: number) => ({ acltype, topic, priority, allow: true });
  const names = (list: readonly string[], key: string) => list.map((name) => ({ [key]: name }));
  const document = written({
    clients: names(['b', 'a', 'é', 'Z'], 'username'),
    groups: names(['2', '1'], 'groupname'),
    roles: [
      {
        rolename: 'r',
        acls: [acl('subscribePattern', 'x', 0), acl('publishClientSend', 'y', 1), acl('publishClientSend', 'z', 2)],
      },
    ],
  }) as { clients: { username: string }[]; groups: { groupname: string }[]; roles: { acls: { topic: string }[] }[] };
  expect(document.clients.map(({ username }) => username)).toEqual(['Z', 'a', 'b', 'é']);
  expect(document.groups.map(({ groupname }) => groupname)).toEqual(['1', '2']);
  expect(document.roles[0]?.acls.map(({ topic }) => topic)).toEqual(['z', 'y', 'x']);
});

test('the first of those with the same name counts, links to nothing are left out, priorities are bounded', () => {
  const { state, problems, warnings } = parse({
    clients: [{ username: 'u', roles: [{ rolename: 'nope' }, { rolename: 'r', priority: 1e9 }] }, { username: 'u' }],
    groups: [{ groupname: 'g', clients: [{ username: 'nobody' }, { username: 'u', priority: -1e9 }] }],
    roles: [
      {
        rolename: 'r',
        acls: [
          { acltype: 'publishClientSend', topic: 'a', allow: true },
          { acltype: 'publishClientSend', topic: 'a', allow: false },
          { acltype: 'publishClientSend', topic: 'a/#/b', allow: true },
        ],
      },
    ],
    anonymousGroup: 'nope',
  });
  expect(problems).toEqual([]);
  expect(state.clients.get('u')).toMatchObject({
    roles: [{ roleName: 'r', priority: 100_000 }],
    groups: [{ groupName: 'g', priority: -100_000 }],
  });
  expect(state.roles.get('r')?.acls).toMatchObject([{ topic: 'a', allow: true }, { topic: 'a/#/b' }]);
  expect(warnings.map((line) => line.replace('Warning: ds.json: ', ''))).toEqual([
    'roles[0].acls[2].topic: "a/#/b" is no Topic Filter and matches nothing.',
    'clients[0].roles[0]: there is no role "nope".',
    'clients[1].username: "u" is there already, the first one counts.',
    'groups[0].clients[0]: there is no client "nobody".',
    'anonymousGroup: there is no group "nope".',
  ]);
});

test.each([
  ['{\n  "clients": [\n}', /^ds\.json:3: /],
  ['[]', /^ds\.json: expected an object$/],
  ['{"clients":{}}', /^ds\.json: clients: expected a list$/],
  ['{"clients":[7]}', /^ds\.json: clients\[0\]: expected an object$/],
  ['{"clients":[{"username":7}]}', /^ds\.json: clients\[0\]\.username: expected text, got 7$/],
  ['{"clients":[{"username":"u","disabled":"yes"}]}', /^ds\.json: clients\[0\]\.disabled: expected true or false/],
  ['{"clients":[{"username":"u","clientid":{}}]}', /^ds\.json: clients\[0\]\.clientid: expected text, got \{\}$/],
  ['{"groups":[{"clients":[]}]}', /^ds\.json: groups\[0\]\.groupname: is missing$/],
  ['{"roles":[{"rolename":"r","acls":[{"acltype":"publishClientSend"}]}]}', /roles\[0\]\.acls\[0\]\.topic: expected a/],
  ['{"defaultACLAccess":{"subscribe":1}}', /^ds\.json: defaultACLAccess\.subscribe: expected true or false, got 1$/],
])('%j is refused with its place', (content, problem) => {
  expect(parseDocument(content, 'ds.json').problems[0]).toMatch(problem);
});
