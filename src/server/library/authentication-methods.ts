/** Enhanced authentication (MQTT 5.0 §4.12) by methods of the program. */
import { systemClock } from '../../base/clock.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { ReasonCode } from '../../codec/reason-code.ts';
import type { AuthenticationMethod, AuthenticationStep, ConnectRequest } from '../../contracts/authenticator.ts';
import { deriveScramCredentials, type ScramCredentials, scramMethod } from '../../security/scram.ts';
import { type Complain, type Refusal, textOf } from './access.ts';
import { isThenable } from './call-queue.ts';

export type { ScramCredentials };

/** What a step comes to; see {@link EnhancedExchange}. */
export type EnhancedStep =
  /** Asks the client for more (AUTH 0x18). */
  | { readonly continue: Uint8Array | string | null; readonly reason?: string | undefined }
  /**
   * Lets it in, or, at a re-authentication, stay: then with the user name it has. Without `username` it is the one of the CONNECT,
   * which the exchange has proven then.
   */
  | { readonly accept: Uint8Array | string | null; readonly username?: string | undefined }
  /** Refuses it, with a Reason String for those who look into it. */
  | (Refusal & { readonly reason?: string | undefined });

/**
 * One exchange with one client. Authentication Data is what the method makes of it; null stands for none. A function that throws,
 * or whose promise is rejected, refuses with Server unavailable (0x88), and the log tells why.
 */
export interface EnhancedExchange {
  /** @param data - of the CONNECT, or of the AUTH that begins a re-authentication */
  start(data: Buffer | null): EnhancedStep | PromiseLike<EnhancedStep>;
  /** @param data - of the client's answer */
  continue(data: Buffer | null): EnhancedStep | PromiseLike<EnhancedStep>;
}

/** Begins an exchange; called for every CONNECT that names the method, and for every re-authentication. */
export type EnhancedMethod = (request: ConnectRequest) => EnhancedExchange;

/** Longest Authentication Data and Reason String. */
const bytesMax = 65_535;

const unavailable: AuthenticationStep = { kind: 'refused', reasonCode: ReasonCode.ServerUnavailable };

/** The engine's view of an {@link EnhancedMethod}. */
export function authenticationMethodOf(name: string, method: EnhancedMethod, complain: Complain): AuthenticationMethod {
  const fail = (error: unknown): AuthenticationStep => {
    complain(`Error: authentication method ${name} failed; the client is refused: ${textOf(error)}`);
    return unavailable;
  };
  const settle = (ask: () => unknown): MaybePromise<AuthenticationStep> => {
    try {
      const answer = ask();
      return isThenable(answer) ? Promise.resolve(answer).then(stepOf).catch(fail) : stepOf(answer);
    } catch (error) {
      return fail(error);
    }
  };
  return (request) => {
    let exchange: EnhancedExchange | null = null;
    return {
      start: (data) =>
        settle(() => {
          exchange = method(request);
          return exchange.start(data);
        }),
      continue: (data) => settle(() => exchange?.continue(data)),
    };
  };
}

/** @throws TypeError - when it is no step */
function stepOf(answer: unknown): AuthenticationStep {
  if (typeof answer !== 'object' || answer === null)
    throw new TypeError('expected a step: continue, accept or reasonCode');
  const { reason, username } = answer as { reason?: unknown; username?: unknown };
  const why = reason === undefined ? {} : { reason: textIn('reason', reason) };
  if ('continue' in answer) return { kind: 'continue', data: bytesIn('continue', answer.continue), ...why };
  if ('accept' in answer) {
    const who = username === undefined ? {} : { username: textIn('username', username) };
    return { kind: 'accepted', data: bytesIn('accept', answer.accept), ...who };
  }
  if (!('reasonCode' in answer) || typeof answer.reasonCode !== 'number' || !(answer.reasonCode >= 0x80)) {
    throw new TypeError('expected a step: continue, accept, or reasonCode of 128 or above');
  }
  return { kind: 'refused', reasonCode: answer.reasonCode, ...why };
}

function textIn(name: string, value: unknown): string {
  if (typeof value === 'string' && Buffer.byteLength(value) <= bytesMax) return value;
  throw new TypeError(`${name}: expected text of at most ${bytesMax} bytes`);
}

function bytesIn(name: string, value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new TypeError(`${name}: expected text, bytes or null`);
  }
  const bytes = Buffer.from(value);
  if (bytes.length > bytesMax) throw new TypeError(`${name}: at most ${bytesMax} bytes, got ${bytes.length}`);
  return bytes;
}

/**
 * SCRAM-SHA-256 (RFC 7677) for `authenticationMethods`: the password is never sent, and what is stored does not suffice to log in.
 *
 * ```ts
 * const anne = await scramCredentials('secret');
 * createBroker({ authenticationMethods: { 'SCRAM-SHA-256': scramSha256((username) => (username === 'anne' ? anne : null)) } });
 * ```
 *
 * @param credentialsOf - what is stored for a user name; null when there is no such user, which clients cannot tell from a wrong
 *   password
 */
export function scramSha256(
  credentialsOf: (username: string) => ScramCredentials | null | PromiseLike<ScramCredentials | null>,
): EnhancedMethod {
  const method = scramMethod({
    hash: 'sha256',
    randomBytes: (count) => systemClock().randomBytes(count),
    credentialsOf: (username) => {
      const stored = credentialsOf(username);
      return isThenable(stored) ? Promise.resolve(stored) : stored;
    },
  });
  return (request) => {
    const exchange = method(request);
    const translate = (step: MaybePromise<AuthenticationStep>): EnhancedStep | Promise<EnhancedStep> =>
      step instanceof Promise ? step.then(publicStep) : publicStep(step);
    return {
      start: (data) => translate(exchange.start(data)),
      continue: (data) => translate(exchange.continue(data)),
    };
  };
}

/**
 * What to store of a password for {@link scramSha256}, with a new salt.
 *
 * @param iterations - what a guess costs; at least 4096, or clients may refuse it
 */
export function scramCredentials(password: string, iterations?: number): Promise<ScramCredentials> {
  return deriveScramCredentials('sha256', password, systemClock().randomBytes(16), iterations);
}

function publicStep(step: AuthenticationStep): EnhancedStep {
  switch (step.kind) {
    case 'continue':
      return { continue: step.data };
    case 'accepted':
      return step.username === undefined ? { accept: step.data } : { accept: step.data, username: step.username };
    case 'refused':
      return { reasonCode: step.reasonCode as Refusal['reasonCode'] }; // the engine's refusals are codes of CONNACK
  }
}
