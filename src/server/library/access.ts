/** The program's own answers to "who may come in" and "what may they do". */
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { ReasonCode, type ReasonCodeOf } from '../../codec/reason-code.ts';
import type { AuthenticationResult, Authenticator, ConnectRequest } from '../../contracts/authenticator.ts';
import type { Authorizer } from '../../contracts/authorizer.ts';
import type { Publisher } from '../../contracts/message.ts';
import { isThenable } from './call-queue.ts';
import { isLegalText } from './properties.ts';

export { ReasonCode };

/**
 * No, with a reason. MQTT 5.0 clients are told the Reason Code in CONNACK; for older ones it becomes the return code that
 * says the same, or, where there is none, the connection is closed without an answer.
 */
export interface Refusal {
  /** `ReasonCode.BadUserNameOrPassword`, `ReasonCode.Banned`, `ReasonCode.ServerBusy` … */
  readonly reasonCode: Exclude<ReasonCodeOf<'connack'>, 0>;
  /** Reason String, for people; MQTT 5.0 clients get it. */
  readonly reason?: string | undefined;
}

/**
 * Decides who may come in; asked once per CONNECT, before any session is touched.
 *
 * Only `true` lets a client in; `false` refuses it as Not authorized (0x87). A function that throws, or whose promise is
 * rejected, refuses with Server unavailable (0x88), and the log tells why. The connection waits for a promise, the others do
 * not; whoever is not in after 10 seconds is closed.
 */
export type Authenticate = (request: ConnectRequest) => boolean | Refusal | PromiseLike<boolean | Refusal>;

/**
 * Decides what a client may do; asked for every PUBLISH (and for the Will when it is sent) with the Topic Name, and for every
 * subscription with the Topic Filter. Topics have the mount point of the listener in front; shared subscriptions begin with
 * `$share/NAME/`.
 *
 * Only `true` allows. A function that throws, or whose promise is rejected, denies, and the log tells why. Answer at once where
 * you can: a promise stops reading from that client until it is settled. What the program itself publishes and subscribes to
 * is not asked about. With an `aclFile` both have to allow.
 */
export type Authorize = (
  client: Publisher,
  action: 'publish' | 'subscribe',
  topic: string,
) => boolean | PromiseLike<boolean>;

/** Tells the operator that a function of the program did not do as promised. */
export type Complain = (line: string) => void;

const notAuthorized: AuthenticationResult = { reasonCode: ReasonCode.NotAuthorized };
const unavailable: AuthenticationResult = { reasonCode: ReasonCode.ServerUnavailable };

/** The engine's view of {@link Authenticate}. */
export function authenticatorOf(authenticate: Authenticate, complain: Complain): Authenticator {
  const decide = (answer: unknown): AuthenticationResult => {
    if (answer === true) return 'accepted';
    if (answer === false) return notAuthorized;
    if (isRefusal(answer)) {
      const { reasonCode, reason } = answer;
      if (reason === undefined) return { reasonCode };
      if (typeof reason === 'string' && isLegalText(reason)) return { reasonCode, reason };
      complain('Error: authenticate gave a reason that is no text of at most 65535 bytes without control characters.');
      return { reasonCode };
    }
    complain(
      'Error: authenticate gave neither true nor false nor { reasonCode: 128 or above }; the client is refused.',
    );
    return notAuthorized;
  };
  const fail = (error: unknown): AuthenticationResult => {
    complain(`Error: authenticate failed; the client is refused: ${textOf(error)}`);
    return unavailable;
  };
  return {
    authenticate: (request) => settle(() => authenticate(request), decide, fail),
  };
}

/** The engine's view of {@link Authorize}. */
export function authorizerOf(authorize: Authorize, complain: Complain): Authorizer {
  const decide = (answer: unknown): boolean => {
    if (typeof answer === 'boolean') return answer;
    complain('Error: authorize gave neither true nor false; the client is denied.');
    return false;
  };
  const fail = (error: unknown): boolean => {
    complain(`Error: authorize failed; the client is denied: ${textOf(error)}`);
    return false;
  };
  return {
    authorize: (client, action, topic) => settle(() => authorize(client, action, topic), decide, fail),
  };
}

/** Asks, at once or later, and never throws. */
function settle<T>(ask: () => unknown, decide: (answer: unknown) => T, fail: (error: unknown) => T): MaybePromise<T> {
  try {
    const answer = ask();
    return isThenable(answer) ? Promise.resolve(answer).then(decide, fail) : decide(answer);
  } catch (error) {
    return fail(error);
  }
}

function isRefusal(answer: unknown): answer is { readonly reasonCode: number; readonly reason?: unknown } {
  if (typeof answer !== 'object' || answer === null || !('reasonCode' in answer)) return false;
  return typeof answer.reasonCode === 'number' && answer.reasonCode >= 0x80;
}

/** An error of the program for the log: with its stack, which is where to look. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
