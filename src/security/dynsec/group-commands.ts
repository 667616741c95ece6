/** Commands about groups, and about the group of clients without a user name. */
import type { Json } from '../control-request.ts';
import type { CommandRow } from './commands.ts';
import { type Draft, sortedNames } from './draft.ts';
import { describedJson, priorityJson, roleLinkJson } from './format-document.ts';
import { listed } from './listing.ts';
import { CommandError, type Parameters } from './parameters.ts';
import { type Account, type Group, groupsMax, linksMax, noPriority, sortRoleLinks } from './state.ts';

const notFound = 'Group not found';

function find(parameters: Parameters, draft: Draft): Group {
  const group = draft.groups.get(parameters.required('groupname'));
  if (group === undefined) throw new CommandError(notFound);
  return group;
}

function shownGroup(group: Group): Json {
  const { groupName, members, roles } = group;
  return {
    groupname: groupName,
    ...describedJson(group),
    clients: sortedNames(members).map((username) => ({
      username,
      ...priorityJson(members.get(username) ?? noPriority),
    })),
    roles: roles.map(roleLinkJson),
  };
}

/** `clients` of a command, each once: user name → priority; undefined when it has none. */
function membersOf(parameters: Parameters, draft: Draft): ReadonlyMap<string, number> | undefined {
  const invalid = "'clients' contains an object with an invalid 'username'";
  const given = parameters.list('clients', invalid);
  if (given === undefined) return undefined;
  const members = new Map<string, number>();
  for (const link of given) {
    const username = link.get('username');
    if (typeof username !== 'string') throw new CommandError(invalid);
    if (!draft.clients.has(username)) {
      throw new CommandError("'clients' contains an object with a 'username' that does not exist");
    }
    if (!members.has(username)) members.set(username, link.priority());
  }
  return members;
}

function memberOf(parameters: Parameters, draft: Draft): { group: Group; account: Account } {
  const groupName = parameters.required('groupname');
  const username = parameters.required('username');
  const account = draft.clients.get(username);
  if (account === undefined) throw new CommandError('Client not found');
  const group = draft.groups.get(groupName);
  if (group === undefined) throw new CommandError(notFound);
  return { group, account };
}

function roleOf(parameters: Parameters, draft: Draft): { group: Group; roleName: string } {
  const groupName = parameters.required('groupname');
  const roleName = parameters.required('rolename');
  const group = draft.groups.get(groupName);
  if (group === undefined) throw new CommandError(notFound);
  if (!draft.roles.has(roleName)) throw new CommandError('Role not found');
  return { group, roleName };
}

export const groupCommands: readonly CommandRow[] = [
  {
    name: 'createGroup',
    changes: true,
    run: (parameters, { draft }) => {
      const groupName = parameters.newName('groupname', 'Group name');
      const described = parameters.described();
      if (draft.groups.has(groupName)) throw new CommandError('Group already exists');
      if (draft.groups.size >= groupsMax) throw new CommandError(`At most ${groupsMax} groups are possible`);
      const roles = parameters.roles(draft) ?? [];
      const texts = { textName: null, textDescription: null, ...described };
      draft.putGroup({ groupName, ...texts, roles, members: new Map(), unknown: {} });
      return { log: [`groupname=${groupName}`] };
    },
  },
  {
    name: 'deleteGroup',
    changes: true,
    run: (parameters, { draft }) => {
      const group = find(parameters, draft);
      if (group.groupName === draft.anonymousGroup) {
        throw new CommandError('Deleting the anonymous group is forbidden');
      }
      draft.deleteGroup(group);
      return { log: [`groupname=${group.groupName}`] };
    },
  },
  {
    name: 'getGroup',
    changes: false,
    run: (parameters, { draft }) => {
      const group = find(parameters, draft);
      return { data: { group: shownGroup(group) }, log: [`groupname=${group.groupName}`] };
    },
  },
  {
    name: 'listGroups',
    changes: false,
    run: (parameters, { draft: { groups } }) =>
      listed(parameters, 'groups', groups, (name) => {
        const group = groups.get(name);
        return group === undefined ? undefined : shownGroup(group);
      }),
  },
  {
    name: 'modifyGroup',
    changes: true,
    run: (parameters, { draft }) => {
      const group = find(parameters, draft);
      const { groupName } = group;
      const described = parameters.described();
      const roles = parameters.roles(draft) ?? group.roles;
      const members = membersOf(parameters, draft);
      for (const username of members?.keys() ?? []) checkRoom(draft, groupName, username);
      draft.kickMembers(group);
      draft.putGroup({ ...group, ...described, roles });
      if (members !== undefined) {
        for (const username of [...group.members.keys()]) draft.leave(groupName, username);
        for (const [username, priority] of members) draft.join(groupName, username, priority);
        for (const username of members.keys()) draft.kick(username);
      }
      return { log: [`groupname=${groupName}`] };
    },
  },
  {
    name: 'addGroupClient',
    changes: true,
    run: (parameters, { draft }) => {
      const { group, account } = memberOf(parameters, draft);
      const { groupName } = group;
      const { username } = account;
      const priority = parameters.priority();
      if (group.members.has(username)) throw new CommandError('Client is already in this group');
      checkRoom(draft, groupName, username);
      draft.join(groupName, username, priority);
      draft.kick(username);
      return { log: [`groupname=${groupName}`, `username=${username}`, `priority=${priority}`] };
    },
  },
  {
    name: 'removeGroupClient',
    changes: true,
    run: (parameters, { draft }) => {
      const { group, account } = memberOf(parameters, draft);
      draft.leave(group.groupName, account.username);
      draft.kick(account.username);
      return { log: [`groupname=${group.groupName}`, `username=${account.username}`] };
    },
  },
  {
    name: 'addGroupRole',
    changes: true,
    run: (parameters, { draft }) => {
      const { group, roleName } = roleOf(parameters, draft);
      const priority = parameters.priority();
      if (group.roles.some((link) => link.roleName === roleName)) {
        throw new CommandError('Group is already in this role');
      }
      if (group.roles.length >= linksMax) throw new CommandError(`At most ${linksMax} roles are possible`);
      draft.putGroup({ ...group, roles: sortRoleLinks([...group.roles, { roleName, priority }]) });
      draft.kickMembers(group);
      return { log: [`groupname=${group.groupName}`, `rolename=${roleName}`, `priority=${priority}`] };
    },
  },
  {
    name: 'removeGroupRole',
    changes: true,
    run: (parameters, { draft }) => {
      const { group, roleName } = roleOf(parameters, draft);
      draft.putGroup({ ...group, roles: group.roles.filter((link) => link.roleName !== roleName) });
      draft.kickMembers(group);
      return { log: [`groupname=${group.groupName}`, `rolename=${roleName}`] };
    },
  },
  {
    name: 'setAnonymousGroup',
    changes: true,
    run: (parameters, { draft }) => {
      const { groupName } = find(parameters, draft);
      draft.setAnonymousGroup(groupName);
      return { log: [`groupname=${groupName}`] };
    },
  },
  {
    name: 'getAnonymousGroup',
    changes: false,
    run: (_, { draft }) => ({ data: { group: { groupname: draft.anonymousGroup ?? '' } } }),
  },
];

/** Whether the client may be in one more group. */
function checkRoom(draft: Draft, groupName: string, username: string): void {
  const groups = draft.clients.get(username)?.groups ?? [];
  if (groups.length < linksMax || groups.some((link) => link.groupName === groupName)) return;
  throw new CommandError(`At most ${linksMax} groups are possible`);
}
