/** Commands of `moustique` beside the broker: `moustique pub …` is `moustique_pub …`. */
import type { ToolIo } from './tool-io.ts';

type Main = (words: readonly string[], io: ToolIo) => Promise<number>;

/** Name → how to load it; nothing is loaded before it is asked for. */
const commands: Readonly<Record<string, () => Promise<{ readonly main: Main }>>> = {
  completion: () => import('./completion.ts'),
  ctrl: () => import('./ctrl.ts'),
  db: () => import('./db.ts'),
  doctor: () => import('./doctor.ts'),
  link: () => import('./link.ts'),
  passwd: () => import('./passwd.ts'),
  pub: () => import('./pub.ts'),
  rr: () => import('./rr.ts'),
  signal: () => import('./signal.ts'),
  sub: () => import('./sub.ts'),
};

/** Whether the first word of the command line is a command; otherwise it belongs to the broker. */
export function isCommand(word: string | undefined): word is string {
  return word !== undefined && Object.hasOwn(commands, word);
}

/**
 * Runs a command and ends the process with its status.
 *
 * @param name - for which {@link isCommand} holds
 * @param words - what follows it
 */
export async function runCommand(name: string, words: readonly string[]): Promise<void> {
  const [{ runEntry }, command] = await Promise.all([import('./run-entry.ts'), commands[name]?.()]);
  if (command !== undefined) await runEntry(command.main, words, name);
}
