/**
 * What the console keeps on disk: accounts made in it, read-only tokens, saved messages, bans. One JSON file of mode 600, beside the
 * broker's data, replaced as a whole with every change.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { formatPasswordHash, hashPassword, type PasswordHash, parsePasswordHash } from '../security/password-hash.ts';
import { createPrivateFile, replaceFile } from '../security/replace-file.ts';
import { readSecurityFile } from '../security/security-file.ts';
import { type Role, role } from './schema/parts.ts';
import { type SavedAnswer, savedAnswer } from './schema/topics.ts';

const stored = v.object({
  version: v.literal(1),
  accounts: v.array(v.object({ name: v.string(), role, password: v.string() })),
  tokens: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      /** SHA-256 of the token, hex. */
      hash: v.string(),
      createdMs: v.number(),
      expiresMs: v.nullable(v.number()),
    }),
  ),
  saved: savedAnswer,
  /** Absent: none. */
  bans: v.optional(v.array(v.object({ clientId: v.string(), untilMs: v.number(), by: v.string() }))),
});

export type StoredBan = NonNullable<v.InferOutput<typeof stored>['bans']>[number];
export type Token = v.InferOutput<typeof stored>['tokens'][number];

/** The file is there and cannot be used. */
export class ConsoleStateError extends Error {
  override readonly name = 'ConsoleStateError';
}

export const tokensMax = 1000;

export class ConsoleState {
  readonly #path: string;
  /** Name → what it may do and its password. */
  readonly accounts = new Map<string, { readonly role: Role; readonly password: PasswordHash }>();
  tokens: readonly Token[] = [];
  saved: SavedAnswer = { version: 0, collections: [] };
  bans: readonly StoredBan[] = [];
  /** What should be known about the file. */
  readonly warnings: readonly string[] = [];

  /**
   * Reads the file, if there is one.
   *
   * @throws ConsoleStateError
   */
  constructor(path: string, allowSymlinks: boolean) {
    this.#path = path;
    if (!existsSync(path)) return;
    const cannotOpen = `Error: Unable to open the console's file "${path}".`;
    let content: string;
    try {
      ({ content, warnings: this.warnings } = readSecurityFile(path, { cannotOpen, allowSymlinks }));
    } catch (error) {
      throw new ConsoleStateError((error as Error).message, { cause: error });
    }
    try {
      const { accounts, tokens, saved, bans = [] } = v.parse(stored, JSON.parse(content));
      for (const account of accounts) {
        const password = parsePasswordHash(account.password);
        if (!password.ok) throw new Error(`the password of "${account.name}" is no hash`);
        this.accounts.set(account.name, { role: account.role, password: password.value });
      }
      this.tokens = tokens;
      this.saved = saved;
      this.bans = bans;
    } catch (error) {
      const reason =
        error instanceof v.ValiError ? `${v.getDotPath(error.issues[0]) ?? ''}: ${error.message}` : String(error);
      throw new ConsoleStateError(`${cannotOpen}\nError: ${path}: ${reason}.`, { cause: error });
    }
  }

  get path(): string {
    return this.#path;
  }

  /** @throws Error - of the file system; nothing has changed then */
  async setAccount(name: string, roleOfIt: Role, password: string): Promise<void> {
    const hash = await hashPassword(Buffer.from(password), { scheme: 'argon2id' });
    const before = this.accounts.get(name);
    this.accounts.set(name, { role: roleOfIt, password: hash });
    this.#writeOr(() => {
      if (before === undefined) this.accounts.delete(name);
      else this.accounts.set(name, before);
    });
  }

  /** @throws Error - of the file system; nothing has changed then */
  setTokens(tokens: readonly Token[]): void {
    const before = this.tokens;
    this.tokens = tokens;
    this.#writeOr(() => {
      this.tokens = before;
    });
  }

  /** @throws Error - of the file system; nothing has changed then */
  setSaved(collections: SavedAnswer['collections']): void {
    const before = this.saved;
    this.saved = { version: before.version + 1, collections };
    this.#writeOr(() => {
      this.saved = before;
    });
  }

  /** @throws Error - of the file system; nothing has changed then */
  setBans(bans: readonly StoredBan[]): void {
    const before = this.bans;
    this.bans = bans;
    this.#writeOr(() => {
      this.bans = before;
    });
  }

  #writeOr(undo: () => void): void {
    const accounts = [...this.accounts].map(([name, account]) => ({
      name,
      role: account.role,
      password: formatPasswordHash(account.password),
    }));
    const content = Buffer.from(
      `${JSON.stringify({ version: 1, accounts, tokens: this.tokens, saved: this.saved, bans: this.bans }, null, 2)}\n`,
    );
    try {
      if (existsSync(this.#path)) {
        replaceFile(this.#path, content);
        return;
      }
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      createPrivateFile(this.#path, content);
    } catch (error) {
      undo();
      throw error;
    }
  }
}
