/**
 * ACL files: which topics a user, or every client, may read and write.
 *
 * ```
 * topic read public/#            clients without a user name
 * user anne
 * topic readwrite anne/#         anne
 * topic deny anne/secret
 * pattern write sensor/%c/#      every client; %c Client Identifier, %u user name
 * ```
 */
import { filterFault } from '../topics/topic-filter.ts';

export type AclAccess = 'read' | 'write' | 'readwrite' | 'deny';

/** One `topic` or `pattern` line. */
export interface AclRule {
  /** Its place in {@link AclFile.rules}, from 1. */
  readonly id: number;
  /** From 1. */
  readonly line: number;
  readonly keyword: 'topic' | 'pattern';
  /** Whose rule it is; null: clients without a user name (`topic`), or every client (`pattern`). */
  readonly user: string | null;
  readonly access: AclAccess;
  /** A legal Topic Filter; in patterns `%c` and `%u` are not replaced yet. */
  readonly filter: string;
}

/** Something about one line, for the operator. */
export interface AclRemark {
  /** From 1. */
  readonly line: number;
  /** Mosquitto's words, ending in a full stop. */
  readonly text: string;
}

export interface AclFile {
  /** As given to {@link parseAclFile}. */
  readonly fileName: string;
  /** Every rule in the order of the file. Bounded by the file. */
  readonly rules: readonly AclRule[];
  /** Rules of clients without a user name. */
  readonly anonymous: readonly AclRule[];
  /** User name → rules; a `user` line without rules is here with none. */
  readonly users: ReadonlyMap<string, readonly AclRule[]>;
  readonly patterns: readonly AclRule[];
  /** Lines that make the file unusable; empty when it can be used. */
  readonly problems: readonly AclRemark[];
  /** Lines that are probably not what was meant. */
  readonly warnings: readonly AclRemark[];
}

const accessWords: readonly AclAccess[] = ['read', 'write', 'readwrite', 'deny'];

/**
 * Reads an ACL file as Mosquitto does: a space separates (a TAB does not), `#` begins a comment at the start of a line only, and
 * the topic is the rest of the line. Every problem is reported, so that an operator sees all of them at once.
 *
 * @param content - the whole file, UTF-8
 * @param fileName - for the messages
 */
export function parseAclFile(content: string, fileName: string): AclFile {
  const rules: AclRule[] = [];
  const anonymous: AclRule[] = [];
  const users = new Map<string, AclRule[]>();
  const patterns: AclRule[] = [];
  const problems: AclRemark[] = [];
  const warnings: AclRemark[] = [];
  let user: string | null = null;
  const lines = content.split('\n');
  for (const [index, whole] of lines.entries()) {
    const line = index + 1;
    const refuse = (text: string): void => void problems.push({ line, text: `Error: ${text}` });
    if (whole.startsWith('#')) continue;
    const text = whole.trimEnd().replace(/^ +/, '');
    if (text === '') continue;
    const space = text.indexOf(' ');
    const keyword = space < 0 ? text : text.slice(0, space);
    const rest = space < 0 ? '' : text.slice(space + 1).trimStart();
    if (text.includes('\ufffd')) {
      refuse(`Malformed UTF-8 in acl_file "${fileName}".`);
    } else if (keyword === 'user') {
      if (rest === '') {
        refuse(`Missing username in acl_file "${fileName}".`);
        continue;
      }
      user = rest;
      if (!users.has(user)) users.set(user, []);
    } else if (keyword === 'topic' || keyword === 'pattern') {
      const parsed = parseRule(rest, fileName);
      if (typeof parsed === 'string') {
        refuse(parsed);
        continue;
      }
      const rule = {
        id: rules.length + 1,
        line,
        keyword,
        user: keyword === 'pattern' ? null : user,
        ...parsed,
      } as const;
      rules.push(rule);
      if (keyword === 'pattern') {
        patterns.push(rule);
        if (!/%[cu]/.test(rule.filter)) {
          const warning = `Warning: ACL pattern '${rule.filter}' does not contain '%c' or '%u'.`;
          warnings.push({ line, text: warning });
        }
      } else if (user === null) {
        anonymous.push(rule);
      } else {
        users.get(user)?.push(rule);
      }
    } else {
      refuse(`Invalid line in acl_file "${fileName}": ${keyword}.`);
    }
  }
  return { fileName, rules, anonymous, users, patterns, problems, warnings };
}

/** What follows `topic` or `pattern`: `[access] FILTER`; in words what is wrong with it. */
function parseRule(rest: string, fileName: string): { readonly access: AclAccess; readonly filter: string } | string {
  if (rest === '') return `Empty topic in acl_file "${fileName}".`;
  const space = rest.indexOf(' ');
  // A single word is the topic, also when it is the name of an access type.
  let access: AclAccess = 'readwrite';
  let filter = rest;
  if (space >= 0) {
    const word = rest.slice(0, space);
    const found = accessWords.find((known) => known === word);
    if (found === undefined) return `Invalid topic access type "${word}" in acl_file "${fileName}".`;
    access = found;
    filter = rest.slice(space + 1).trimStart();
  }
  if (filterFault(filter) !== null) return `Invalid ACL topic "${filter}" in acl_file "${fileName}".`;
  return { access, filter };
}
