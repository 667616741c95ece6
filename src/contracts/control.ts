/** Endpoints below `$CONTROL`: topics to which clients publish requests that the broker itself answers. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { AccessRules } from './authorizer.ts';
import type { Publisher } from './message.ts';

/** Who asks. */
export interface ControlClient extends Publisher {
  /** Whether it is on this machine: a loopback address or a Unix socket. */
  readonly isLocal: boolean;
  /** The rules of its listener, one of which let it ask; null when there are none. */
  readonly rules: AccessRules | null;
}

/**
 * Answers one request. Whether the client may publish to the endpoint's topic was asked before.
 *
 * @param payload - valid during the call only
 * @returns the answer, which goes to `<topic>/response`; null when the endpoint is not there for this client. The client's
 *   next packet is read once it is known; a rejected promise ends the connection
 */
export type ControlHandler = (client: ControlClient, payload: Buffer) => MaybePromise<string | null>;
