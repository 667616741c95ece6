/** A password file and an ACL file as a broker of a thousand users has them, for the scenarios with rules. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const USERS = 1000;
export const ACL_LINES = 1000;
/** Everybody's; the files live as long as one run. */
const PASSWORD = 'bench';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The user of a publisher, numbered from 0, or of a subscriber: users from the other end. */
export function credentialsOf(role: 'publisher' | 'subscriber', index: number): Credentials {
  const number = role === 'publisher' ? index : USERS - 1 - index;
  return { username: `user${String(number).padStart(6, '0')}`, password: PASSWORD };
}

/** Lines of a password file, each with Mosquitto's sha512 form: cheap to check, so that connecting is not what is measured. */
export function passwordLines(): string[] {
  return Array.from({ length: USERS }, (_, index) => {
    const salt = randomBytes(12);
    const hash = createHash('sha512').update(PASSWORD).update(salt).digest('base64');
    return `${credentialsOf('publisher', index).username}:$6$${salt.toString('base64')}$${hash}`;
  });
}

/**
 * Lines of an ACL file: a block for each publisher and subscriber of the pattern, then blocks of users that do not take part.
 *
 * @param publishers - how many, at most 100 · @param subscribers - how many, at most 100
 */
export function aclLines(publishers: number, subscribers: number): string[] {
  const lines = ['pattern readwrite users/%u/#', 'pattern read announcements/%c'];
  for (let index = 0; index < publishers; index++) {
    lines.push(`user ${credentialsOf('publisher', index).username}`, 'topic read config/#', 'topic write bench/#');
  }
  for (let index = 0; index < subscribers; index++) {
    lines.push(
      `user ${credentialsOf('subscriber', index).username}`,
      'topic deny bench/private/#',
      'topic read bench/#',
    );
  }
  for (let index = publishers; lines.length < ACL_LINES; index++) {
    const block = [`user ${credentialsOf('publisher', index).username}`, `topic readwrite home/room${index}/#`];
    lines.push(...block.slice(0, ACL_LINES - lines.length));
  }
  return lines;
}

/** Writes both files into `directory`, readable by brokers that change their user. @returns lines of a mosquitto.conf */
export function writeAccessFiles(directory: string): string[] {
  const files = { password_file: passwordLines(), acl_file: aclLines(100, 10) };
  return Object.entries(files).map(([option, lines]) => {
    const path = join(directory, option);
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o644 });
    return `${option} ${path}`;
  });
}
