/** Values of the options of the HTTP interface. */
import { ValueError, type ValueType } from './option.ts';
import { unexpected } from './value-types.ts';

export const httpRoles = ['viewer', 'operator', 'admin'] as const;

export interface HttpRole {
  readonly role: (typeof httpRoles)[number];
  /** `*` for everybody without a line of their own. */
  readonly username: string;
}

/** `ROLE USER`, collected in order; the user is the rest of the line. */
export function httpRole(): ValueType<readonly HttpRole[]> {
  const expects = 'viewer, operator or admin, and a user name';
  return {
    expects,
    reads: 'line',
    parse: (line, { name }, soFar = []) => {
      const [, word = '', username = ''] = /^(\S*)[ \t]*(.*)$/s.exec(line.trimmed()) ?? [];
      if (word === '') throw new ValueError(`Empty '${name}' value in configuration.`);
      if (!line.isLegal(line.trimmed())) throw new ValueError('Malformed UTF-8 in configuration.');
      if (!isRole(word)) throw new ValueError(`Invalid '${name}' value (${word}).`, `expected ${expects}`);
      if (username === '') throw new ValueError(`Invalid '${name}' value (${word}).`, 'the user name is missing');
      return [...soFar, { role: word, username }];
    },
    accept: (value) => {
      const isList = Array.isArray(value) && value.every(isHttpRole);
      if (!isList) throw unexpected('array of { role, username }', value);
      return value as readonly HttpRole[]; // every element was looked at
    },
  };
}

function isRole(word: unknown): word is HttpRole['role'] {
  return (httpRoles as readonly unknown[]).includes(word);
}

function isHttpRole(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { role, username } = value as Partial<HttpRole>;
  return isRole(role) && typeof username === 'string' && username !== '';
}
