/**
 * Coarse deadlines for very many owners: one slot per tick, one tick per second.
 *
 * An owner sits in the slot of the tick at which it wants to be looked at. Refreshing a deadline costs nothing here: the owner
 * remembers when it was last heard of and, when its slot comes up, answers with the tick at which to look again. So a
 * connection that is busy is touched once per Keep Alive, not once per packet.
 */
export interface WheelEntry {
  /** Slot the entry sits in, −1 when in none, −2 while its slot is asked; written by the wheel only. */
  wheelSlot: number;
  /** Position inside the slot; written by the wheel only. */
  wheelIndex: number;
  /**
   * The entry's slot came up.
   *
   * @param tick - the present tick
   * @returns the later tick at which to look again, or 0 to leave the wheel
   */
  onWheel(tick: number): number;
}

export class TimerWheel {
  /** Made with their first entry: most stay empty. */
  readonly #slots: (WheelEntry[] | undefined)[];
  #tick: number;

  /** @param slotCount - ticks per turn; a deadline further away is looked at once per turn, which is harmless */
  constructor(startTick: number, slotCount = 4096) {
    this.#tick = startTick;
    this.#slots = new Array<WheelEntry[] | undefined>(slotCount).fill(undefined);
  }

  /** Puts the entry into the slot of `tick` (at least the next one); moves it when it already sits in a slot. */
  schedule(entry: WheelEntry, tick: number): void {
    this.remove(entry);
    const ahead = Math.min(Math.max(tick - this.#tick, 1), this.#slots.length - 1);
    const slotNumber = (this.#tick + ahead) % this.#slots.length;
    this.#slots[slotNumber] ??= [];
    const slot = this.#slots[slotNumber];
    entry.wheelSlot = slotNumber;
    entry.wheelIndex = slot.length;
    slot.push(entry);
  }

  remove(entry: WheelEntry): void {
    if (entry.wheelSlot < 0) {
      entry.wheelSlot = -1;
      return;
    }
    const slot = this.#slots[entry.wheelSlot] as WheelEntry[];
    const last = slot.pop() as WheelEntry;
    if (last !== entry) {
      slot[entry.wheelIndex] = last;
      last.wheelIndex = entry.wheelIndex;
    }
    entry.wheelSlot = -1;
  }

  /** Moves to `tick` and asks every entry whose slot was passed. */
  advance(tick: number): void {
    while (this.#tick < tick) {
      this.#tick++;
      const slotNumber = this.#tick % this.#slots.length;
      const due = this.#slots[slotNumber];
      if (due === undefined) continue;
      // Entries may remove themselves or others while they are asked, so the slot is emptied first.
      this.#slots[slotNumber] = undefined;
      for (const entry of due) {
        entry.wheelSlot = -2;
      }
      for (const entry of due) {
        // Another that was asked before it may have taken it out, or given it another slot.
        if (entry.wheelSlot !== -2) continue;
        entry.wheelSlot = -1;
        const again = entry.onWheel(this.#tick);
        if (again > 0) this.schedule(entry, again);
      }
    }
  }
}
