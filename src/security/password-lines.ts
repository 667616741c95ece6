/** A password file as `moustique_passwd` edits it: line by line, order and everything else kept. */
import { parsePasswordHash } from './password-hash.ts';

/** A line that is no entry, comment or blank. */
export class CorruptPasswordFile extends Error {
  override readonly name = 'CorruptPasswordFile';
  /** From 1. */
  readonly line: number;

  constructor(line: number) {
    super(`Corrupt password file at line ${line}.`);
    this.line = line;
  }
}

type Line =
  | { readonly kind: 'entry'; readonly username: string; hash: string }
  | { readonly kind: 'other'; readonly text: string };

/** The lines of one file. Texts are latin1, one character per byte, so that names in any encoding stay as they are. */
export class PasswordLines {
  readonly #lines: Line[] = [];

  /**
   * @param content - latin1
   * @throws CorruptPasswordFile
   */
  constructor(content: string) {
    const lines = content.split('\n');
    if (lines.at(-1) === '') lines.pop();
    lines.forEach((text, index) => {
      const line = text.replace(/\r$/, '');
      const colon = line.indexOf(':');
      if (line.startsWith('#') || line.trim() === '') this.#lines.push({ kind: 'other', text });
      else if (colon <= 0) throw new CorruptPasswordFile(index + 1);
      else this.#lines.push({ kind: 'entry', username: line.slice(0, colon), hash: line.slice(colon + 1) });
    });
  }

  /** Sets a user's hash, at its place or at the end. Returns whether the user was there before. */
  set(username: string, hash: string): 'added' | 'updated' {
    const entry = this.#find(username);
    if (entry === undefined) {
      this.#lines.push({ kind: 'entry', username, hash });
      return 'added';
    }
    entry.hash = hash;
    return 'updated';
  }

  /** Removes a user. Returns whether there was one. */
  delete(username: string): boolean {
    const entry = this.#find(username);
    if (entry === undefined) return false;
    this.#lines.splice(this.#lines.indexOf(entry), 1);
    return true;
  }

  /** Replaces every password that is no hash yet. */
  async hashPlainTexts(hash: (password: Buffer) => Promise<string>): Promise<void> {
    for (const line of this.#lines) {
      if (line.kind !== 'entry' || parsePasswordHash(line.hash.trim()).ok) continue;
      line.hash = await hash(Buffer.from(line.hash, 'latin1'));
    }
  }

  /** The whole file, latin1. */
  get content(): string {
    return this.#lines
      .map((line) => `${line.kind === 'entry' ? `${line.username}:${line.hash}` : line.text}\n`)
      .join('');
  }

  #find(username: string): Extract<Line, { readonly kind: 'entry' }> | undefined {
    for (const line of this.#lines) if (line.kind === 'entry' && line.username === username) return line;
    return undefined;
  }
}
