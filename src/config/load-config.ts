/** mosquitto.conf → {@link Config}. */
import type { Config, Notice } from './config.ts';
import { type ConfigError, ConfigErrors } from './config-error.ts';
import { type ConfigDraft, emptyDraft } from './draft.ts';
import { parseFiles } from './parse.ts';
import { resolve } from './resolve.ts';
import { checkRules } from './rules.ts';
import { type ConfigSource, machine } from './source.ts';

/** How a configuration is read. */
export interface LoadOptions {
  /** Refuse whatever Mosquitto refuses, even when the meaning is beyond doubt. Absent: false. */
  readonly strict?: boolean;
  /** `-p`: ports of the loopback listeners. Without effect when the configuration has a listener. */
  readonly ports?: readonly number[];
  /** Do not refuse options that are understood but cannot be honoured yet. Absent: false. */
  readonly acceptUnsupported?: boolean;
  /** Where files are read from. Absent: this machine. */
  readonly source?: Partial<ConfigSource>;
}

/** A configuration and what the operator should know about it. */
export interface LoadedConfig {
  readonly config: Config;
  /** every notice, in the order in which it is to be logged */
  readonly notices: readonly Notice[];
  /** those of `notices` that are warnings */
  readonly warnings: readonly Notice[];
}

/**
 * Reads a configuration file and the files it includes.
 *
 * @param path - as given on the command line; messages name it so
 * @throws ConfigErrors - with every error that was found; `lines` is what to print, `exitCode` how to end
 */
export function parseConfigFile(path: string, options: LoadOptions = {}): LoadedConfig {
  const source = { ...machine, ...options.source };
  const { draft, errors, notices } = parseFiles(path, source, options.strict === true);
  return finishConfig(draft, errors, notices, options);
}

/** The configuration without any file: local-only mode. */
export function defaultConfig(options: Pick<LoadOptions, 'ports'> = {}): Config {
  return resolve(emptyDraft(null), options.ports ?? []);
}

/**
 * Applies the rules between options and resolves.
 *
 * @throws ConfigErrors
 */
export function finishConfig(
  draft: ConfigDraft,
  errors: readonly ConfigError[],
  notices: readonly Notice[],
  options: LoadOptions,
): LoadedConfig {
  throwErrors(errors);
  const found = checkRules(draft, options.acceptUnsupported === true);
  throwErrors(found.errors);
  const all = [...notices, ...found.notices];
  return {
    config: resolve(draft, options.ports ?? []),
    notices: all,
    warnings: all.filter(({ level }) => level === 'warning'),
  };
}

function throwErrors([first, ...others]: readonly ConfigError[]): void {
  if (first !== undefined) throw new ConfigErrors([first, ...others]);
}
