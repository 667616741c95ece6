/** What `moustique_ctrl dynsec` does to the file itself. */
import { chmodSync, existsSync } from 'node:fs';
import { Draft } from '../security/dynsec/draft.ts';
import { administratorState } from '../security/dynsec/first-state.ts';
import { formatDocument } from '../security/dynsec/format-document.ts';
import { readDocument } from '../security/dynsec/open-document.ts';
import { writeDocument } from '../security/dynsec/write-document.ts';
import { hashPassword } from '../security/password-hash.ts';
import { createPrivateFile } from '../security/replace-file.ts';
import { SecurityFileError } from '../security/security-file.ts';
import { actAsOwnerOf } from './act-as-owner.ts';
import { askNewPassword } from './ctrl-password.ts';
import { ExitCode, errnoText } from './exit-code.ts';
import type { ToolIo } from './tool-io.ts';

const iterationsMax = 2 ** 31 - 1;

/** `init FILE USERNAME [PASSWORD]`; scripts call it every time, so a file that is there is no failure. Mosquitto. */
export async function initFile(words: readonly string[], io: ToolIo): Promise<number> {
  const [file, username, given] = words;
  if (file === undefined || username === undefined || words.length > 3) {
    io.error('dynsec init: Not enough arguments - filename, or admin-user missing.\nError: Invalid input.\n');
    return ExitCode.Invalid;
  }
  const cannotOpen = (why: string): number => {
    io.error(`dynsec init: Unable to open '${file}' for writing (${why}).\n`);
    return ExitCode.Success;
  };
  if (existsSync(file)) return cannotOpen('File exists');
  const password = given === undefined ? await askNewPassword(username, io, false) : io.bytesOf(given);
  if (typeof password === 'string' || password.length === 0) {
    io.error(`${typeof password === 'string' ? password : 'Error: Empty password.'}\n`);
    return ExitCode.Success;
  }
  const state = administratorState(username, await hashPassword(password));
  try {
    actAsOwnerOf(file);
    createPrivateFile(file, Buffer.from([...formatDocument(state)].join('')));
    // Mosquitto: its group may read it, so that root can make it for a broker.
    chmodSync(file, 0o640);
  } catch (error) {
    return cannotOpen(errnoText(error));
  }
  io.stdout.text(
    [
      `The client '${username}' has been created in the file '${file}'.`,
      'It may administer dynamic security and read every topic, and publish nowhere else.',
      'Make clients for your applications, for example:',
      ...['createRole ROLENAME', 'addRoleACL ROLENAME publishClientSend my/topic allow', 'createClient USERNAME'].map(
        (command) => `   ${io.name} <connect options> dynsec ${command}`,
      ),
      `   ${io.name} <connect options> dynsec addClientRole USERNAME ROLENAME`,
      '',
    ].join('\n'),
  );
  return ExitCode.Success;
}

/** `-f FILE dynsec setClientPassword USERNAME [PASSWORD] [-i ITERATIONS]` */
export async function setPasswordInFile(file: string, words: readonly string[], io: ToolIo): Promise<number> {
  const at = words.indexOf('-i');
  const iterations = at < 0 ? undefined : Number(words[at + 1]);
  const [username, given, ...others] = at < 0 ? words : words.toSpliced(at, 2);
  const isNumber = iterations === undefined || (Number.isInteger(iterations) && iterations >= 1);
  if (username === undefined || others.length > 0 || !isNumber || (iterations ?? 1) > iterationsMax) {
    io.error('Error: Invalid input.\n');
    return ExitCode.Invalid;
  }
  try {
    const { state } = readDocument(file, io.environment['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] !== undefined);
    const account = state.clients.get(username);
    if (account === undefined) {
      io.error('setClientPassword: Error: Client not found.\n');
      return ExitCode.Success;
    }
    const password = given === undefined ? await askNewPassword(username, io, false) : io.bytesOf(given);
    if (typeof password === 'string' || password.length === 0) {
      io.error(`${typeof password === 'string' ? password : 'Error: Empty password.'}\n`);
      return ExitCode.Success;
    }
    const hash = await hashPassword(password, iterations === undefined ? {} : { iterations });
    const draft = new Draft(state);
    draft.putClient({ ...account, password: hash, passwordMembers: null });
    draft.changed();
    actAsOwnerOf(file);
    await writeDocument(file, () => formatDocument(draft.finish()));
    return ExitCode.Success;
  } catch (error) {
    if (error instanceof SecurityFileError) {
      io.error(error.lines.map((line) => `${line}\n`).join(''));
      return error.exitCode;
    }
    io.error(`Error: Unable to write '${file}' (${errnoText(error)}).\n`);
    return ExitCode.Errno;
  }
}
