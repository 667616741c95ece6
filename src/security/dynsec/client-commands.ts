/** Commands about clients. */
import type { Json } from '../control-request.ts';
import { hashPassword } from '../password-hash.ts';
import type { CommandContext, CommandRow } from './commands.ts';
import type { Draft } from './draft.ts';
import { describedJson, priorityJson, roleLinkJson } from './format-document.ts';
import { listed } from './listing.ts';
import { CommandError, type Parameters } from './parameters.ts';
import { type Account, clientsMax, type GroupLink, linksMax, sortRoleLinks } from './state.ts';

const notFound = 'Client not found';

function find(parameters: Parameters, draft: Draft): Account {
  const account = draft.clients.get(parameters.required('username'));
  if (account === undefined) throw new CommandError(notFound);
  return account;
}

async function withPassword(account: Account, password: string): Promise<Account> {
  return { ...account, password: await hashPassword(Buffer.from(password)), passwordMembers: null };
}

function shownClient(account: Account, { addresses }: CommandContext): Json {
  const { username, clientId, isDisabled, roles, groups } = account;
  return {
    username,
    ...(clientId === null ? {} : { clientid: clientId }),
    ...describedJson(account),
    ...(isDisabled ? { disabled: true } : {}),
    roles: roles.map(roleLinkJson),
    groups: groups.map(({ groupName, priority }) => ({ groupname: groupName, ...priorityJson(priority) })),
    connections: (addresses.get(username) ?? []).map((address) => ({ address })),
  };
}

/** `groups` of a command, each once; undefined when it has none. */
function groupsOf(parameters: Parameters, draft: Draft, unknownGroup: string): GroupLink[] | undefined {
  const invalid = "'groups' contains an object with an invalid 'groupname'";
  const given = parameters.list('groups', invalid);
  if (given === undefined) return undefined;
  if (given.length > linksMax) throw new CommandError(`At most ${linksMax} groups are possible`);
  const links = new Map<string, GroupLink>();
  for (const link of given) {
    const groupName = link.get('groupname');
    if (typeof groupName !== 'string') throw new CommandError(invalid);
    if (!draft.groups.has(groupName)) throw new CommandError(unknownGroup);
    if (!links.has(groupName)) links.set(groupName, { groupName, priority: link.priority() });
  }
  return [...links.values()];
}

function roleOf(parameters: Parameters, draft: Draft): { account: Account; roleName: string } {
  const username = parameters.required('username');
  const roleName = parameters.required('rolename');
  const account = draft.clients.get(username);
  if (account === undefined) throw new CommandError(notFound);
  if (!draft.roles.has(roleName)) throw new CommandError('Role not found');
  return { account, roleName };
}

const enable =
  (isDisabled: boolean): CommandRow['run'] =>
  (parameters, { draft }) => {
    const account = find(parameters, draft);
    draft.putClient({ ...account, isDisabled });
    if (isDisabled) draft.kick(account.username);
    return { log: [`username=${account.username}`] };
  };

export const clientCommands: readonly CommandRow[] = [
  {
    name: 'createClient',
    changes: true,
    run: async (parameters, { draft }) => {
      const username = parameters.newName('username', 'Username');
      const password = parameters.optional('password') ?? '';
      const clientId = parameters.clientId('client id') ?? null;
      const described = parameters.described();
      if (draft.clients.has(username)) throw new CommandError('Client already exists');
      if (draft.clients.size >= clientsMax) throw new CommandError(`At most ${clientsMax} clients are possible`);
      const roles = parameters.roles(draft) ?? [];
      const groups = groupsOf(parameters, draft, 'Group not found') ?? [];
      const account: Account = {
        ...{ username, clientId, roles, textName: null, textDescription: null, ...described },
        ...{ password: null, passwordMembers: null, isDisabled: false, groups: [], unknown: {} },
      };
      draft.putClient(password === '' ? account : await withPassword(account, password));
      for (const { groupName, priority } of groups) draft.join(groupName, username, priority);
      return { log: [`username=${username}`, `password=${password === '' ? 'no password' : '*****'}`] };
    },
  },
  {
    name: 'deleteClient',
    changes: true,
    run: (parameters, { draft }) => {
      const account = find(parameters, draft);
      draft.deleteClient(account);
      return { log: [`username=${account.username}`] };
    },
  },
  { name: 'enableClient', changes: true, run: enable(false) },
  { name: 'disableClient', changes: true, run: enable(true) },
  {
    name: 'getClient',
    changes: false,
    run: (parameters, context) => {
      const account = find(parameters, context.draft);
      return { data: { client: shownClient(account, context) }, log: [`username=${account.username}`] };
    },
  },
  {
    name: 'listClients',
    changes: false,
    run: (parameters, context) => {
      const { clients } = context.draft;
      return listed(parameters, 'clients', clients, (name) => {
        const account = clients.get(name);
        return account === undefined ? undefined : shownClient(account, context);
      });
    },
  },
  {
    name: 'modifyClient',
    changes: true,
    run: async (parameters, { draft }) => {
      const account = find(parameters, draft);
      const { username } = account;
      const clientId = parameters.clientId('client id');
      const password = parameters.optional('password') ?? '';
      const described = parameters.described();
      const roles = parameters.roles(draft) ?? account.roles;
      const groups = groupsOf(parameters, draft, "'groups' contains an object with a 'groupname' that does not exist");
      const changed = {
        ...account,
        ...described,
        roles,
        clientId: clientId === undefined ? account.clientId : clientId,
      };
      draft.putClient(password === '' ? changed : await withPassword(changed, password));
      if (groups !== undefined) {
        for (const { groupName } of account.groups) draft.leave(groupName, username);
        for (const { groupName, priority } of groups) draft.join(groupName, username, priority);
      }
      draft.kick(username);
      return { log: [`username=${username}`] };
    },
  },
  {
    name: 'setClientPassword',
    changes: true,
    run: async (parameters, { draft }) => {
      const username = parameters.required('username');
      const password = parameters.required('password');
      if (password === '') throw new CommandError('Empty password is not allowed');
      const account = draft.clients.get(username);
      if (account === undefined) throw new CommandError(notFound);
      draft.putClient(await withPassword(account, password));
      draft.kick(username);
      return { log: [`username=${username}`, 'password=******'] };
    },
  },
  {
    name: 'setClientId',
    changes: true,
    run: (parameters, { draft }) => {
      const username = parameters.required('username');
      const clientId = parameters.clientId('client ID') ?? null;
      const account = draft.clients.get(username);
      if (account === undefined) throw new CommandError(notFound);
      draft.putClient({ ...account, clientId });
      draft.kick(username);
      return { log: [`username=${username}`, `clientid=${clientId ?? '(null)'}`] };
    },
  },
  {
    name: 'addClientRole',
    changes: true,
    run: (parameters, { draft }) => {
      const { account, roleName } = roleOf(parameters, draft);
      const priority = parameters.priority();
      // Mosquitto has no better words for a role that is there already.
      if (account.roles.some((link) => link.roleName === roleName)) throw new CommandError('Internal error');
      if (account.roles.length >= linksMax) throw new CommandError(`At most ${linksMax} roles are possible`);
      draft.putClient({ ...account, roles: sortRoleLinks([...account.roles, { roleName, priority }]) });
      draft.kick(account.username);
      return { log: [`username=${account.username}`, `rolename=${roleName}`, `priority=${priority}`] };
    },
  },
  {
    name: 'removeClientRole',
    changes: true,
    run: (parameters, { draft }) => {
      const { account, roleName } = roleOf(parameters, draft);
      draft.putClient({ ...account, roles: account.roles.filter((link) => link.roleName !== roleName) });
      draft.kick(account.username);
      return { log: [`username=${account.username}`, `rolename=${roleName}`] };
    },
  },
];
