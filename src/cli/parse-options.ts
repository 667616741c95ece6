/**
 * Reads the command line of a client tool by the table of options.
 *
 * Mosquitto's rules: options are read from left to right and later ones override; an option and its argument are two words (no
 * `-p1883`), switches do not combine (no `-dv`), the word after an option that takes one is always its argument (`-m -5`).
 */
import { clientOptions } from './client-options.ts';
import type { OptionContext, OptionRow } from './option-row.ts';
import { defaultOptionsFile, optionsFileNames, readOptionsFile } from './options-file.ts';
import {
  checkProperties,
  errorOfPropertyFault,
  PROPERTY_COMMANDS,
  propertyRow,
  readPropertyOption,
} from './property-option.ts';
import { defaultToolOptions, type Tool, type ToolOptions } from './tool-options.ts';
import { UsageError } from './usage-error.ts';

/** What the command line asks for. */
export type Request =
  | { readonly wants: 'run'; readonly options: ToolOptions }
  | { readonly wants: 'help' }
  | { readonly wants: 'version' };

/** Everything outside the command line that decides about the options. */
export interface OptionSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The bytes of an argument, see {@link OptionContext.bytesOf}. */
  bytesOf(value: string): Buffer;
}

/**
 * Defaults, then the options file, then the command line.
 *
 * @param words - without the name of the program
 * @throws UsageError - in Mosquitto's words
 */
export function parseOptions(tool: Tool, words: readonly string[], sources: OptionSources): Request {
  const options = defaultToolOptions(tool);
  const context: OptionContext = { bytesOf: sources.bytesOf };
  for (const line of optionsFileLines(tool, words, sources)) {
    const asked = applyWords(options, line, context, 'file');
    if (asked !== undefined) return { wants: asked };
  }
  const asked = applyWords(options, words, context, 'command line');
  if (asked !== undefined) return { wants: asked };
  finishOptions(options);
  return { wants: 'run', options };
}

function optionsFileLines(
  tool: Tool,
  words: readonly string[],
  sources: OptionSources,
): readonly (readonly string[])[] {
  const named = namedOptionsFile(tool, words);
  if (named !== undefined) return readOptionsFile(named) ?? [];
  for (const name of optionsFileNames(tool)) {
    const path = defaultOptionsFile(sources.environment, name);
    const lines = path === undefined ? undefined : readOptionsFile(path);
    if (lines !== undefined) return lines;
  }
  return [];
}

/** The file of the last `-o`; the other options are stepped over by their number of arguments. */
function namedOptionsFile(tool: Tool, words: readonly string[]): string | undefined {
  let path: string | undefined;
  for (let index = 0; index < words.length; ) {
    const row = findRow(tool, words[index] ?? '');
    if (row === undefined || row.prints !== undefined) break;
    if (row.flags[0] === '-o') path = words[index + 1] ?? path;
    if (row.isProperty) index += words[index + 2]?.toLowerCase() === 'user-property' ? 5 : 4;
    else index += row.argument === undefined ? 1 : 2;
  }
  return path;
}

function findRow(tool: Tool, word: string): OptionRow | undefined {
  return clientOptions.find((row) => row.flags.includes(word) && row.tools.includes(tool));
}

function applyWords(
  options: ToolOptions,
  words: readonly string[],
  context: OptionContext,
  from: 'file' | 'command line',
): 'help' | 'version' | undefined {
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const row = findRow(options.tool, word);
    if (row === undefined) throw new UsageError(`Error: Unknown option '${word}'.`);
    if (row.prints !== undefined) return row.prints;
    if (row.isProperty) {
      // In a file the rest of the line is one argument; a property is the only option that needs it cut up.
      const rest = from === 'file' ? propertyWords(words[1] ?? '') : words.slice(index + 1);
      options.protocolVersion = 5;
      const used = readPropertyOption(rest, options.properties);
      index += from === 'file' ? 1 : used;
      continue;
    }
    if (row.argument === undefined) {
      row.apply(options, '', context);
      continue;
    }
    const value = words[index + 1];
    if (value === undefined) {
      throw new UsageError(`Error: ${row.missingFlag ?? row.flags[0]} argument given but ${row.missing}.`, 'spaced');
    }
    row.apply(options, value, context);
    index++;
  }
  return undefined;
}

/** `publish content-type text/plain; x` → three words, the last one with its blanks; four for a user-property. */
function propertyWords(text: string): readonly string[] {
  const count = /^\S+\s+user-property\s/i.test(text) ? 4 : 3;
  const words: string[] = [];
  let rest = text;
  while (words.length < count - 1) {
    const match = /^(\S+)\s+/.exec(rest);
    if (match === null) break;
    words.push(match[1] ?? '');
    rest = rest.slice(match[0].length);
  }
  return rest === '' ? words : [...words, rest];
}

/** Rules between options, in Mosquitto's order: the first that is broken is reported. */
function finishOptions(options: ToolOptions): void {
  checkWill(options);
  checkTls(options);
  checkSession(options);
  checkTool(options);
  for (const command of PROPERTY_COMMANDS) {
    const fault = checkProperties(command, options.properties[command].collection);
    if (fault !== undefined) {
      throw new UsageError(`Error in ${command.toUpperCase()} properties: ${errorOfPropertyFault(fault)}`);
    }
  }
}

function checkWill(options: ToolOptions): void {
  if (options.willTopic !== undefined) return;
  if (options.willPayload !== undefined) {
    throw new UsageError('Error: Will payload given, but no will topic given.');
  }
  if (options.willRetain) throw new UsageError('Error: Will retain given, but no will topic given.');
}

function checkTls(options: ToolOptions): void {
  const { tls } = options;
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new UsageError('Error: Both certfile and keyfile must be provided if one of them is set.');
  }
  if (tls.keyForm !== undefined && tls.keyFile === undefined) {
    throw new UsageError('Error: If keyform is set, keyfile must be also specified.');
  }
  if (tls.engineKeyPassSha1 !== undefined && (tls.engine === undefined || tls.keyForm === undefined)) {
    throw new UsageError('Error: when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.');
  }
  if ((tls.caFile !== undefined || tls.caPath !== undefined) && tls.psk !== undefined) {
    throw new UsageError('Error: Only one of --psk or --cafile/--capath may be used at once.');
  }
  if (tls.psk !== undefined && tls.pskIdentity === undefined) {
    throw new UsageError('Error: --psk-identity required if --psk used.');
  }
  // Mosquitto: the port alone is enough to ask for TLS with the system's authorities.
  const isOwnTrust = tls.caFile !== undefined || tls.caPath !== undefined || tls.psk !== undefined;
  if (options.port === 8883 && !isOwnTrust) tls.useOsCertificates = true;
}

function checkSession(options: ToolOptions): void {
  if (options.protocolVersion !== 5) {
    if (!options.cleanStart && options.clientId === undefined) {
      throw new UsageError('Error: You must provide a client id if you are using the -c option.');
    }
    return;
  }
  const seconds = options.sessionExpiryInterval ?? (options.cleanStart ? 0 : 0xffff_ffff);
  if (seconds === 0) return;
  if (seconds === 0xffff_ffff && options.clientId === undefined) {
    throw new UsageError('Error: You must provide a client id if you are using an infinite session expiry interval.');
  }
  options.properties.connect.add(propertyRow('session-expiry-interval'), seconds);
}

function checkTool(options: ToolOptions): void {
  switch (options.tool) {
    case 'sub':
      if (options.topics.length === 0 && options.unsubscribes.length === 0) {
        throw new UsageError('Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).');
      }
      return;
    case 'rr':
      if (options.topics.length === 0 || options.source === undefined || options.responseTopic === undefined) {
        throw new UsageError('Error: All of topic, message, and response topic must be supplied.');
      }
      return;
    default:
      return;
  }
}
