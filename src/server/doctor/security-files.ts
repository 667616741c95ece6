/** Files of passwords and rights: whether they can be used, how strong they are, whether they fit together. */
import { existsSync } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { parseAclFile } from '../../security/acl-file.ts';
import { readDocument } from '../../security/dynsec/open-document.ts';
import { parsePasswordFile } from '../../security/password-file.ts';
import type { PasswordHash } from '../../security/password-hash.ts';
import { readSecurityFile, SecurityFileError } from '../../security/security-file.ts';
import { dynsecFileOf } from '../dynamic-security.ts';
import { SecurityFiles } from '../security-files.ts';
import { StartError } from '../start-error.ts';
import { type Finding, placeOf } from './finding.ts';

/** Rounds of PBKDF2 that Mosquitto 2.1 writes; 2.0 wrote 101. */
const enoughIterations = 1000;

export function inspectSecurityFiles(config: Config, allowSymlinks: boolean): Finding[] {
  const findings: Finding[] = [];
  const read = (path: string, place: string): string | null => {
    try {
      const { content, warnings } = readSecurityFile(path, { cannotOpen: '', allowSymlinks });
      for (const warning of warnings) {
        if (!warning.startsWith('Warning: ')) continue;
        const [, text = warning] = /^Warning: File (.*?)\. Future versions/.exec(warning) ?? [];
        findings.push({
          severity: 'warning',
          code: 'file-permissions',
          place,
          text: `File ${text}.`,
          instead: `chmod 0640 ${path}; chown root:${config.global.user} ${path}`,
        });
      }
      return content;
    } catch (error) {
      if (!(error instanceof SecurityFileError)) throw error;
      const text = error.lines.at(-1)?.replace(/^Error: /, '') ?? '';
      findings.push({ severity: 'error', code: 'file-unusable', place, text, instead: '' });
      return null;
    }
  };
  for (const { passwordFile, aclFile, knowsOthers, place } of filesOf(config)) {
    const users = passwordFile === null ? null : inspectPasswords(passwordFile, place, read, findings);
    if (aclFile !== null) inspectRights(aclFile, place, knowsOthers ? null : users, read, findings);
  }
  return [...findings, ...inspectDynsec(config, allowSymlinks), ...inspectKeys(config, allowSymlinks)];
}

/** The file of dynamic security: whether the broker would start with it, and what is odd in it. One that is not there is made. */
function inspectDynsec(config: Config, allowSymlinks: boolean): Finding[] {
  const path = dynsecFileOf(config);
  if (path === null || !existsSync(path)) return [];
  const place = path;
  try {
    const { warnings } = readDocument(path, allowSymlinks);
    return warnings
      .filter((line) => line.startsWith(`Warning: ${path}: `))
      .map((line) => ({
        ...{ severity: 'warning', code: 'dynsec-file', place, instead: '' },
        text: line.slice('Warning: '.length),
      }));
  } catch (error) {
    if (!(error instanceof SecurityFileError)) throw error;
    const text = error.lines.map((line) => line.replace(/^Error: /, '')).join(' ');
    return [{ severity: 'error', code: 'file-unusable', place, text, instead: '' }];
  }
}

interface FilePair {
  readonly passwordFile: string | null;
  readonly aclFile: string | null;
  /** Whether users come in who are not in the password file. */
  readonly knowsOthers: boolean;
  readonly place: string;
}

/** Every pair of files that belong together, once, with where they are named. */
function filesOf(config: Config): FilePair[] {
  const { listeners, origin } = config;
  const pairs = new Map<string, FilePair>();
  for (const { passwordFile, aclFile, moustiqueAuthHttpUrl, moustiqueAuthJwtKeyFile, origin: own } of listeners) {
    const named = own['password_file'] ?? own['acl_file'] ?? origin['password_file'] ?? origin['acl_file'];
    const knowsOthers =
      moustiqueAuthHttpUrl !== null || moustiqueAuthJwtKeyFile !== null || dynsecFileOf(config) !== null;
    const pair = { passwordFile, aclFile, knowsOthers, place: placeOf(named) };
    pairs.set(JSON.stringify([passwordFile, aclFile, knowsOthers]), pair);
  }
  return [...pairs.values()];
}

/** Files of pre-shared keys and of keys for tokens: whether the broker would start with them. */
function inspectKeys({ listeners, origin }: Config, allowSymlinks: boolean): Finding[] {
  const files = new SecurityFiles(allowSymlinks);
  const findings = new Map<string, Finding>();
  const attempt = (read: () => unknown, place: string): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const text = error.lines.map((line) => line.replace(/^Error: /, '')).join(' ');
      findings.set(text, { severity: 'error', code: 'file-unusable', place, text, instead: '' });
    }
  };
  for (const { pskFile, moustiqueAuthJwtKeyFile: keyFile, origin: own } of listeners) {
    const place = (option: string): string => placeOf(own[option] ?? origin[option]);
    if (pskFile !== null) attempt(() => files.pskKeys(pskFile), place('psk_file'));
    if (keyFile !== null) attempt(() => files.tokenKeys(keyFile), place('moustique_auth_jwt_key_file'));
  }
  return [...findings.values()];
}

type Read = (path: string, place: string) => string | null;

/** @returns the users that can connect; null when the file cannot be read */
function inspectPasswords(path: string, place: string, read: Read, findings: Finding[]): ReadonlySet<string> | null {
  const content = read(path, place);
  if (content === null) return null;
  if (content === '') {
    findings.push({
      severity: 'error',
      code: 'password-file-empty',
      place,
      text: `${path} is empty: no user could connect.`,
      instead: `moustique_passwd ${path} NAME`,
    });
  }
  const { users, problems } = parsePasswordFile(content, path);
  for (const { line, message } of problems) {
    findings.push({ severity: 'error', code: 'password-file', place: `${path}:${line}`, text: message, instead: '' });
  }
  const weak = new Map<string, string[]>();
  for (const [name, stored] of users) {
    const why = weakness(stored);
    if (why !== undefined) weak.set(why, [...(weak.get(why) ?? []), name]);
  }
  for (const [why, names] of weak) {
    const shown = names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
    findings.push({
      severity: 'warning',
      code: 'weak-hash',
      place: path,
      text: `${why}: ${shown}. Whoever gets hold of the file finds short passwords quickly.`,
      instead: `set them again with moustique_passwd -H argon2id ${path} NAME`,
    });
  }
  return new Set(users.keys());
}

function weakness(stored: PasswordHash): string | undefined {
  if (stored.scheme === 'sha512') return 'Passwords are stored as one round of SHA-512';
  if (stored.scheme === 'sha512-pbkdf2' && stored.iterations < enoughIterations) {
    return `Passwords are stored with ${stored.iterations} rounds of PBKDF2`;
  }
  return undefined;
}

function inspectRights(
  path: string,
  place: string,
  users: ReadonlySet<string> | null,
  read: Read,
  findings: Finding[],
): void {
  const content = read(path, place);
  if (content === null) return;
  const file = parseAclFile(content, path);
  for (const { line, text } of file.problems) {
    findings.push({
      severity: 'error',
      code: 'acl-file',
      place: `${path}:${line}`,
      text: text.replace(/^Error: /, ''),
      instead: '',
    });
  }
  for (const { line, text } of file.warnings) {
    const words = text.replace(/^Warning: /, '');
    findings.push({ severity: 'warning', code: 'acl-pattern', place: `${path}:${line}`, text: words, instead: '' });
  }
  if (file.rules.length === 0 && file.problems.length === 0) {
    const text = `${path} has no rule, so nobody may read or write anything.`;
    findings.push({ severity: 'warning', code: 'acl-empty', place, text, instead: '' });
  }
  if (users === null) return;
  for (const [name, rules] of file.users) {
    if (users.has(name)) continue;
    findings.push({
      severity: 'warning',
      code: 'acl-unknown-user',
      place: rules[0] === undefined ? path : `${path}:${rules[0].line}`,
      text: `There are rules for user ${name}, who is not in the password file.`,
      instead: '',
    });
  }
}
