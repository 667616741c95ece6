import { versionText } from './version-text.ts';

/** The usage text of passwd. */
export function passwdHelp(name: string): string {
  return `${name} makes and edits password files for an MQTT broker.
${versionText(name)}
Usage: ${name} [-H HASH] [-I COUNT] [-c | -D] FILE USERNAME
       ${name} [-H HASH] [-I COUNT] [-c] -b FILE USERNAME PASSWORD
       ${name} [-H HASH] [-I COUNT] -U FILE

Without an option the user is added, or gets a new password, which is asked for.

  -b    Take the password from the command line, where others may see it.
  -c    Make a new file; an existing one is not touched.
  -D    Remove the user.
  -H HASH
        sha512-pbkdf2 (the default), argon2id (stronger, for Mosquitto 2.1 and
        this broker) or sha512 (for very old brokers).
  -I COUNT
        Iterations of sha512-pbkdf2. Default: 1000.
  -U    Hash every password of the file that is still plain text.
  --salt-bytes 64
        Write long salts with the sha512 hashes, as Mosquitto 2.1 does;
        brokers of version 2.0 cannot read them. Default: 12.

FILE can be - to print the line instead.
`;
}
