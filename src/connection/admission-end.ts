/** The end of a connection whose credentials hold for a time only, such as a token. One entry of the timing wheel. */
import type { WheelEntry } from '../base/timer-wheel.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Connection } from './connection.ts';

export class AdmissionEnd implements WheelEntry {
  wheelSlot = -1;
  wheelIndex = 0;
  readonly #connection: Connection;
  readonly #endsAtMs: number;

  /** @param endsAtMs - in ms since 1970; by the wall clock, which may be set meanwhile */
  constructor(connection: Connection, endsAtMs: number) {
    this.#connection = connection;
    this.#endsAtMs = endsAtMs;
  }

  /** The tick at which to look. */
  dueTick(): number {
    const { engine } = this.#connection.hub;
    return engine.tickAfter(Math.max(0, this.#endsAtMs - engine.clock.nowMs()));
  }

  onWheel(): number {
    if (this.#connection.hub.engine.clock.nowMs() < this.#endsAtMs) return this.dueTick();
    this.#connection.disconnect(ReasonCode.MaximumConnectTime);
    return 0;
  }
}
