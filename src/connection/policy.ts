/** What one listener asks of its connections, and how it lets them in. Replaced as a whole by a reload. */

import type { AuthenticationMethods, Authenticator } from '../contracts/authenticator.ts';
import type { ListenerAccess } from '../contracts/authorizer.ts';

export interface ListenerPolicy {
  /** Port of the listener, 0 for Unix sockets. */
  readonly port: number;
  readonly authenticator: Authenticator;
  /** What MQTT 5.0 clients may name as Authentication Method; absent: none. */
  readonly authenticationMethods?: AuthenticationMethods | undefined;
  /** Response Information for clients that ask for it (§4.10.1), with `%c` and `%u`; absent: none. */
  readonly responseInformation?: string | null | undefined;
  /** Protocol levels that are let in. */
  readonly protocolVersions: ReadonlySet<3 | 4 | 5>;
  /** Highest QoS a client may publish or subscribe with. */
  readonly maxQos: 0 | 1 | 2;
  /** Topic Aliases a client may set, and that may be set towards a client. */
  readonly maxTopicAlias: number;
  readonly maxTopicAliasBroker: number;
  readonly allowZeroLengthClientId: boolean;
  /** Begins the Client Identifiers that the broker makes up. */
  readonly autoIdPrefix: string;
  /** Client Identifiers must begin with it; '' = any. */
  readonly clientIdPrefix: string;
  readonly useUsernameAsClientId: boolean;
  /** The user name is that of the client certificate; without one nobody is let in. */
  readonly useCertificateIdentity: boolean;
  /** Whether the passwords of clients that were let in are kept, to be checked again when a reload changes theirs. */
  readonly remembersPasswords?: boolean;
  /** What its clients may do; absent where there never are rules. Stays the same object through reloads. */
  readonly access?: ListenerAccess | undefined;
  /** Put in front of every topic of the listener's clients; empty = none. */
  readonly mountPoint: Buffer;
}
