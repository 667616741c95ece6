/**
 * Dynamic security as a value: who there is, in which groups, with which roles.
 *
 * A {@link SecurityState} never changes; commands work on a {@link Draft} (see `draft.ts`) that becomes the next one.
 */
import type { Json } from '../control-request.ts';
import type { PasswordHash } from '../password-hash.ts';

/** In the order in which they are written. */
export const aclTypes = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const;
export type AclType = (typeof aclTypes)[number];

/** What is decided where no role says anything; in the order in which they are written. */
export const defaultAccessTypes = ['publishClientSend', 'publishClientReceive', 'subscribe', 'unsubscribe'] as const;
export type DefaultAccess = Readonly<Record<(typeof defaultAccessTypes)[number], boolean>>;

/** What a new file says. */
export const firstDefaults: DefaultAccess = {
  publishClientSend: false,
  publishClientReceive: true,
  subscribe: false,
  unsubscribe: true,
};

/** Priorities are −100,000 to 100,000; the higher one is looked at first. */
export const priorityMax = 100_000;
/** Of roles and groups that were given without one. */
export const noPriority = -1;

/** Bounds of the tables, far above what anybody has: one client must not be able to fill the memory. */
export const clientsMax = 1_000_000;
export const groupsMax = 100_000;
export const rolesMax = 100_000;
export const aclsMax = 10_000;
/** Roles of one client or group, groups of one client. */
export const linksMax = 1000;
/** Bytes of a name or a text: what an MQTT string holds. */
export const textBytesMax = 65_535;

export interface Acl {
  readonly type: AclType;
  /** A Topic Filter; `%c` and `%u` stand for the client's names, but not in the literal types. */
  readonly topic: string;
  readonly priority: number;
  readonly allow: boolean;
}

/** Names that people give to things, and what a file has beyond what is known here, which is written back. */
interface Described {
  readonly textName: string | null;
  readonly textDescription: string | null;
  readonly unknown: Json;
}

export interface RoleLink {
  readonly roleName: string;
  readonly priority: number;
}

export interface GroupLink {
  readonly groupName: string;
  readonly priority: number;
}

/** A client: who knows the user name and the password. */
export interface Account extends Described {
  readonly username: string;
  /** null: nobody can log in with it. */
  readonly password: PasswordHash | null;
  /** Members of the file that hold the password, as they were read; null where `password` says it all. */
  readonly passwordMembers: Json | null;
  /** The only Client Identifier it may use; null: any. */
  readonly clientId: string | null;
  readonly isDisabled: boolean;
  /** Sorted as they are evaluated, at most {@link linksMax}. */
  readonly roles: readonly RoleLink[];
  /** Sorted as they are evaluated, at most {@link linksMax}. */
  readonly groups: readonly GroupLink[];
}

export interface Group extends Described {
  readonly groupName: string;
  /** Sorted as they are evaluated, at most {@link linksMax}. */
  readonly roles: readonly RoleLink[];
  /** User name → priority of this group for that client. */
  readonly members: ReadonlyMap<string, number>;
}

export interface Role extends Described {
  readonly roleName: string;
  /** Whether its holders may subscribe with wildcards. */
  readonly allowWildcardSubs: boolean;
  /** By type, then as they are evaluated; at most {@link aclsMax}, none twice. */
  readonly acls: readonly Acl[];
}

export interface SecurityState {
  /** Counts commands that changed something. */
  readonly changeIndex: number;
  readonly defaults: DefaultAccess;
  /** User name → client. */
  readonly clients: ReadonlyMap<string, Account>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly roles: ReadonlyMap<string, Role>;
  /** Whose roles clients without a user name have; null: of none. */
  readonly anonymousGroup: string | null;
  readonly unknown: Json;
}

/** Higher priorities first, then by name. */
export function sortRoleLinks(links: readonly RoleLink[]): RoleLink[] {
  return [...links].sort((one, other) => other.priority - one.priority || compareNames(one.roleName, other.roleName));
}

/** Higher priorities first, then by name. */
export function sortGroupLinks(links: readonly GroupLink[]): GroupLink[] {
  return [...links].sort((one, other) => other.priority - one.priority || compareNames(one.groupName, other.groupName));
}

/** By type, then higher priorities first; those that are equal stay as they are. */
export function sortAcls(acls: readonly Acl[]): Acl[] {
  const order = (type: AclType): number => aclTypes.indexOf(type);
  return [...acls].sort((one, other) => order(one.type) - order(other.type) || other.priority - one.priority);
}

export function compareNames(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

export function clampPriority(priority: number): number {
  return Math.trunc(Math.max(-priorityMax, Math.min(priorityMax, priority)));
}
