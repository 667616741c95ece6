import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { builtins } from '../base/builtins.ts';

/**
 * What reading a configuration asks of the machine: files, directories and the names of network interfaces.
 *
 * Everything is synchronous, because a configuration is read before anything runs, and on reload it must be read whole
 * before the next packet is judged.
 */
export interface ConfigSource {
  /** The bytes of a file. @throws when it cannot be read */
  readFile(path: string): Uint8Array;
  /** The names in a directory, in any order. @throws when it cannot be read */
  listDirectory(path: string): readonly string[];
  isDirectory(path: string): boolean;
  exists(path: string): boolean;
  /** The absolute path without symbolic links. @throws when there is nothing of that name */
  canonicalPath(path: string): string;
  /** Whether this machine has a network interface of that name. */
  hasInterface(name: string): boolean;
}

/** The machine itself. */
export const machine: ConfigSource = {
  readFile: (path) => readFileSync(path),
  listDirectory: (path) => readdirSync(path),
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  exists: (path) => existsSync(path),
  canonicalPath: (path) => realpathSync(path),
  hasInterface: (name) => builtins.os.networkInterfaces()[name] !== undefined,
};

/**
 * Files held in memory: for a configuration that is text, and for tests.
 *
 * @param files - absolute or relative path → content; directories follow from the paths
 * @param interfaces - names of network interfaces
 */
export function memorySource(
  files: Readonly<Record<string, string | Uint8Array>>,
  interfaces: readonly string[] = ['lo'],
): ConfigSource {
  const contents = new Map(Object.entries(files).map(([file, content]) => [posix.normalize(file), content]));
  const below = (path: string) => {
    const prefix = `${posix.normalize(path).replace(/\/+$/, '')}/`;
    const inside = [...contents.keys()].filter((file) => file.startsWith(prefix));
    return new Set(inside.map((file) => file.slice(prefix.length).split('/', 1)[0] ?? ''));
  };
  const exists = (path: string) => contents.has(posix.normalize(path)) || below(path).size > 0;
  const missing = (path: string) => new Error(`ENOENT: no such file or directory, '${path}'`);
  return {
    readFile: (path) => {
      const content = contents.get(posix.normalize(path));
      if (content === undefined) throw missing(path);
      return typeof content === 'string' ? Buffer.from(content) : content;
    },
    listDirectory: (path) => {
      const names = below(path);
      if (names.size === 0) throw missing(path);
      return [...names];
    },
    isDirectory: (path) => below(path).size > 0,
    exists,
    canonicalPath: (path) => {
      if (!exists(path)) throw missing(path);
      return posix.resolve('/', path);
    },
    hasInterface: (name) => interfaces.includes(name),
  };
}
