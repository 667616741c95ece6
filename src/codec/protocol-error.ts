import type { ReasonCode } from './reason-code.ts';

/** How the peer may be told, where that differs from the usual DISCONNECT of MQTT 5.0. */
export interface ProtocolErrorAnswer {
  /** Close without any packet, in every version. */
  readonly silent?: boolean;
  /** Answer with a CONNACK in the form of this version: 5 with Reason Code, 3 and 4 with return code. */
  readonly connackVersion?: 4 | 5;
}

/**
 * The peer broke the protocol: a malformed packet or one that is not allowed here or now.
 *
 * One place (`connection/fail.ts`) turns it into CONNACK, DISCONNECT or a plain close:
 * `silent` closes without a packet; otherwise `connackVersion` (set by the CONNECT decoder alone) says which CONNACK to
 * send; otherwise MQTT 5.0 gets DISCONNECT with `reasonCode` and MQTT 3.x is closed.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** For CONNACK or DISCONNECT. */
  readonly reasonCode: ReasonCode;
  /** The statement or section that was broken, as comments cite it: `MQTT-3.3.1-4`, `v3.1.1 MQTT-3.1.2-3`, `§3.3.2.3.4`. */
  readonly statement: string;
  readonly silent: boolean;
  readonly connackVersion: 4 | 5 | undefined;

  /**
   * @param message - names the packet and the field, for the log: "SUBSCRIBE: Topic Filter runs past the end"
   */
  constructor(reasonCode: ReasonCode, statement: string, message: string, answer: ProtocolErrorAnswer = {}) {
    super(message);
    this.reasonCode = reasonCode;
    this.statement = statement;
    this.silent = answer.silent ?? false;
    this.connackVersion = answer.connackVersion;
  }
}
