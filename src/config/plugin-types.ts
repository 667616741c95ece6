/** Values of plugin lines and of `include_dir`, which Mosquitto does not trim. */
import { ValueError, type ValueType } from './option.ts';
import { meantPath, path, unexpected } from './value-types.ts';

/**
 * A path that begins after the one space behind the option's name and ends with the line.
 *
 * Mosquitto counts blanks at both ends as part of the name. Unless something of that very name exists, or the mode is
 * strict, they are dropped here with a warning.
 */
export function untrimmedPath(expects: string): ValueType<string> {
  return {
    ...path(expects),
    parse: (line, context) => meantPath(line.text, line, context),
  };
}

/** A plugin loaded under a name, for `plugin_use`. */
export interface LoadedPlugin {
  readonly name: string;
  readonly path: string;
}

/** `plugin_load NAME PATH` */
export function loadedPlugin(): ValueType<LoadedPlugin> {
  return {
    expects: 'NAME PATH',
    reads: 'line',
    parse: (line, context) => {
      const [name] = line.words();
      if (name === undefined) throw new ValueError(`Empty '${context.name}' value in configuration.`);
      if (!line.isLegal(name)) throw new ValueError('Malformed UTF-8 in configuration.');
      const literal = line.text.replace(/^ */, '').slice(name.length + 1);
      if (literal.trim() === '') throw new ValueError(`Missing plugin path for plugin name '${name}'.`);
      return { name, path: meantPath(literal, line, context) };
    },
    accept: (value) => {
      throw unexpected('name and path', value);
    },
  };
}

/** The value of `plugin_opt_KEY VALUE`: blanks before it are dropped, those behind it are kept. */
export function pluginOptionValue(): ValueType<string> {
  return {
    expects: 'text',
    reads: 'line',
    parse: (line, { name }) => {
      const value = line.text.replace(/^[ \t]+/, '');
      if (value === '') throw new ValueError(`Empty '${name}' value in configuration.`);
      if (!line.isLegal(value)) throw new ValueError('Malformed UTF-8 in configuration.');
      return value;
    },
    accept: (value) => {
      if (typeof value !== 'string') throw unexpected('text', value);
      return value;
    },
  };
}
