/**
 * The words of the log, in one place.
 *
 * They are Mosquitto 2.1's, letter for letter: scripts, fail2ban filters and people search for them. Who logs a line
 * chooses its type (given in each comment: N notice, I information, W warning, D debug, S subscribe, U unsubscribe);
 * the timestamp and the escaping of control characters are the logger's work.
 */

import type { Action } from '../contracts/authorizer.ts';

/** Why a Network Connection ended, when it was not the client's own DISCONNECT. */
export const disconnectReason = {
  closedByClient: 'connection closed by client',
  timeout: 'exceeded timeout',
  takenOver: 'session taken over',
  notAuthorised: 'not authorised',
  protocolError: 'protocol error',
  malformedPacket: 'malformed packet',
  oversizePacket: 'oversize packet',
  oversizePayload: 'oversize payload',
  outOfMemory: 'out of memory',
  administrativeAction: 'administrative action',
  quotaExceeded: 'quota exceeded',
  receiveMaximumExceeded: 'receive maximum exceeded',
  topicAliasInvalid: 'topic alias invalid',
  badUsernameOrPassword: 'bad username or password',
  clientIdentifierNotValid: 'client identifier not valid',
  serverBusy: 'server busy',
  clientBanned: 'client banned',
  nonMatchingOrigin: 'non-matching http origin',
  // Mosquitto has no words for the next ones: it tells nobody that it stops, and ends no connection with the others.
  serverShuttingDown: 'server shutting down',
  messageRateTooHigh: 'message rate too high',
  useAnotherServer: 'use another server',
  serverMoved: 'server moved',
  connectionRateExceeded: 'connection rate exceeded',
  maximumConnectTime: 'maximum connect time',
  disallowedFeature: 'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)',
} as const;

const reasonByCode: ReadonlyMap<number, string> = new Map<number, string>([
  [0x81, disconnectReason.malformedPacket],
  [0x82, disconnectReason.protocolError],
  [0x85, disconnectReason.clientIdentifierNotValid],
  [0x86, disconnectReason.badUsernameOrPassword],
  [0x87, disconnectReason.notAuthorised],
  [0x89, disconnectReason.serverBusy],
  [0x8a, disconnectReason.clientBanned],
  [0x8b, disconnectReason.serverShuttingDown],
  [0x8c, disconnectReason.disallowedFeature],
  [0x8d, disconnectReason.timeout],
  [0x8e, disconnectReason.takenOver],
  [0x93, disconnectReason.receiveMaximumExceeded],
  [0x94, disconnectReason.topicAliasInvalid],
  [0x95, disconnectReason.oversizePacket],
  [0x96, disconnectReason.messageRateTooHigh],
  [0x97, disconnectReason.quotaExceeded],
  [0x98, disconnectReason.administrativeAction],
  [0x9a, disconnectReason.disallowedFeature],
  [0x9b, disconnectReason.disallowedFeature],
  [0x9c, disconnectReason.useAnotherServer],
  [0x9d, disconnectReason.serverMoved],
  [0x9f, disconnectReason.connectionRateExceeded],
  [0xa0, disconnectReason.maximumConnectTime],
]);

/** The words for a Reason Code that ended a connection; `protocol error` for one without words of its own. */
export function disconnectReasonFor(reasonCode: number): string {
  return reasonByCode.get(reasonCode) ?? disconnectReason.protocolError;
}

/** `strerror` texts of the C library for the errors that sockets have in practice. */
const socketErrorTexts: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'Permission denied'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['ECONNABORTED', 'Software caused connection abort'],
  ['ECONNREFUSED', 'Connection refused'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EINVAL', 'Invalid argument'],
  ['EMFILE', 'Too many open files'],
  ['ENETDOWN', 'Network is down'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ENOBUFS', 'No buffer space available'],
  ['ENOENT', 'No such file or directory'],
  ['ENOTFOUND', 'Name or service not known'],
  ['ETIMEDOUT', 'Connection timed out'],
]);

/** The C library's words for an error code of Node such as `EADDRINUSE`; the code itself when it is a rare one. */
export function systemErrorText(code: string): string {
  return socketErrorTexts.get(code) ?? code;
}

/** The words for a socket that failed; a reset or a broken pipe is a peer that went away, as in Mosquitto. */
export function disconnectReasonForSocketError(code: string): string {
  if (code === 'ECONNRESET' || code === 'EPIPE') return disconnectReason.closedByClient;
  return socketErrorTexts.get(code) ?? `bad socket read/write: ${code}`;
}

/** What a `New client connected` line tells. */
export interface ConnectedClient {
  /** Address as text, or the socket path of a Unix listener. */
  readonly address: string;
  /** Remote port, 0 for Unix sockets. */
  readonly port: number;
  readonly clientId: string;
  /** 3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.0. */
  readonly protocolLevel: 3 | 4 | 5;
  readonly isCleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly username: string | null;
  /** A bridge: protocol level sent with bit 0x80. */
  readonly isBridge: boolean;
}

/** A PUBLISH as the debug lines show it. */
export interface PublishLine {
  readonly isDuplicate: boolean;
  readonly qos: number;
  readonly isRetained: boolean;
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly topicName: string;
  readonly payloadBytes: number;
}

function flag(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

function publishDetails(publish: PublishLine): string {
  return `(d${flag(publish.isDuplicate)}, q${publish.qos}, r${flag(publish.isRetained)}, m${publish.packetId}, '${publish.topicName}', ... (${publish.payloadBytes} bytes))`;
}

/** One function per line; arguments in the order in which the line shows them. */
export const logLines = {
  /** N; not with PROXY protocol, where the address is not known yet. Unix sockets: path, 0, 0. */
  newConnection: (address: string, port: number, listenerPort: number): string =>
    `New connection from ${address}:${port} on port ${listenerPort}.`,

  /** N, after a successful CONNACK. */
  newClient: (client: ConnectedClient): string => {
    const username = client.username === null ? '' : `, u'${client.username}'`;
    const kind = client.isBridge ? 'bridge' : 'client';
    return `New ${kind} connected from ${client.address}:${client.port} as ${client.clientId} (p${client.protocolLevel}, c${flag(client.isCleanStart)}, k${client.keepAliveSeconds}${username}).`;
  },

  /** N, TLS listeners. `version` as OpenSSL names it: `TLSv1.3`. */
  negotiatedCipher: (clientId: string, version: string, cipher: string): string =>
    `Client ${clientId} negotiated ${version} cipher ${cipher}`,

  /**
   * N.
   *
   * @param clientId - null before CONNECT, shown as `(null)`
   * @param reason - of {@link disconnectReason}; null when the client sent DISCONNECT
   */
  disconnected: (clientId: string | null, address: string | null, port: number, reason: string | null): string =>
    `Client ${clientId ?? '(null)'} [${address ?? '(null)'}:${port}] disconnected${reason === null ? '' : `: ${reason}`}.`,

  /** N; the socket is closed without a byte. */
  maxConnectionsExceeded: (address: string): string =>
    `Client connection from ${address} denied: max_connections exceeded.`,
  /** N; the bytes before anything else were no PROXY header, or not one of the version that is expected. */
  corruptProxyHeader: (): string => 'Connection rejected, corrupt PROXY header.',
  /** N; PROXY protocol 2, `version` as the load balancer names it. */
  proxiedCipher: (address: string, port: number, version: string, cipher: string): string =>
    `Connection from ${address}:${port} negotiated ${version} cipher ${cipher}`,
  /** N; PROXY protocol 2 with `proxy_protocol_v2_require_tls`. */
  proxiedWithoutTls: (address: string, port: number): string =>
    `Connection from ${address}:${port} rejected, client did not connect using TLS.`,
  /** N; PROXY protocol 2 with `require_certificate`. */
  proxiedWithoutCertificate: (address: string, port: number): string =>
    `Connection from ${address}:${port} rejected, client did not provide a certificate.`,
  /** N; a plain listener received a TLS hello. */
  tlsOnPlainListener: (address: string, port: number): string =>
    `Client from ${address}:${port} appears to be using TLS to connect to a non-TLS listener.`,
  /** N. */
  multipleConnect: (address: string, port: number): string =>
    `Bad client ${address}:${port} sending multiple CONNECT messages.`,
  /** N, once per connection of the client. */
  messagesDropped: (clientId: string): string => `Outgoing messages are being dropped for client ${clientId}.`,
  /** W, once; ours. */
  notRetained: (topicName: string): string =>
    `Warning: The memory for messages is used up: "${topicName}" and further topics are not retained.`,
  /** N, when a Session ends by its expiry. */
  sessionExpired: (clientId: string): string => `Expiring client ${clientId} due to timeout.`,
  /** N; the message exceeds the client's Maximum Packet Size. */
  tooLargeOutgoing: (clientId: string, packetBytes: number): string =>
    `Dropping too large outgoing PUBLISH for ${clientId} (${packetBytes} bytes)`,
  /** W; Mosquitto since 2.1.1 warns and goes on. */
  receiveMaximumExceeded: (clientId: string): string =>
    `Client ${clientId} has exceeded its receive-maximum quota. This behaviour must be fixed on the client.`,
  /** W. */
  tooManySockets: (): string =>
    'Unable to accept new connection, system socket count has been exceeded. Try increasing "ulimit -n" or equivalent.',
  /** I, before CONNECT. */
  protocolErrorFromAddress: (address: string, port: number, detail: string): string =>
    `Protocol error from ${address}:${port}: ${detail}`,
  /** I, after CONNECT. */
  protocolErrorFromClient: (clientId: string, detail: string): string => `Protocol error from ${clientId}: ${detail}`,
  /** The detail for a first packet that is not CONNECT; `firstByte` is its fixed header byte. */
  firstPacketNotConnect: (firstByte: number): string =>
    `First packet not CONNECT (${firstByte.toString(16).toUpperCase().padStart(2, '0')}).`,

  /** D. */
  sendingConnack: (clientId: string, isSessionPresent: boolean, code: number): string =>
    `Sending CONNACK to ${clientId} (${flag(isSessionPresent)}, ${code})`,
  /** D. */
  noWill: (): string => 'No will message specified.',
  /** D, two lines: the flags, then the Will Topic behind a tab. */
  will: (payloadBytes: number, isRetained: boolean, qos: number, topicName: string): readonly [string, string] => [
    `Will message specified (${payloadBytes} bytes) (r${flag(isRetained)}, q${qos}).`,
    `\t${topicName}`,
  ],
  /** D. */
  receivedPublish: (clientId: string, publish: PublishLine): string =>
    `Received PUBLISH from ${clientId} ${publishDetails(publish)}`,
  /** D. */
  sendingPublish: (clientId: string, publish: PublishLine): string =>
    `Sending PUBLISH to ${clientId} ${publishDetails(publish)}`,
  /** D; refused by the access rules. */
  deniedPublish: (clientId: string, publish: PublishLine): string =>
    `Denied PUBLISH from ${clientId} ${publishDetails(publish)}`,
  /**
   * N, once a second for the same client and rule.
   *
   * @param why - the rule that decided, with file and line
   */
  denied: (action: Action, clientId: string, username: string | null, topic: string, why: string): string => {
    const who = username === null ? clientId : `${clientId} (u'${username}')`;
    switch (action) {
      case 'publish':
        return `Denied: ${who} may not publish to '${topic}': ${why}`;
      case 'subscribe':
        return `Denied: ${who} may not subscribe to '${topic}': ${why}`;
      case 'unsubscribe':
        return `Denied: ${who} may not unsubscribe from '${topic}': ${why}`;
      case 'receive':
        return `Denied: ${who} may not read '${topic}': ${why}`;
    }
  },
  /** N; more denials in one second than are worth a line each. */
  deniedMore: (count: number): string => `Denied: ${count} more in the same second.`,
  /** N; another user has a session of this Client Identifier. */
  foreignSession: (address: string, port: number, clientId: string, username: string | null): string =>
    `Denied: ${username === null ? 'a client without user name' : `user '${username}'`} from ${address}:${port} may not use the session of ${clientId}, which belongs to another user (session_owner_check).`,
  /** D; above `message_size_limit`. */
  tooLargePublish: (clientId: string, publish: PublishLine): string =>
    `Dropped too large PUBLISH from ${clientId} ${publishDetails(publish)}`,
  /** D; followed by one {@link logLines.subscribeFilter} per Topic Filter. */
  receivedSubscribe: (clientId: string): string => `Received SUBSCRIBE from ${clientId}`,
  /** D; `qos` null when the Topic Filter was refused. */
  subscribeFilter: (filter: string, qos: number | null): string =>
    `\t${filter} ${qos === null ? '(denied)' : `(QoS ${qos})`}`,
  /** D. */
  sendingSuback: (clientId: string): string => `Sending SUBACK to ${clientId}`,
  /** D; followed by one {@link logLines.unsubscribeFilter} per Topic Filter. */
  receivedUnsubscribe: (clientId: string): string => `Received UNSUBSCRIBE from ${clientId}`,
  /** D. */
  unsubscribeFilter: (filter: string): string => `\t${filter}`,
  /** D. */
  sendingUnsuback: (clientId: string): string => `Sending UNSUBACK to ${clientId}`,
  /** D; the acks that carry a Reason Code, sent. */
  sendingAck: (packet: 'PUBACK' | 'PUBREC', clientId: string, packetId: number, reasonCode: number): string =>
    `Sending ${packet} to ${clientId} (m${packetId}, rc${reasonCode})`,
  /** D; PUBREL and PUBCOMP show no Reason Code. */
  sendingRelease: (packet: 'PUBREL' | 'PUBCOMP', clientId: string, packetId: number): string =>
    `Sending ${packet} to ${clientId} (m${packetId})`,
  /** D. */
  receivedAck: (packet: 'PUBACK' | 'PUBCOMP', clientId: string, packetId: number, reasonCode: number): string =>
    `Received ${packet} from ${clientId} (Mid: ${packetId}, RC:${reasonCode})`,
  /** D. */
  receivedRelease: (packet: 'PUBREC' | 'PUBREL', clientId: string, packetId: number): string =>
    `Received ${packet} from ${clientId} (Mid: ${packetId})`,
  /** D. */
  receivedPingreq: (clientId: string): string => `Received PINGREQ from ${clientId}`,
  /** D. */
  sendingPingresp: (clientId: string): string => `Sending PINGRESP to ${clientId}`,
  /** D. */
  receivedDisconnect: (clientId: string): string => `Received DISCONNECT from ${clientId}`,
  /** D. */
  sendingDisconnect: (clientId: string, reasonCode: number): string =>
    `Sending DISCONNECT to ${clientId} (rc${reasonCode})`,
  /** D. */
  receivedAuth: (clientId: string, reasonCode: number): string => `Received AUTH from ${clientId} (rc${reasonCode})`,
  /** D. */
  sendingAuth: (clientId: string, reasonCode: number): string => `Sending AUTH to ${clientId} (rc${reasonCode})`,

  /** S. */
  subscribed: (clientId: string, qos: number, filter: string): string => `${clientId} ${qos} ${filter}`,
  /** U. */
  unsubscribed: (clientId: string, filter: string): string => `${clientId} ${filter}`,
} as const;
