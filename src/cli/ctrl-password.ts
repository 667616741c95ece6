/** Passwords that `moustique_ctrl` asks for, with Mosquitto's questions. */
import { PasswordPrompt } from './prompt-password.ts';
import type { ToolIo } from './tool-io.ts';

/** A new password, asked for twice; a string says in words why there is none. */
export async function askNewPassword(username: string, io: ToolIo, mayBeEmpty: boolean): Promise<Buffer | string> {
  const prompt = new PasswordPrompt(io, true);
  try {
    if (mayBeEmpty) {
      io.error(`Enter new password for ${username}. Press return for no password (user will be unable to login).\n`);
    }
    const first = await prompt.ask(`New password for ${username}: `);
    if (first === undefined || first.length === 0) return mayBeEmpty ? Buffer.alloc(0) : 'Error: Empty password.';
    const second = await prompt.ask(`Reenter password for ${username}: `);
    return second !== undefined && first.equals(second) ? first : 'Error: Passwords do not match.';
  } finally {
    prompt.close();
  }
}

/** The password of whoever connects; undefined when none was given. */
export async function askPassword(username: string, io: ToolIo): Promise<Buffer | undefined> {
  const prompt = new PasswordPrompt(io, true);
  try {
    return await prompt.ask(`Password for ${username}: `);
  } finally {
    prompt.close();
  }
}
