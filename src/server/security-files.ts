/** The files that say who may come in and what they may do, each read once however many listeners name it. */
import { AclRules } from '../security/acl-check.ts';
import { parseAclFile } from '../security/acl-file.ts';
import { parsePasswordFile } from '../security/password-file.ts';
import type { PasswordHash } from '../security/password-hash.ts';
import { parsePskFile } from '../security/psk-file.ts';
import { malformed, readSecurityFile, type SecurityFile, SecurityFileError } from '../security/security-file.ts';
import { parseTokenKeys, TokenKeyError, type TokenKeys } from '../security/token-keys.ts';
import { StartError } from './start-error.ts';

export class SecurityFiles {
  readonly #allowSymlinks: boolean;
  readonly #users = new Map<string, ReadonlyMap<string, PasswordHash>>();
  readonly #rules = new Map<string, AclRules>();
  readonly #pskKeys = new Map<string, ReadonlyMap<string, Buffer>>();
  readonly #tokenKeys = new Map<string, TokenKeys>();
  readonly #warnings: string[] = [];

  constructor(allowSymlinks: boolean) {
    this.#allowSymlinks = allowSymlinks;
  }

  /** Log lines about the files read so far. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /**
   * User name → password.
   *
   * @throws StartError - 13 when the file cannot be read, 3 when a line of it is wrong or it is empty
   */
  users(path: string): ReadonlyMap<string, PasswordHash> {
    const known = this.#users.get(path);
    if (known !== undefined) return known;
    const content = this.#read(path, `password-file: Error: Unable to open pwfile "${path}".`);
    if (content === '') {
      throw new StartError(
        [
          `password-file: Error: Password file "${path}" is empty: no user could connect. Add one with moustique_passwd.`,
        ],
        malformed,
      );
    }
    const { users, problems } = parsePasswordFile(content, path);
    if (problems.length > 0) {
      const lines = problems.flatMap(({ line, message }) => [
        `password-file: Error: ${message}`,
        `${path}:${line}: ${message}`,
      ]);
      throw new StartError(lines, malformed);
    }
    this.#users.set(path, users);
    return users;
  }

  /** @throws StartError - 13 when the file cannot be read, 3 when a line of it is wrong */
  rules(path: string): AclRules {
    const known = this.#rules.get(path);
    if (known !== undefined) return known;
    const file = parseAclFile(this.#read(path, `Error: Unable to open acl_file "${path}".`), path);
    if (file.problems.length > 0) {
      const lines = file.problems.flatMap(({ line, text }) => [text, `${path}:${line}: ${text}`]);
      throw new StartError([...lines, `Error opening acl file "${path}".`], malformed);
    }
    for (const { line, text } of file.warnings) this.#warnings.push(`${text} (${path}:${line})`);
    if (file.rules.length === 0) {
      this.#warnings.push(`Warning: ACL file ${path} has no rule, so nobody may read or write anything.`);
    }
    const rules = new AclRules(file);
    this.#rules.set(path, rules);
    return rules;
  }

  /**
   * Identity → pre-shared key.
   *
   * @throws StartError - 13 when the file cannot be read, 3 when a line of it is wrong or it is empty
   */
  pskKeys(path: string): ReadonlyMap<string, Buffer> {
    const known = this.#pskKeys.get(path);
    if (known !== undefined) return known;
    const cannotUse = `Error opening psk file "${path}".`;
    const content = this.#read(path, cannotUse);
    if (content === '') throw new StartError([`Error: PSK file "${path}" is empty.`, cannotUse], malformed);
    const { keys, problems, duplicates } = parsePskFile(content);
    if (problems.length > 0) {
      const lines = problems.flatMap(({ line, text }) => [text, `${path}:${line}: ${text}`]);
      throw new StartError([...lines, cannotUse], malformed);
    }
    for (const { line, text } of duplicates) this.#warnings.push(`${text} (${path}:${line}, the first one counts)`);
    this.#pskKeys.set(path, keys);
    return keys;
  }

  /**
   * What the signatures of tokens are checked with.
   *
   * @throws StartError - 13 when the file cannot be read, 3 when it holds nothing of the kind
   */
  tokenKeys(path: string): TokenKeys {
    const known = this.#tokenKeys.get(path);
    if (known !== undefined) return known;
    const cannotUse = `Error: Unable to use moustique_auth_jwt_key_file "${path}"`;
    const { content, warnings } = this.#open(path, `${cannotUse}.`);
    try {
      const keys = parseTokenKeys(content);
      // Public keys may be read by everybody.
      if (keys.kind === 'secret') this.#warnings.push(...warnings);
      this.#tokenKeys.set(path, keys);
      return keys;
    } catch (error) {
      if (!(error instanceof TokenKeyError)) throw error;
      throw new StartError([`${cannotUse}: ${error.message}.`], malformed, { cause: error });
    }
  }

  /** Certificates of authorities, in PEM form. @throws StartError - 13 when the file cannot be read */
  authorities(path: string): string {
    return this.#open(path, `Error: Unable to open moustique_auth_http_cafile "${path}".`).content;
  }

  #read(path: string, cannotOpen: string): string {
    const { content, warnings } = this.#open(path, cannotOpen);
    this.#warnings.push(...warnings);
    return content;
  }

  #open(path: string, cannotOpen: string): SecurityFile {
    try {
      return readSecurityFile(path, { cannotOpen, allowSymlinks: this.#allowSymlinks });
    } catch (error) {
      if (!(error instanceof SecurityFileError)) throw error;
      throw new StartError(error.lines, error.exitCode, { cause: error });
    }
  }
}
