/** Commands of `moustique_ctrl dynsec`: one row for each, from which arguments, answers and help follow. */
import { aclTypes, defaultAccessTypes } from '../security/dynsec/state.ts';
import {
  anonymousGroupText,
  clientText,
  defaultAccessText,
  groupText,
  namesText,
  roleText,
} from './ctrl-dynsec-print.ts';

type Data = Readonly<Record<string, unknown>>;

/** A member of the request, read from a word; undefined when the word is none of what is possible. */
type Reader = (word: string) => Data | undefined;

export interface DynsecRow {
  readonly name: string;
  readonly chapter: 'General' | 'Clients' | 'Groups' | 'Roles';
  /** Words that have to be there. */
  readonly words: readonly (readonly [called: string, read: Reader])[];
  /** Words that may follow. */
  readonly more?: readonly (readonly [called: string, read: Reader])[];
  /** Options behind the words: flag → what its argument is. */
  readonly flags?: Readonly<Record<string, readonly [called: string, read: Reader]>>;
  /** Makes one member of what was read, such as a list with one element. */
  readonly as?: (read: Data) => Data;
  /** Whether a new password is asked for when there is none, and whether it may be empty. */
  readonly asksPassword?: 'may be empty' | 'must not be empty';
  readonly print?: (data: Data) => string;
  readonly help: string;
}

const member =
  (name: string): Reader =>
  (word) => ({ [name]: word });

const integer =
  (name: string): Reader =>
  (word) =>
    /^-?\d{1,9}$/.test(word) ? { [name]: Number(word) } : undefined;

const oneOf =
  (name: string, words: readonly string[]): Reader =>
  (word) => {
    const found = words.find((one) => one.toLowerCase() === word.toLowerCase());
    return found === undefined ? undefined : { [name]: found };
  };

const allow: Reader = (word) => {
  const lower = word.toLowerCase();
  return lower === 'allow' || lower === 'deny' ? { allow: lower === 'allow' } : undefined;
};

const username = ['USERNAME', member('username')] as const;
const group = ['GROUPNAME', member('groupname')] as const;
const role = ['ROLENAME', member('rolename')] as const;
const priority = ['PRIORITY', integer('priority')] as const;
const page = [
  ['COUNT', integer('count')],
  ['OFFSET', integer('offset')],
] as const;
const aclType = ['ACLTYPE', oneOf('acltype', aclTypes)] as const;
const topic = ['TOPIC', member('topic')] as const;
const verdict = ['allow|deny', allow] as const;
const clientId = ['CLIENTID', member('clientid')] as const;

export const dynsecRows: readonly DynsecRow[] = [
  {
    ...{ name: 'getDefaultACLAccess', chapter: 'General', words: [], print: defaultAccessText },
    help: 'What is allowed where no role says anything.',
  },
  {
    ...{ name: 'setDefaultACLAccess', chapter: 'General' },
    words: [[defaultAccessTypes.join('|'), oneOf('acltype', defaultAccessTypes)], verdict],
    as: (read) => ({ acls: [read] }),
    help: 'Changes that.',
  },
  {
    ...{ name: 'getAnonymousGroup', chapter: 'General', words: [], print: anonymousGroupText },
    help: 'The group whose roles clients without a user name have.',
  },
  {
    ...{ name: 'setAnonymousGroup', chapter: 'General', words: [group] },
    help: 'Changes that.',
  },
  {
    ...{ name: 'createClient', chapter: 'Clients', words: [username] },
    flags: { '-i': clientId, '-c': clientId, '-p': ['PASSWORD', member('password')] },
    asksPassword: 'may be empty',
    help: 'A new client. Without -p its password is asked for; -i (or -c) binds it to one client id.',
  },
  { name: 'deleteClient', chapter: 'Clients', words: [username], help: 'Deletes a client.' },
  { name: 'enableClient', chapter: 'Clients', words: [username], help: 'Lets a client in again.' },
  { name: 'disableClient', chapter: 'Clients', words: [username], help: 'Lets a client in no more.' },
  {
    ...{ name: 'setClientPassword', chapter: 'Clients', words: [username], more: [['PASSWORD', member('password')]] },
    asksPassword: 'must not be empty',
    help: 'A new password; asked for when it is not given.',
  },
  {
    ...{ name: 'setClientId', chapter: 'Clients', words: [username], more: [clientId] },
    help: 'Binds a client to one client id; without one it may have any.',
  },
  {
    ...{ name: 'addClientRole', chapter: 'Clients', words: [username, role], more: [priority] },
    help: 'Gives a client a role. Higher priorities are looked at first.',
  },
  { name: 'removeClientRole', chapter: 'Clients', words: [username, role], help: 'Takes a role from a client.' },
  { name: 'getClient', chapter: 'Clients', words: [username], print: clientText, help: 'All about a client.' },
  { name: 'listClients', chapter: 'Clients', words: [], more: page, print: namesText('clients'), help: 'All clients.' },
  { name: 'createGroup', chapter: 'Groups', words: [group], help: 'A new group.' },
  { name: 'deleteGroup', chapter: 'Groups', words: [group], help: 'Deletes a group.' },
  {
    ...{ name: 'addGroupRole', chapter: 'Groups', words: [group, role], more: [priority] },
    help: 'Gives the clients of a group a role.',
  },
  { name: 'removeGroupRole', chapter: 'Groups', words: [group, role], help: 'Takes a role from a group.' },
  {
    ...{ name: 'addGroupClient', chapter: 'Groups', words: [group, username], more: [priority] },
    help: 'Puts a client into a group. The priority is that of the group for this client.',
  },
  { name: 'removeGroupClient', chapter: 'Groups', words: [group, username], help: 'Takes a client out of a group.' },
  { name: 'getGroup', chapter: 'Groups', words: [group], print: groupText, help: 'All about a group.' },
  { name: 'listGroups', chapter: 'Groups', words: [], more: page, print: namesText('groups'), help: 'All groups.' },
  { name: 'createRole', chapter: 'Roles', words: [role], help: 'A new role.' },
  { name: 'deleteRole', chapter: 'Roles', words: [role], help: 'Deletes a role.' },
  {
    ...{ name: 'addRoleACL', chapter: 'Roles', words: [role, aclType, topic, verdict], more: [priority] },
    help: `Adds a rule to a role. ACLTYPE is one of ${aclTypes.join(', ')}. %c and %u in TOPIC stand for client id and user name, but not in the literal types.`,
  },
  {
    ...{ name: 'removeRoleACL', chapter: 'Roles', words: [role, aclType, topic] },
    help: 'Takes a rule out of a role.',
  },
  { name: 'getRole', chapter: 'Roles', words: [role], print: roleText, help: 'All about a role.' },
  { name: 'listRoles', chapter: 'Roles', words: [], more: page, print: namesText('roles'), help: 'All roles.' },
];

/** What the words behind a command say; undefined when they are not what it takes. */
export function readWords(row: DynsecRow, given: readonly string[]): Data | undefined {
  const { words, more = [], flags = {}, as = (read) => read } = row;
  const places = [...words, ...more];
  let read: Data = {};
  let taken = 0;
  for (let index = 0; index < given.length; index++) {
    let word = given[index] ?? '';
    let place = flags[word];
    if (place === undefined) {
      place = places[taken++];
    } else {
      const argument = given[++index];
      if (argument === undefined) return undefined;
      word = argument;
    }
    const part = place?.[1](word);
    if (part === undefined) return undefined;
    read = { ...read, ...part };
  }
  return taken < words.length ? undefined : as(read);
}

/** `createClient USERNAME [-i CLIENTID] …` */
export function usageOf({ name, words, more = [], flags = {} }: DynsecRow): string {
  const optional = more.reduceRight((inner, [called]) => ` [${called}${inner}]`, '');
  const options = Object.entries(flags)
    .filter(([flag]) => flag !== '-c')
    .map(([flag, [called]]) => ` [${flag} ${called}]`);
  return [name, ...words.map(([called]) => called)].join(' ') + optional + options.join('');
}
