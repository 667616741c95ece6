/** Client Identifiers that are refused for a time; `http/kept-bans.ts` brings them over a restart. */

/** The one that ends first makes room. */
export const bansMax = 10_000;

export interface Ban {
  readonly untilMs: number;
  /** Who said so. */
  readonly by: string;
}

export class Bans {
  /** Client Identifier → until when. */
  readonly #bans = new Map<string, Ban>();

  /** Those that were not looked at since they ended are counted too. */
  get count(): number {
    return this.#bans.size;
  }

  add(clientId: string, ban: Ban, nowMs: number): void {
    if (this.#bans.size >= bansMax) this.#makeRoom(nowMs);
    this.#bans.set(clientId, ban);
  }

  /** @returns whether there was one */
  lift(clientId: string): boolean {
    return this.#bans.delete(clientId);
  }

  has(clientId: string, nowMs: number): boolean {
    return this.get(clientId, nowMs) !== undefined;
  }

  get(clientId: string, nowMs: number): Ban | undefined {
    const ban = this.#bans.get(clientId);
    if (ban === undefined || ban.untilMs > nowMs) return ban;
    this.#bans.delete(clientId);
    return undefined;
  }

  /** Those that hold now. */
  entries(nowMs: number): [clientId: string, ban: Ban][] {
    return [...this.#bans].filter(([, { untilMs }]) => untilMs > nowMs);
  }

  #makeRoom(nowMs: number): void {
    for (const [clientId, { untilMs }] of this.#bans) if (untilMs <= nowMs) this.#bans.delete(clientId);
    if (this.#bans.size < bansMax) return;
    const [first] = [...this.#bans].sort(([, one], [, other]) => one.untilMs - other.untilMs);
    if (first !== undefined) this.#bans.delete(first[0]);
  }
}
