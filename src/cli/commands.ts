/** Commands of `moustique` beside the broker: `moustique pub …` is `moustique_pub …`. */
import type { ToolIo } from './tool-io.ts';

type Main = (words: readonly string[], io: ToolIo) => Promise<number>;

/** Name → how to load it; nothing is loaded before it is asked for. */
const commands: Readonly<Record<string, () => Promise<{ readonly main: Main }>>> = {
  completion: () => import('./completion.ts'),
  ctrl: () => import('./ctrl.ts'),
  db: () => import('./db.ts'),
  doctor: () => import('./doctor.ts'),
  help: () => import('./commands-help.ts'),
  history: () => import('./history.ts'),
  link: () => import('./link.ts'),
  passwd: () => import('./passwd.ts'),
  pub: () => import('./pub.ts'),
  rr: () => import('./rr.ts'),
  signal: () => import('./signal.ts'),
  sub: () => import('./sub.ts'),
};

/** What may follow `moustique`. */
export const commandNames: readonly string[] = Object.keys(commands);

/** The tool of a command, undefined for a name that is none. */
export async function mainOf(name: string): Promise<Main | undefined> {
  return isCommand(name) ? (await commands[name]?.())?.main : undefined;
}

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
  const [{ runEntry }, main] = await Promise.all([import('./run-entry.ts'), mainOf(name)]);
  if (main !== undefined) await runEntry(main, words, name);
}
