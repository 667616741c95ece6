/** Commands about roles and the rules in them. */
import { filterFault } from '../../topics/topic-filter.ts';
import type { Json } from '../control-request.ts';
import type { CommandRow } from './commands.ts';
import { aclTypeOf, withoutRepeated } from './document.ts';
import type { Draft } from './draft.ts';
import { aclJson, describedJson } from './format-document.ts';
import { listed } from './listing.ts';
import { CommandError, isMqttText, type Parameters } from './parameters.ts';
import { type Acl, type AclType, aclsMax, type Role, rolesMax, sortAcls } from './state.ts';

const notFound = 'Role not found';

function find(parameters: Parameters, draft: Draft, otherwise = notFound): Role {
  const role = draft.roles.get(parameters.required('rolename'));
  if (role === undefined) throw new CommandError(otherwise);
  return role;
}

function shownRole(role: Role): Json {
  const { roleName, allowWildcardSubs, acls } = role;
  return {
    rolename: roleName,
    ...describedJson(role),
    allowwildcardsubs: allowWildcardSubs,
    acls: acls.map(aclJson),
  };
}

function typeAndTopic(parameters: Parameters): { type: AclType; topic: string } {
  const type = aclTypeOf(parameters.required('acltype'));
  if (type === undefined) throw new CommandError('Unknown acltype');
  return { type, topic: parameters.required('topic') };
}

function aclOf(parameters: Parameters): Acl {
  const { type, topic } = typeAndTopic(parameters);
  if (!isMqttText(topic)) throw new CommandError('Topic not valid UTF-8');
  if (filterFault(topic) !== null) throw new CommandError('Invalid ACL topic');
  return { type, topic, priority: parameters.priority(0), allow: parameters.flag('allow', false) };
}

/** `acls` of a command; undefined when it has none. */
function aclsOf(parameters: Parameters): Acl[] | undefined {
  const given = parameters.list('acls', 'Invalid acls');
  if (given === undefined) return undefined;
  if (given.length > aclsMax) throw new CommandError(`At most ${aclsMax} ACLs are possible`);
  return sortAcls(withoutRepeated(given.map(aclOf)));
}

function wildcardSubs(parameters: Parameters, otherwise: boolean): boolean {
  const given = parameters.get('allowwildcardsubs');
  if (given === undefined) return otherwise;
  if (typeof given !== 'boolean') throw new CommandError('Invalid allowwildcardsubs');
  return given;
}

export const roleCommands: readonly CommandRow[] = [
  {
    name: 'createRole',
    changes: true,
    run: (parameters, { draft }) => {
      const roleName = parameters.newName('rolename', 'Role name');
      const described = parameters.described();
      const allowWildcardSubs = wildcardSubs(parameters, true);
      if (draft.roles.has(roleName)) throw new CommandError('Role already exists');
      if (draft.roles.size >= rolesMax) throw new CommandError(`At most ${rolesMax} roles are possible`);
      const acls = aclsOf(parameters) ?? [];
      draft.putRole({
        ...{ roleName, textName: null, textDescription: null, ...described },
        ...{ allowWildcardSubs, acls, unknown: {} },
      });
      return { log: [`rolename=${roleName}`] };
    },
  },
  {
    name: 'deleteRole',
    changes: true,
    run: (parameters, { draft }) => {
      const { roleName } = find(parameters, draft);
      draft.deleteRole(roleName);
      return { log: [`rolename=${roleName}`] };
    },
  },
  {
    name: 'getRole',
    changes: false,
    run: (parameters, { draft }) => {
      const role = find(parameters, draft);
      return { data: { role: shownRole(role) }, log: [`rolename=${role.roleName}`] };
    },
  },
  {
    name: 'listRoles',
    changes: false,
    run: (parameters, { draft: { roles } }) =>
      listed(parameters, 'roles', roles, (name) => {
        const role = roles.get(name);
        return role === undefined ? undefined : shownRole(role);
      }),
  },
  {
    name: 'modifyRole',
    changes: true,
    run: (parameters, { draft }) => {
      const role = find(parameters, draft, 'Role does not exist');
      const described = parameters.described();
      const allowWildcardSubs = wildcardSubs(parameters, role.allowWildcardSubs);
      const acls = aclsOf(parameters);
      draft.putRole({ ...role, ...described, allowWildcardSubs, acls: acls ?? role.acls });
      if (acls !== undefined || allowWildcardSubs !== role.allowWildcardSubs) draft.kickHolders(role.roleName);
      return { log: [`rolename=${role.roleName}`] };
    },
  },
  {
    name: 'addRoleACL',
    changes: true,
    run: (parameters, { draft }) => {
      const role = find(parameters, draft);
      const acl = aclOf(parameters);
      const { type, topic, priority, allow } = acl;
      if (role.acls.some((other) => other.type === type && other.topic === topic)) {
        throw new CommandError('ACL with this topic already exists');
      }
      if (role.acls.length >= aclsMax) throw new CommandError(`At most ${aclsMax} ACLs are possible`);
      draft.putRole({ ...role, acls: sortAcls([...role.acls, acl]) });
      draft.kickHolders(role.roleName);
      return {
        log: [
          `rolename=${role.roleName}`,
          `acltype=${type}`,
          `topic=${topic}`,
          `priority=${priority}`,
          `allow=${allow}`,
        ],
      };
    },
  },
  {
    name: 'removeRoleACL',
    changes: true,
    run: (parameters, { draft }) => {
      const role = find(parameters, draft);
      const { type, topic } = typeAndTopic(parameters);
      const acls = role.acls.filter((acl) => acl.type !== type || acl.topic !== topic);
      if (acls.length === role.acls.length) throw new CommandError('ACL not found');
      draft.putRole({ ...role, acls });
      draft.kickHolders(role.roleName);
      return { log: [`rolename=${role.roleName}`, `acltype=${type}`, `topic=${topic}`] };
    },
  },
];
