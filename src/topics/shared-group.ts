/** Whose turn it is among the members of one shared subscription (MQTT 5.0 §4.8.2). */
export class SharedGroup<M> {
  readonly members: M[] = [];
  /** Of each member: how often it was its turn since it joined. */
  readonly turns: number[] = [];
  #turn = 0;

  /** Members take part in the order in which they subscribed. */
  add(member: M): void {
    this.members.push(member);
    this.turns.push(0);
  }

  /** @returns whether the group is empty now */
  remove(member: M): boolean {
    const index = this.members.indexOf(member);
    if (index >= 0) {
      this.members.splice(index, 1);
      this.turns.splice(index, 1);
      if (index < this.#turn) this.#turn--;
    }
    return this.members.length === 0;
  }

  /**
   * The member that gets the next message: round robin over those that are ready, over all when none is.
   *
   * @param isReady - whether a member can take a message now
   * @param isEligible - whether a member may get this message at all; absent: all may
   * @returns undefined when nobody may
   */
  next(isReady: (member: M) => boolean, isEligible?: (member: M) => boolean): M | undefined {
    const count = this.members.length;
    let fallback = -1;
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count;
      const member = this.members[index] as M;
      if (isEligible !== undefined && !isEligible(member)) continue;
      if (fallback < 0) fallback = index;
      if (!isReady(member)) continue;
      return this.#give(index);
    }
    if (fallback < 0) return undefined;
    return this.#give(fallback);
  }

  #give(index: number): M {
    this.#turn = (index + 1) % this.members.length;
    (this.turns[index] as number)++;
    return this.members[index] as M;
  }
}
