/** The command line of `moustique db`. */
import { join } from 'node:path';
import { ConfigErrors } from '../config/config-error.ts';
import { parseConfigFile } from '../config/load-config.ts';
import { UsageError } from './usage-error.ts';

const commands = ['check', 'repair', 'export', 'import'] as const;

export interface DbJob {
  readonly does: (typeof commands)[number];
  /** Path of the snapshot; the journal lies beside it. */
  readonly database: string;
  /** Of the export; '' for the commands that have none. */
  readonly file: string;
  readonly isJson: boolean;
  readonly isReplacing: boolean;
}

/** @throws UsageError */
export function parseDbWords(words: readonly string[]): DbJob {
  const operands: string[] = [];
  let database: string | undefined;
  let configFile: string | undefined;
  let isJson = false;
  let isReplacing = false;
  const valueOf = (option: string, value: string | undefined): string => {
    if (value === undefined) throw new UsageError(`Error: ${option} needs a file.`);
    return value;
  };
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (word === '-c' || word === '--config-file') configFile = valueOf(word, words[++index]);
    else if (word === '-d' || word === '--database') database = valueOf(word, words[++index]);
    else if (word === '--json') isJson = true;
    else if (word === '--replace') isReplacing = true;
    else if (word.startsWith('-') && word !== '-') throw new UsageError(`Error: Unknown option '${word}'.`);
    else operands.push(word);
  }
  const [name, file, ...others] = operands;
  const does = commands.find((command) => command === name);
  if (does === undefined) {
    throw new UsageError(name === undefined ? 'Error: No command given.' : `Error: Unknown command '${name}'.`);
  }
  const wantsFile = does === 'export' || does === 'import';
  if (wantsFile && file === undefined)
    throw new UsageError(`Error: '${does}' needs a FILE, or - for standard ${does === 'export' ? 'output' : 'input'}.`);
  if (others.length > 0 || (!wantsFile && file !== undefined)) {
    throw new UsageError(`Error: '${others[0] ?? file}' is one word too many; the database is named with -d or -c.`);
  }
  if (isJson && does !== 'check') throw new UsageError('Error: --json belongs to check.');
  if (isReplacing && does !== 'import') throw new UsageError('Error: --replace belongs to import.');
  if ((database === undefined) === (configFile === undefined)) {
    throw new UsageError('Error: Either -d DATABASE or -c CONFIGURATION is needed.');
  }
  return { does, database: database ?? databaseOf(configFile ?? ''), file: file ?? '', isJson, isReplacing };
}

/** Where a broker with this configuration keeps its database. */
function databaseOf(configFile: string): string {
  try {
    const { persistence, persistenceLocation, persistenceFile } = parseConfigFile(configFile, {
      acceptUnsupported: true,
    }).config.global;
    if (!persistence) throw new UsageError(`Error: ${configFile} does not have 'persistence true'.`);
    return join(persistenceLocation ?? '.', persistenceFile);
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    throw new UsageError(`Error: ${configFile} cannot be used:\n${error.lines.join('\n')}`);
  }
}
