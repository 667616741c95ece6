/** PSK files: one `identity:key` per line, the key in hexadecimal digits. */

/** A line that makes the whole file unusable. */
export interface PskFileProblem {
  /** From 1. */
  readonly line: number;
  /** Mosquitto's words. */
  readonly text: string;
}

export interface PskFile {
  /** Identity → key. */
  readonly keys: ReadonlyMap<string, Buffer>;
  /** Empty when the file can be used. */
  readonly problems: readonly PskFileProblem[];
  /** Identities that are there more than once; the first line counts. */
  readonly duplicates: readonly PskFileProblem[];
}

/**
 * Reads a PSK file as Mosquitto does: `#` begins a comment at the start of a line only, lines without `:` are skipped, both
 * sides are trimmed.
 *
 * @param content - the whole file, UTF-8
 */
export function parsePskFile(content: string): PskFile {
  const keys = new Map<string, Buffer>();
  const problems: PskFileProblem[] = [];
  const duplicates: PskFileProblem[] = [];
  for (const [index, whole] of content.split('\n').entries()) {
    const line = index + 1;
    const colon = whole.indexOf(':');
    if (whole.startsWith('#') || colon < 0) continue;
    const identity = whole.slice(0, colon).trim();
    const digits = whole.slice(colon + 1).trim();
    if (identity === '') {
      problems.push({ line, text: 'Error: Empty identity.' });
    } else if (digits === '') {
      problems.push({ line, text: `Error: Empty psk for identity "${identity}".` });
    } else if (!/^[0-9a-fA-F]+$/.test(digits)) {
      problems.push({ line, text: `Error: psk for identity "${identity}" contains non-hexadecimal characters.` });
    } else if (keys.has(identity)) {
      duplicates.push({ line, text: `Error: Duplicate identity "${identity}".` });
    } else {
      // OpenSSL reads an odd number of digits as if a 0 stood before them.
      keys.set(identity, Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
    }
  }
  return { keys, problems, duplicates };
}
