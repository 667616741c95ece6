/**
 * Keep Alive of one connection, without reading a clock per packet: eight looks per interval, and flags in between.
 *
 * PINGREQ goes out between 3/4 and 7/8 of the interval after the last packet sent [MQTT-3.1.2-20]; an answer must come within one
 * interval.
 */
import type { Clock, Timer } from '../base/clock.ts';

const LOOKS = 8;
const QUIET_LOOKS_BEFORE_PING = 6;

export class KeepAlive {
  readonly #timer: Timer;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #quietLooks = 0;
  #hasSent = false;
  #hasReceived = false;
  /** Looks since an unanswered PINGREQ; 0 when none is. */
  #waiting = 0;

  /**
   * @param seconds - above 0
   * @param ping - sends a PINGREQ
   * @param onSilence - the broker did not answer
   */
  constructor(clock: Clock, seconds: number, ping: () => void, onSilence: () => void) {
    this.#ping = ping;
    this.#onSilence = onSilence;
    this.#timer = clock.every((seconds * 1000) / LOOKS, () => this.#look());
  }

  sent(): void {
    this.#hasSent = true;
  }

  received(): void {
    this.#hasReceived = true;
  }

  /** The broker took bytes that had to wait: it lives, though it cannot have answered what stands behind them. */
  progressed(): void {
    this.#hasReceived = true;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #look(): void {
    if (this.#hasReceived) this.#waiting = 0;
    else if (this.#waiting > 0 && ++this.#waiting > LOOKS) {
      this.stop();
      this.#onSilence();
      return;
    }
    this.#quietLooks = this.#hasSent ? 0 : this.#quietLooks + 1;
    this.#hasSent = false;
    this.#hasReceived = false;
    if (this.#quietLooks < QUIET_LOOKS_BEFORE_PING) return;
    this.#quietLooks = 0;
    if (this.#waiting === 0) this.#waiting = 1;
    this.#ping();
  }
}
