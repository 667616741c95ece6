import type { ReasonCode } from '../codec/reason-code.ts';

/**
 * Why a client could not do something.
 *
 * | kind           | meaning                                                                    |
 * |----------------|----------------------------------------------------------------------------|
 * | `dial`         | no connection; `cause` is a `DialError` that names the step                |
 * | `refused`      | CONNACK with an error; `reasonCode`, and `returnCode` in MQTT 3.x          |
 * | `timeout`      | the broker did not answer in time                                          |
 * | `lost`         | the connection ended while something was under way                         |
 * | `keep-alive`   | the broker was silent for too long                                         |
 * | `disconnected` | the broker sent DISCONNECT with `reasonCode`                               |
 * | `protocol`     | the broker broke the protocol; `cause` is a `ProtocolError`                |
 * | `rejected`     | the broker answered with an error; `reasonCode`                            |
 * | `unsupported`  | the broker said in CONNACK that it cannot do this; `reasonCode` says what  |
 * | `too-large`    | the packet is larger than the broker takes (`reasonCode`) or MQTT allows   |
 * | `invalid`      | the arguments make no legal packet                                         |
 * | `full`         | too much is waiting already                                                |
 * | `closed`       | the client was closed before                                               |
 */
export type ClientErrorKind =
  | 'dial'
  | 'refused'
  | 'timeout'
  | 'lost'
  | 'keep-alive'
  | 'disconnected'
  | 'protocol'
  | 'rejected'
  | 'unsupported'
  | 'too-large'
  | 'invalid'
  | 'full'
  | 'closed';

/** Details of a {@link ClientError}. */
export interface ClientErrorDetails {
  readonly reasonCode?: ReasonCode;
  /** CONNACK return code as it stood in the packet, MQTT 3.x only. */
  readonly returnCode?: number;
  /** The broker's own words. */
  readonly reasonString?: string;
  readonly cause?: unknown;
}

/** The one error that a client throws. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly kind: ClientErrorKind;
  readonly reasonCode: ReasonCode | undefined;
  readonly returnCode: number | undefined;
  readonly reasonString: string | undefined;

  constructor(kind: ClientErrorKind, message: string, details: ClientErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.reasonCode = details.reasonCode;
    this.returnCode = details.returnCode;
    this.reasonString = details.reasonString;
  }
}
