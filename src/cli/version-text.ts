import { version } from '../base/version.ts';

/** The answer to `--version`. @param name - of the tool */
export function versionText(name: string): string {
  return `${name} version ${version}.\n`;
}
