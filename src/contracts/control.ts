/** Endpoints below `$CONTROL`: topics to which clients publish requests that the broker itself answers. */
import type { Publisher } from './message.ts';

/** Who asks. */
export interface ControlClient extends Publisher {
  /** Whether it is on this machine: a loopback address or a Unix socket. */
  readonly isLocal: boolean;
  /** Whether rules say what it may do, so that one of them let it ask. */
  readonly hasRights: boolean;
}

/**
 * Answers one request. Whether the client may publish to the endpoint's topic was asked before.
 *
 * @param payload - valid during the call only
 * @returns the answer, which goes to `<topic>/response`
 */
export type ControlHandler = (client: ControlClient, payload: Buffer) => string;
