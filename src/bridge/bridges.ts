/** All bridges of one broker. */
import { Bridge, type BridgeSurroundings } from './bridge.ts';
import type { BridgeSettings } from './settings.ts';

export class Bridges {
  readonly #surroundings: BridgeSurroundings;
  /** Name → bridge. */
  readonly #bridges = new Map<string, Bridge>();
  #isStarted = false;

  constructor(surroundings: BridgeSurroundings) {
    this.#surroundings = surroundings;
  }

  /** From now on they connect. */
  start(): void {
    this.#isStarted = true;
    for (const bridge of this.#bridges.values()) bridge.start();
  }

  /**
   * Takes the configuration of the start, or what a reload says: bridges that are gone end, new ones get their local session, changed
   * ones change. Before `start` none connects.
   */
  change(all: readonly BridgeSettings[]): void {
    for (const [name, bridge] of this.#bridges) {
      if (all.some((settings) => settings.name === name)) continue;
      this.#bridges.delete(name);
      bridge.remove();
    }
    for (const settings of all) {
      const bridge = this.#bridges.get(settings.name);
      if (bridge === undefined) {
        const added = new Bridge(this.#surroundings, settings);
        this.#bridges.set(settings.name, added);
        added.prepare();
        if (this.#isStarted) added.start();
      } else if (bridge.settings.fingerprint !== settings.fingerprint) {
        bridge.change(settings);
      }
    }
  }

  stop(): void {
    for (const bridge of this.#bridges.values()) bridge.stop();
  }
}
