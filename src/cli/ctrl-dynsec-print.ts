/** Answers of dynamic security as `mosquitto_ctrl` of 2.1 lays them out. */

type Data = Readonly<Record<string, unknown>>;

function objects(value: unknown): readonly Data[] {
  return Array.isArray(value) ? (value as readonly Data[]) : [];
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A title and its lines, the first beside it and the others below; nothing when there are none. */
function block(title: string, width: number, lines: readonly string[]): string {
  return lines.map((line, index) => `${(index === 0 ? title : '').padEnd(width)}${line}\n`).join('');
}

function linked(list: unknown, nameKey: string): string[] {
  return objects(list).map((link) => `${text(link[nameKey])} (priority: ${String(link['priority'] ?? -1)})`);
}

const access = ({ acltype, allow }: Data): string =>
  `${text(acltype).padEnd(20)} : ${allow === true ? 'allow' : 'deny'}`;

export function clientText({ client }: Data): string {
  const { username, clientid, disabled, roles, groups, connections } = (client ?? {}) as Data;
  const bound = text(clientid);
  return [
    block('Username:', 13, [text(username)]),
    bound === '' ? 'Clientid:\n' : block('Clientid:', 13, [bound]),
    disabled === true ? block('Disabled:', 13, ['true']) : '',
    block('Roles:', 13, linked(roles, 'rolename')),
    block('Groups:', 13, linked(groups, 'groupname')),
    block(
      'Connections:',
      13,
      objects(connections).map(({ address }) => text(address)),
    ),
  ].join('');
}

export function groupText({ group }: Data): string {
  const { groupname, roles, clients } = (group ?? {}) as Data;
  const members = objects(clients).map(({ username }) => text(username));
  return [
    block('Groupname:', 11, [text(groupname)]),
    block('Roles:', 11, linked(roles, 'rolename')),
    block('Clients:', 11, members),
  ].join('');
}

export function roleText({ role }: Data): string {
  const { rolename, acls } = (role ?? {}) as Data;
  const lines = objects(acls).map(
    (acl) => `${access(acl).padEnd(28)} : ${text(acl['topic'])} (priority: ${String(acl['priority'] ?? 0)})`,
  );
  return block('Rolename:', 10, [text(rolename)]) + block('ACLs:', 10, lines);
}

export function defaultAccessText({ acls }: Data): string {
  return objects(acls)
    .map((acl) => `${access(acl)}\n`)
    .join('');
}

export function anonymousGroupText({ group }: Data): string {
  return `${text((group as Data | undefined)?.['groupname'])}\n`;
}

/** @param key - of the list of names */
export const namesText =
  (key: string) =>
  (data: Data): string => {
    const names: unknown = data[key];
    return Array.isArray(names) ? names.map((name) => `${text(name)}\n`).join('') : '';
  };
