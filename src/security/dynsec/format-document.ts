/** The file of dynamic security as text; see `document.ts` for what it is. */
import type { Json } from '../control-request.ts';
import { formatPasswordHash, type PasswordHash } from '../password-hash.ts';
import { sortedNames } from './draft.ts';
import {
  type Account,
  type Acl,
  type Group,
  noPriority,
  type Role,
  type RoleLink,
  type SecurityState,
} from './state.ts';

/** The file in pieces, of which each is small. */
export function* formatDocument(state: SecurityState): Generator<string> {
  const { changeIndex, defaults, clients, groups, roles, anonymousGroup, unknown } = state;
  yield `{\n\t"changeIndex":\t${changeIndex},\n\t"defaultACLAccess":\t${indented(defaults, 1)}`;
  yield* formatList('clients', sortedNames(clients), (name) => clientJson(clients.get(name) as Account));
  yield* formatGroups(groups);
  if (anonymousGroup !== null) yield `,\n\t"anonymousGroup":\t${JSON.stringify(anonymousGroup)}`;
  yield* formatList('roles', sortedNames(roles), (name) => roleJson(roles.get(name) as Role));
  for (const [name, value] of Object.entries(unknown)) {
    yield `,\n\t${JSON.stringify(name)}:\t${indented(value, 1)}`;
  }
  yield '\n}\n';
}

function* formatList(title: string, names: readonly string[], json: (name: string) => Json): Generator<string> {
  yield `,\n\t"${title}":\t[`;
  let separator = '';
  for (const name of names) {
    yield `${separator}${indented(json(name), 2)}`;
    separator = ', ';
  }
  yield ']';
}

/** A group may have every client there is: it is written in pieces itself. */
function* formatGroups(groups: ReadonlyMap<string, Group>): Generator<string> {
  yield ',\n\t"groups":\t[';
  let separator = '';
  for (const name of sortedNames(groups)) {
    const group = groups.get(name) as Group;
    const text = indented(groupJson(group), 2);
    if (group.members.size === 0) {
      yield `${separator}${text}`;
    } else {
      // Without the end of the object, which the list goes in front of.
      yield `${separator}${text.slice(0, text.lastIndexOf('\n'))},\n\t\t\t"clients": [`;
      let between = '';
      for (const username of sortedNames(group.members)) {
        const link = { username, ...priorityJson(group.members.get(username) ?? noPriority) };
        yield `${between}${indented(link, 4)}`;
        between = ', ';
      }
      yield ']\n\t\t}';
    }
    separator = ', ';
  }
  yield ']';
}

function indented(value: unknown, levels: number): string {
  return JSON.stringify(value, null, '\t').replaceAll('\n', `\n${'\t'.repeat(levels)}`);
}

function clientJson(account: Account): Json {
  const { username, clientId, isDisabled, roles, password, passwordMembers, unknown } = account;
  return {
    username,
    ...(clientId === null ? {} : { clientid: clientId }),
    ...describedJson(account),
    ...(isDisabled ? { disabled: true } : {}),
    ...(roles.length === 0 ? {} : { roles: roles.map(roleLinkJson) }),
    ...(password === null ? passwordMembers : passwordJson(password)),
    ...unknown,
  };
}

function passwordJson(password: PasswordHash): Json {
  const encoded = { encoded_password: formatPasswordHash(password) };
  if (password.scheme !== 'sha512-pbkdf2') return encoded;
  const { salt, hash, iterations } = password;
  return { ...encoded, password: hash.toString('base64'), salt: salt.toString('base64'), iterations };
}

/** Without its members. */
function groupJson(group: Group): Json {
  const { groupName, roles, unknown } = group;
  return {
    groupname: groupName,
    ...describedJson(group),
    ...(roles.length === 0 ? {} : { roles: roles.map(roleLinkJson) }),
    ...unknown,
  };
}

function roleJson(role: Role): Json {
  const { roleName, allowWildcardSubs, acls, unknown } = role;
  return {
    rolename: roleName,
    ...describedJson(role),
    allowwildcardsubs: allowWildcardSubs,
    ...(acls.length === 0 ? {} : { acls: acls.map(aclJson) }),
    ...unknown,
  };
}

export function aclJson({ type, topic, priority, allow }: Acl): Json {
  return { acltype: type, topic, priority, allow };
}

export function roleLinkJson({ roleName, priority }: RoleLink): Json {
  return { rolename: roleName, ...priorityJson(priority) };
}

export function priorityJson(priority: number): Json {
  return priority === noPriority ? {} : { priority };
}

export function describedJson({ textName, textDescription }: Pick<Account, 'textName' | 'textDescription'>): Json {
  return {
    ...(textName === null ? {} : { textname: textName }),
    ...(textDescription === null ? {} : { textdescription: textDescription }),
  };
}
