/**
 * The next state while commands work on it. What they do is seen by nobody before it is taken, and forgotten when it is not.
 *
 * A table is copied when it is first written to, so that a draft costs what it changes. Clients know their groups and groups
 * their clients; both sides change together here and nowhere else.
 */
import {
  type Account,
  type DefaultAccess,
  type Group,
  type Role,
  type SecurityState,
  sortGroupLinks,
} from './state.ts';

/** Whose rights are others now; null stands for clients without a user name. */
export interface Affected {
  readonly everyone: boolean;
  readonly users: ReadonlySet<string | null>;
  /** Of these, who is disconnected. */
  readonly kicked: ReadonlySet<string | null>;
}

export class Draft {
  readonly #base: SecurityState;
  #clients: Map<string, Account> | null = null;
  #groups: Map<string, Group> | null = null;
  #roles: Map<string, Role> | null = null;
  #defaults: DefaultAccess;
  #anonymousGroup: string | null;
  #changes = 0;
  #everyone = false;
  readonly #users = new Set<string | null>();
  readonly #kicked = new Set<string | null>();
  /** Tables of members that were copied for this draft. */
  readonly #ownMembers = new WeakSet<ReadonlyMap<string, number>>();

  constructor(base: SecurityState) {
    this.#base = base;
    this.#defaults = base.defaults;
    this.#anonymousGroup = base.anonymousGroup;
  }

  get clients(): ReadonlyMap<string, Account> {
    return this.#clients ?? this.#base.clients;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups ?? this.#base.groups;
  }

  get roles(): ReadonlyMap<string, Role> {
    return this.#roles ?? this.#base.roles;
  }

  get defaults(): DefaultAccess {
    return this.#defaults;
  }

  get anonymousGroup(): string | null {
    return this.#anonymousGroup;
  }

  get changeIndex(): number {
    return this.#base.changeIndex + this.#changes;
  }

  get affected(): Affected {
    return { everyone: this.#everyone, users: this.#users, kicked: this.#kicked };
  }

  /** A command changed something. */
  changed(): void {
    this.#changes++;
  }

  /** The next state; the old one when nothing was changed. */
  finish(): SecurityState {
    if (this.#changes === 0) return this.#base;
    return {
      changeIndex: this.changeIndex,
      defaults: this.#defaults,
      clients: this.clients,
      groups: this.groups,
      roles: this.roles,
      anonymousGroup: this.#anonymousGroup,
      unknown: this.#base.unknown,
    };
  }

  setDefaults(defaults: DefaultAccess): void {
    this.#defaults = defaults;
    this.#everyone = true;
  }

  setAnonymousGroup(groupName: string): void {
    this.#anonymousGroup = groupName;
    this.kick(null);
  }

  /** @param groups - of the account are those it is in already; see {@link join} */
  putClient(account: Account): void {
    this.#clients ??= new Map(this.#base.clients);
    this.#clients.set(account.username, account);
    this.#users.add(account.username);
  }

  deleteClient(account: Account): void {
    for (const { groupName } of account.groups) this.leave(groupName, account.username);
    this.#clients ??= new Map(this.#base.clients);
    this.#clients.delete(account.username);
    this.kick(account.username);
  }

  putGroup(group: Group): void {
    this.#groups ??= new Map(this.#base.groups);
    this.#groups.set(group.groupName, group);
  }

  deleteGroup(group: Group): void {
    this.kickMembers(group);
    for (const username of [...group.members.keys()]) this.leave(group.groupName, username);
    this.#groups ??= new Map(this.#base.groups);
    this.#groups.delete(group.groupName);
  }

  putRole(role: Role): void {
    this.#roles ??= new Map(this.#base.roles);
    this.#roles.set(role.roleName, role);
  }

  /** Takes it from everybody who has it. */
  deleteRole(roleName: string): void {
    this.kickHolders(roleName);
    const isOther = (link: { readonly roleName: string }): boolean => link.roleName !== roleName;
    for (const account of this.clients.values()) {
      if (!account.roles.every(isOther)) this.putClient({ ...account, roles: account.roles.filter(isOther) });
    }
    for (const group of this.groups.values()) {
      if (!group.roles.every(isOther)) this.putGroup({ ...group, roles: group.roles.filter(isOther) });
    }
    this.#roles ??= new Map(this.#base.roles);
    this.#roles.delete(roleName);
  }

  /** Puts a client into a group; both exist and it is not in it yet. */
  join(groupName: string, username: string, priority: number): void {
    const group = this.groups.get(groupName);
    const account = this.clients.get(username);
    if (group === undefined || account === undefined) return;
    const members = this.#membersOf(group);
    members.set(username, priority);
    this.putGroup({ ...group, members });
    this.putClient({ ...account, groups: sortGroupLinks([...account.groups, { groupName, priority }]) });
  }

  /** Takes a client out of a group; nothing happens when it is not in it. */
  leave(groupName: string, username: string): void {
    const group = this.groups.get(groupName);
    const account = this.clients.get(username);
    if (group?.members.has(username) !== true || account === undefined) return;
    const members = this.#membersOf(group);
    members.delete(username);
    this.putGroup({ ...group, members });
    this.putClient({ ...account, groups: account.groups.filter((link) => link.groupName !== groupName) });
  }

  /** Clients with this user name are disconnected once the draft is taken. */
  kick(username: string | null): void {
    this.#users.add(username);
    this.#kicked.add(username);
  }

  /** Kicks everybody who has the group's roles. */
  kickMembers(group: Group): void {
    for (const username of group.members.keys()) this.kick(username);
    if (group.groupName === this.#anonymousGroup) this.kick(null);
  }

  /** Kicks everybody who has the role, from itself or from a group. */
  kickHolders(roleName: string): void {
    const isIt = (link: { readonly roleName: string }): boolean => link.roleName === roleName;
    for (const { username, roles } of this.clients.values()) if (roles.some(isIt)) this.kick(username);
    for (const group of this.groups.values()) if (group.roles.some(isIt)) this.kickMembers(group);
  }

  #membersOf(group: Group): Map<string, number> {
    const { members } = group;
    if (this.#ownMembers.has(members)) return members as Map<string, number>; // made below
    const own = new Map(members);
    this.#ownMembers.add(own);
    return own;
  }
}

/** Names in the order in which they are listed and written. */
export function sortedNames(table: ReadonlyMap<string, unknown>): string[] {
  // By UTF-16 code units, which is what it does without being told how.
  return [...table.keys()].sort();
}
