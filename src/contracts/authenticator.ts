/** Who may come in. Implementations are asked once per CONNECT, before any session is touched. */
import type { MaybePromise } from '../base/maybe-promise.ts';

/** What is known about a client when it asks to be let in. */
export interface ConnectRequest {
  readonly clientId: string;
  /** As sent, or taken from the client certificate; null when there is none. */
  readonly username: string | null;
  readonly password: Buffer | null;
  /** Whether `username` was proven by a client certificate, so that no password is needed. */
  readonly hasCertificateIdentity: boolean;
  /** Address of the peer; the socket's path for Unix sockets. */
  readonly address: string;
  /** Port of the listener; 0 for Unix sockets. */
  readonly listenerPort: number;
  readonly protocolVersion: 3 | 4 | 5;
  /** Whether the client has gone meanwhile, so that the answer does not matter; absent: it never goes. */
  readonly isAbandoned?: () => boolean;
}

/** Let in as somebody whom the credentials name, for as long as they hold. */
export interface Admission {
  /** Takes the place of the user name of the CONNECT. */
  readonly username: string;
  /** When the connection has to end, in ms since 1970; null: not because of the credentials. */
  readonly endsAtMs: number | null;
}

/** Not let in: the Reason Code (0x80..0x9F) that becomes the CONNACK. */
export interface Refused {
  readonly reasonCode: number;
  readonly reason?: string;
}

/** `accepted`: let in as who it says it is. */
export type AuthenticationResult = 'accepted' | Admission | Refused;

export interface Authenticator {
  /** Never throws for bad credentials; a rejected promise counts as 0x80. */
  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult>;
}

/** What one step of an enhanced authentication comes to. (MQTT 5.0 §4.12) */
export type AuthenticationStep =
  /** The client is asked for more. [MQTT-4.12.0-2] */
  | {
      readonly kind: 'continue';
      /** Authentication Data of the AUTH, at most 65,535 bytes; null leaves it out. */
      readonly data: Buffer | null;
      /** Reason String of the AUTH, for people; left out where the client does not want or cannot take it. */
      readonly reason?: string;
    }
  | {
      readonly kind: 'accepted';
      /** Who it is; absent: the user name of the CONNECT, which the exchange then has proven. */
      readonly username?: string;
      /** Authentication Data of the CONNACK, or of the AUTH that ends a re-authentication; null leaves it out. */
      readonly data: Buffer | null;
    }
  | {
      readonly kind: 'refused';
      /** 0x80..0x9F, as in {@link AuthenticationResult}. */
      readonly reasonCode: number;
      readonly reason?: string;
    };

/**
 * The state of one exchange with one client: from the CONNECT that names the method, or the AUTH that begins a
 * re-authentication, until it is accepted, refused, or the client is gone.
 *
 * Neither function is called while the other's promise is pending. Both may be given anything by the client and never throw for
 * it; a rejected promise counts as 0x80.
 */
export interface AuthenticationExchange {
  /** @param data - Authentication Data that the exchange began with; null when there was none */
  start(data: Buffer | null): MaybePromise<AuthenticationStep>;
  /** @param data - Authentication Data of the client's answer */
  continue(data: Buffer | null): MaybePromise<AuthenticationStep>;
}

/** Begins an exchange by one method. @param request - as in the CONNECT, at a re-authentication too */
export type AuthenticationMethod = (request: ConnectRequest) => AuthenticationExchange;

/** Authentication Method as CONNECT names it → how it goes. */
export type AuthenticationMethods = ReadonlyMap<string, AuthenticationMethod>;
