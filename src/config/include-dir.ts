/** Which files of a directory `include_dir` reads, and in which order. */

/** Most files that one `include_dir` reads. */
export const includedFilesMax = 10_000;

/**
 * Names ending in `.conf` with something before it, sorted without regard to the case of ASCII letters; of two names
 * that differ in nothing else, the one with capitals comes first (`a.conf`, `B.conf`, `b.conf`).
 */
export function includedNames(names: readonly string[]): readonly string[] {
  return names
    .filter((name) => name.endsWith('.conf') && name.length > '.conf'.length)
    .map((name) => ({ name, bytes: Buffer.from(name), folded: Buffer.from(lowerAscii(name)) }))
    .sort((one, other) => one.folded.compare(other.folded) || one.bytes.compare(other.bytes))
    .map(({ name }) => name);
}

/** The path of a file in a directory. */
export function joined(directory: string, name: string): string {
  return directory.endsWith('/') ? `${directory}${name}` : `${directory}/${name}`;
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
