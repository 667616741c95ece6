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

/** Let in, or the Reason Code (0x80..0x9F) that becomes the CONNACK. */
export type AuthenticationResult = 'accepted' | { readonly reasonCode: number; readonly reason?: string };

export interface Authenticator {
  /** Never throws for bad credentials; a rejected promise counts as 0x80. */
  authenticate(request: ConnectRequest): MaybePromise<AuthenticationResult>;
}
