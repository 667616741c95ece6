/**
 * The file of dynamic security, `dynamic-security.json`: JSON as Mosquitto 2.0 and 2.1 write it.
 *
 * A password is written twice, as `encoded_password` for 2.1 and as `password`, `salt` and `iterations` for 2.0, so that either
 * reads the file. Members that are not known here are kept and written back.
 */
import { jsonFault } from '../../base/json-fault.ts';
import { filterFault } from '../../topics/topic-filter.ts';
import { isJsonObject, type Json, member } from '../control-request.ts';
import { type PasswordHash, parsePasswordHash } from '../password-hash.ts';
import {
  type Account,
  type Acl,
  type AclType,
  aclTypes,
  clampPriority,
  clientsMax,
  type DefaultAccess,
  defaultAccessTypes,
  firstDefaults,
  type Group,
  type GroupLink,
  groupsMax,
  noPriority,
  type Role,
  type RoleLink,
  rolesMax,
  type SecurityState,
  sortAcls,
  sortGroupLinks,
  sortRoleLinks,
} from './state.ts';

export interface ParsedDocument {
  /** Of no use when there are problems. */
  readonly state: SecurityState;
  /** What makes the file unusable, as `FILE: clients[3].username: …`. */
  readonly problems: readonly string[];
  /** What is left out or probably not meant. */
  readonly warnings: readonly string[];
}

/**
 * @param content - the whole file
 * @param fileName - for the messages
 */
export function parseDocument(content: string, fileName: string): ParsedDocument {
  const reader = new Reader(fileName);
  const state = reader.read(content);
  return { state, problems: reader.problems, warnings: reader.warnings };
}

/** What stands for a table in the file: the known member names, without regard to case. */
const known = {
  document: ['changeIndex', 'defaultACLAccess', 'clients', 'groups', 'roles', 'anonymousGroup'],
  client: ['username', 'clientid', 'textname', 'textdescription', 'disabled', 'roles', 'groups'],
  password: ['encoded_password', 'password', 'salt', 'iterations'],
  group: ['groupname', 'textname', 'textdescription', 'roles', 'clients'],
  role: ['rolename', 'textname', 'textdescription', 'allowwildcardsubs', 'acls'],
} as const;

class Reader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #fileName: string;

  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  read(content: string): SecurityState {
    let document: unknown = {};
    try {
      document = JSON.parse(content);
    } catch {
      const at = jsonFault(content) ?? 0;
      const found = at < content.length ? `"${content[at]}" is` : 'the end of the file is';
      this.problems.push(`${this.#fileName}:${lineOf(content, at)}: not JSON: ${found} not expected here`);
    }
    if (!isJsonObject(document)) {
      this.#refuse('', 'expected an object');
      document = {};
    }
    const root = document as Json; // an object, see above
    const roles = new Map<string, Role>();
    const clients = new Map<string, Account>();
    const groups = new Map<string, Group>();
    this.#each(root, 'roles', rolesMax, (entry, place) => this.#role(entry, place, roles));
    this.#each(root, 'clients', clientsMax, (entry, place) => this.#client(entry, place, roles, clients));
    this.#each(root, 'groups', groupsMax, (entry, place) => this.#group(entry, place, roles, clients, groups));
    const anonymous = this.#text(root, '', 'anonymousGroup');
    if (anonymous !== null && !groups.has(anonymous)) this.#warn('anonymousGroup', `there is no group "${anonymous}"`);
    const changeIndex = member(root, 'changeIndex');
    return {
      changeIndex: Number.isSafeInteger(changeIndex) ? Number(changeIndex) : 0,
      defaults: this.#defaults(member(root, 'defaultACLAccess')),
      clients,
      groups,
      roles,
      anonymousGroup: anonymous !== null && groups.has(anonymous) ? anonymous : null,
      unknown: without(root, known.document),
    };
  }

  #role(entry: Json, place: string, roles: Map<string, Role>): void {
    const roleName = this.#name(entry, place, 'rolename', roles);
    if (roleName === null) return;
    const acls: Acl[] = [];
    this.#each(entry, 'acls', Number.POSITIVE_INFINITY, (acl, at) => this.#acl(acl, at, acls), place);
    roles.set(roleName, {
      roleName,
      ...this.#described(entry, place),
      allowWildcardSubs: this.#flag(entry, place, 'allowwildcardsubs', true),
      acls: sortAcls(withoutRepeated(acls)),
      unknown: without(entry, known.role),
    });
  }

  #acl(entry: Json, place: string, acls: Acl[]): void {
    const typeName = member(entry, 'acltype');
    const type = aclTypeOf(typeName);
    const topic = member(entry, 'topic');
    if (type === undefined) {
      this.#refuse(`${place}.acltype`, `expected one of ${aclTypes.join(', ')}, got ${JSON.stringify(typeName)}`);
    } else if (typeof topic !== 'string') {
      this.#refuse(`${place}.topic`, `expected a Topic Filter, got ${JSON.stringify(topic)}`);
    } else {
      if (filterFault(topic) !== null)
        this.#warn(`${place}.topic`, `"${topic}" is no Topic Filter and matches nothing`);
      const priority = this.#priority(entry, place, 0);
      acls.push({ type, topic, priority, allow: this.#flag(entry, place, 'allow', false) });
    }
  }

  #client(entry: Json, place: string, roles: ReadonlyMap<string, Role>, clients: Map<string, Account>): void {
    const username = this.#name(entry, place, 'username', clients);
    if (username === null) return;
    const password = passwordOf(entry);
    const passwordMembers = only(entry, known.password);
    if (password === null && Object.keys(passwordMembers).length > 0) {
      this.#warn(place, `the password of "${username}" is not understood: nobody can log in with it`);
    }
    clients.set(username, {
      username,
      ...this.#described(entry, place),
      password,
      passwordMembers: password === null ? passwordMembers : null,
      clientId: this.#text(entry, place, 'clientid'),
      isDisabled: this.#flag(entry, place, 'disabled', false),
      roles: this.#roleLinks(entry, place, roles),
      groups: [],
      unknown: without(entry, [...known.client, ...known.password]),
    });
  }

  #group(
    entry: Json,
    place: string,
    roles: ReadonlyMap<string, Role>,
    clients: Map<string, Account>,
    groups: Map<string, Group>,
  ): void {
    const groupName = this.#name(entry, place, 'groupname', groups);
    if (groupName === null) return;
    const members = new Map<string, number>();
    this.#each(
      entry,
      'clients',
      Number.POSITIVE_INFINITY,
      (link, at) => {
        const username = this.#text(link, at, 'username');
        const account = username === null ? undefined : clients.get(username);
        if (username === null || account === undefined) {
          this.#warn(at, `there is no client ${JSON.stringify(username)}`);
        } else if (!members.has(username)) {
          const priority = this.#priority(link, at, noPriority);
          members.set(username, priority);
          const links: GroupLink[] = [...account.groups, { groupName, priority }];
          clients.set(username, { ...account, groups: sortGroupLinks(links) });
        }
      },
      place,
    );
    groups.set(groupName, {
      groupName,
      ...this.#described(entry, place),
      roles: this.#roleLinks(entry, place, roles),
      members,
      unknown: without(entry, known.group),
    });
  }

  #roleLinks(entry: Json, place: string, roles: ReadonlyMap<string, Role>): RoleLink[] {
    const links = new Map<string, RoleLink>();
    this.#each(
      entry,
      'roles',
      Number.POSITIVE_INFINITY,
      (link, at) => {
        const roleName = this.#text(link, at, 'rolename');
        if (roleName === null || !roles.has(roleName)) {
          this.#warn(at, `there is no role ${JSON.stringify(roleName)}`);
        } else if (!links.has(roleName)) {
          links.set(roleName, { roleName, priority: this.#priority(link, at, noPriority) });
        }
      },
      place,
    );
    return sortRoleLinks([...links.values()]);
  }

  #defaults(given: unknown): DefaultAccess {
    if (given === undefined) return firstDefaults;
    if (!isJsonObject(given)) {
      this.#refuse('defaultACLAccess', 'expected an object');
      return firstDefaults;
    }
    const defaults = { ...firstDefaults };
    for (const type of defaultAccessTypes) defaults[type] = this.#flag(given, 'defaultACLAccess', type, defaults[type]);
    return defaults;
  }

  #described(entry: Json, place: string) {
    return {
      textName: this.#text(entry, place, 'textname'),
      textDescription: this.#text(entry, place, 'textdescription'),
    };
  }

  /** The elements of a list; there need not be one. */
  #each(parent: Json, name: string, most: number, read: (entry: Json, place: string) => void, above = ''): void {
    const given = member(parent, name);
    const place = join(above, name);
    if (given === undefined) return;
    if (!Array.isArray(given)) {
      this.#refuse(place, 'expected a list');
      return;
    }
    if (given.length > most) this.#refuse(place, `at most ${most} of them are possible`);
    for (const [index, entry] of (given as unknown[]).entries()) {
      if (isJsonObject(entry)) read(entry, `${place}[${index}]`);
      else this.#refuse(`${place}[${index}]`, 'expected an object');
    }
  }

  /** The name of a thing; null when it has none, or another one has it already. */
  #name(entry: Json, place: string, name: string, others: ReadonlyMap<string, unknown>): string | null {
    const given = member(entry, name);
    if (typeof given !== 'string') {
      this.#refuse(
        `${place}.${name}`,
        given === undefined ? 'is missing' : `expected text, got ${JSON.stringify(given)}`,
      );
      return null;
    }
    if (!others.has(given)) return given;
    this.#warn(`${place}.${name}`, `"${given}" is there already, the first one counts`);
    return null;
  }

  /** @returns null when it is not there or empty */
  #text(entry: Json, place: string, name: string): string | null {
    const given = member(entry, name);
    if (given === undefined || given === null || given === '') return null;
    if (typeof given === 'string') return given;
    this.#refuse(join(place, name), `expected text, got ${JSON.stringify(given)}`);
    return null;
  }

  #flag(entry: Json, place: string, name: string, otherwise: boolean): boolean {
    const given = member(entry, name);
    if (given === undefined) return otherwise;
    if (typeof given === 'boolean') return given;
    this.#refuse(`${place}.${name}`, `expected true or false, got ${JSON.stringify(given)}`);
    return otherwise;
  }

  #priority(entry: Json, place: string, otherwise: number): number {
    const given = member(entry, 'priority');
    if (given === undefined) return otherwise;
    if (typeof given === 'number') return clampPriority(given);
    this.#refuse(`${place}.priority`, `expected a number, got ${JSON.stringify(given)}`);
    return otherwise;
  }

  #refuse(place: string, what: string): void {
    this.problems.push(`${this.#fileName}: ${place === '' ? '' : `${place}: `}${what}`);
  }

  #warn(place: string, what: string): void {
    this.warnings.push(`Warning: ${this.#fileName}: ${place}: ${what}.`);
  }
}

/** The type of that name, whatever its case. */
export function aclTypeOf(name: unknown): AclType | undefined {
  if (typeof name !== 'string') return undefined;
  const lower = name.toLowerCase();
  return aclTypes.find((type) => type.toLowerCase() === lower);
}

/** The first of those that have type and topic in common. */
export function withoutRepeated(acls: readonly Acl[]): Acl[] {
  const seen = new Set<string>();
  return acls.filter(({ type, topic }) => {
    const key = `${type} ${topic}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function passwordOf(entry: Json): PasswordHash | null {
  const encoded = member(entry, 'encoded_password');
  const hash = member(entry, 'password');
  const salt = member(entry, 'salt');
  const iterations = member(entry, 'iterations') ?? 101;
  const text =
    typeof encoded === 'string'
      ? encoded
      : typeof hash === 'string' && typeof salt === 'string' && typeof iterations === 'number'
        ? `$7$${iterations}$${salt}$${hash}`
        : '';
  const parsed = parsePasswordHash(text);
  return parsed.ok ? parsed.value : null;
}

function without(object: Json, names: readonly string[]): Json {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(object).filter(([name]) => !lower.has(name.toLowerCase())));
}

function only(object: Json, names: readonly string[]): Json {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(object).filter(([name]) => lower.has(name.toLowerCase())));
}

function join(place: string, name: string): string {
  return place === '' ? name : `${place}.${name}`;
}

/** Of a place in a text, from 1. */
function lineOf(content: string, offset: number): number {
  return content.slice(0, offset).split('\n').length;
}
