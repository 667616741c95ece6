import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Our own executables, by the name they are installed under. */
export type Executable =
  | 'moustique'
  | 'moustique_pub'
  | 'moustique_sub'
  | 'moustique_rr'
  | 'moustique_passwd'
  | 'moustique_signal'
  | 'moustique_ctrl';

/**
 * The command that runs one of our executables, to be followed by its arguments.
 *
 * @throws Error if it has not been built
 */
export function moustiqueCommand(name: Executable): readonly string[] {
  const bundle = join(repositoryRoot, 'dist', 'bin', name);
  if (!existsSync(`${bundle}.cjs`) && !existsSync(`${bundle}.js`)) {
    throw new Error(`dist/bin/${name}.js is missing: run "npm run build" first`);
  }
  return [process.execPath, join(repositoryRoot, 'bin', `${name}.js`)];
}
