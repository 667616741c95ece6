/** What a new file of dynamic security says: as `moustique_ctrl dynsec init` makes it, and as a broker that finds none. */
import type { PasswordHash } from '../password-hash.ts';
import {
  type Account,
  type Acl,
  type AclType,
  firstDefaults,
  type Role,
  type SecurityState,
  sortAcls,
} from './state.ts';

const plain = { textName: null, textDescription: null, unknown: {} } as const;
const both = ['publishClientSend', 'publishClientReceive', 'subscribePattern', 'unsubscribePattern'] as const;
const watching = ['publishClientReceive', 'subscribePattern'] as const;

function allow(types: readonly AclType[], topic: string): Acl[] {
  return types.map((type) => ({ type, topic, priority: 0, allow: true }));
}

function role(roleName: string, textDescription: string, acls: readonly Acl[]): Role {
  return { ...plain, roleName, textDescription, allowWildcardSubs: true, acls: sortAcls(acls) };
}

function account(username: string, password: PasswordHash, roleNames: readonly string[]): Account {
  return {
    ...{ ...plain, username, password, passwordMembers: null, clientId: null, isDisabled: false, groups: [] },
    roles: roleNames.map((roleName) => ({ roleName, priority: -1 })),
  };
}

function stateOf(
  clients: readonly Account[],
  roles: readonly Role[],
  groups: SecurityState['groups'],
  anonymousGroup: string | null,
): SecurityState {
  return {
    changeIndex: 0,
    defaults: firstDefaults,
    clients: new Map(clients.map((one) => [one.username, one])),
    groups,
    roles: new Map(roles.map((one) => [one.roleName, one])),
    anonymousGroup,
    unknown: {},
  };
}

/** One client that may administer dynamic security, and read everything. */
export function administratorState(username: string, password: PasswordHash): SecurityState {
  const control = '$CONTROL/dynamic-security/#';
  const acls = [
    ...allow(['publishClientSend', ...watching], control),
    ...[...allow(watching, '$SYS/#'), ...allow(watching, '#'), ...allow(['unsubscribePattern'], '#')],
  ];
  const admin = { ...account(username, password, ['admin']), textName: 'Dynsec admin user' };
  const administrator = role('admin', 'Administers dynamic security and reads everything.', acls);
  return stateOf([admin], [administrator], new Map(), null);
}

/** The roles that Mosquitto 2.1 begins with. @param democlient - null: there is only `admin` */
export function firstState(admin: PasswordHash, democlient: PasswordHash | null): SecurityState {
  const anonymousGroup = 'unauthenticated';
  const roles = [
    role('broker-admin', 'Asks and commands the broker.', allow(both, '$CONTROL/broker/#')),
    role('client', 'Reads and writes every topic that does not begin with $.', allow(both, '#')),
    role('dynsec-admin', 'Administers dynamic security.', allow(both, '$CONTROL/dynamic-security/#')),
    role('super-admin', 'Administers everything.', allow(both, '$CONTROL/#')),
    role('sys-notify', 'A bridge: tells whether it is connected.', allow(['publishClientSend'], bridgeState)),
    role('sys-observe', 'Reads $SYS.', allow(watching, '$SYS/#')),
    role(
      'topic-observe',
      'Reads every topic that does not begin with $.',
      allow([...watching, 'unsubscribePattern'], '#'),
    ),
  ];
  const clients = [account('admin', admin, ['super-admin', 'sys-observe', 'topic-observe'])];
  if (democlient !== null) clients.push(account('democlient', democlient, ['client']));
  const group = { ...plain, groupName: anonymousGroup, roles: [], members: new Map<string, number>() };
  return stateOf(clients, roles, new Map([[anonymousGroup, group]]), anonymousGroup);
}

const bridgeState = '$SYS/broker/connection/%c/state';
