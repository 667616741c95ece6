/** CONNECT: is it acceptable, who is it, may it come in; then its session, CONNACK and what the session owes it. */
import { invariant } from '../base/invariant.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { disconnectReasonFor, logLines } from '../broker/log-lines.ts';
import { openSession } from '../broker/sessions.ts';
import { encodePacket } from '../codec/encode.ts';
import type { ConnectPacket, WillMessage } from '../codec/packet.ts';
import { expiryOffsetIn } from '../codec/property-section.ts';
import type { Properties } from '../codec/property-table.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { PACKET_SIZE_MAX } from '../codec/stream-decoder.ts';
import type { AuthenticationResult, ConnectRequest } from '../contracts/authenticator.ts';
import { createMessage, type Publisher } from '../contracts/message.ts';
import { resume } from '../session/send-waiting.ts';
import { neverExpires, type Will } from '../session/session.ts';
import { Topic } from '../topics/topic.ts';
import type { Connection } from './connection.ts';
import { authenticateEnhanced } from './enhanced-auth.ts';
import { refuse } from './fail.ts';
import { InboundAliases } from './inbound-aliases.ts';
import { OutboundAliases } from './outbound-aliases.ts';

/** @returns a promise when somebody has to be asked who this is */
export function receiveConnect(connection: Connection, packet: ConnectPacket): MaybePromise<void> {
  const { hub, policy } = connection;
  hub.engine.stats.connectsReceived++;
  connection.version = packet.protocolVersion;
  connection.isBridge = packet.isBridge;
  connection.decoder.requireShortestLength = packet.protocolVersion === 5;
  if (packet.clientId !== '') connection.clientId = packet.clientId;
  connection.maximumPacketSize = packet.properties.maximumPacketSize ?? PACKET_SIZE_MAX;
  connection.wantsReasons = packet.properties.requestProblemInformation !== false;
  const reasonCode = refusal(connection, packet);
  if (reasonCode !== 0) {
    end(connection, reasonCode);
    return;
  }
  const { tls, address } = connection.transport.peer;
  const username = policy.useCertificateIdentity ? (tls?.identity ?? null) : (packet.username ?? null);
  if (policy.useCertificateIdentity && username === null) {
    end(connection, ReasonCode.BadUserNameOrPassword);
    return;
  }
  connection.state = 'authenticating';
  const request: ConnectRequest = {
    clientId: policy.useUsernameAsClientId && username !== null ? username : packet.clientId,
    username,
    password: packet.password ?? null,
    hasCertificateIdentity: policy.useCertificateIdentity,
    address,
    listenerPort: policy.port,
    protocolVersion: packet.protocolVersion,
    isAbandoned: () => connection.state !== 'authenticating',
  };
  const { authenticationMethod, authenticationData } = packet.properties;
  if (authenticationMethod !== undefined) {
    const begin = policy.authenticationMethods?.get(authenticationMethod);
    invariant(begin !== undefined, 'an unknown Authentication Method was refused before');
    // Authentication comes first: neither session nor Will is touched before. [MQTT-4.12.0-4]
    return authenticateEnhanced(connection, { name: authenticationMethod, begin }, request, authenticationData, {
      accept: ({ username: proven, data }) => decide(connection, packet, proven ?? username, 'accepted', data),
      refuse: (refused) => decide(connection, packet, username, refused),
    });
  }
  const result = policy.authenticator.authenticate(request);
  if (!(result instanceof Promise)) {
    decide(connection, packet, username, result);
    return;
  }
  return result.then(
    (later) => decideLater(connection, packet, username, later),
    () => decideLater(connection, packet, username, { reasonCode: ReasonCode.UnspecifiedError }),
  );
}

function decideLater(
  connection: Connection,
  packet: ConnectPacket,
  username: string | null,
  result: AuthenticationResult,
): void {
  // Gone while somebody was asked: no session is made for it.
  if (connection.state !== 'authenticating') return;
  connection.hub.engine.nowMs = connection.hub.engine.clock.nowMs();
  decide(connection, packet, username, result);
}

/** @param claimed - the user name of the CONNECT, of the certificate, or proven by enhanced authentication */
function decide(
  connection: Connection,
  packet: ConnectPacket,
  claimed: string | null,
  result: AuthenticationResult,
  data: Buffer | null = null,
): void {
  if (result !== 'accepted' && 'reasonCode' in result) {
    end(connection, result.reasonCode, result.reason);
    return;
  }
  const { username, endsAtMs } = result === 'accepted' ? { username: claimed, endsAtMs: null } : result;
  const clientId = chooseClientId(connection, packet, username);
  if (clientId === null) {
    end(connection, ReasonCode.NotAuthorized);
    return;
  }
  const { bans, nowMs, ownClientIds } = connection.hub.engine;
  if (ownClientIds.size > 0 && ownClientIds.has(clientId)) {
    end(connection, ReasonCode.ClientIdentifierNotValid);
    return;
  }
  if (bans.count > 0 && bans.has(clientId, nowMs)) {
    end(connection, ReasonCode.Banned);
    return;
  }
  if (!ownsSession(connection, clientId, username)) {
    end(connection, ReasonCode.NotAuthorized);
    return;
  }
  const { sessions, limits } = connection.hub.engine;
  if (limits.maxSessions > 0 && sessions.size >= limits.maxSessions && !sessions.has(clientId)) {
    // Mosquitto: older clients are closed without an answer.
    if (connection.version === 5) end(connection, ReasonCode.ServerBusy);
    else connection.close('abnormal', disconnectReasonFor(ReasonCode.ServerBusy));
    return;
  }
  if (connection.policy.remembersPasswords === true) connection.password = packet.password ?? null;
  open(connection, packet, { clientId, username, listenerPort: connection.policy.port }, data);
  if (endsAtMs !== null && connection.state === 'active') connection.endAt(endsAtMs);
}

/** Whether the user may have the session of this Client Identifier, if there is one; whose it is is not disturbed. */
function ownsSession(connection: Connection, clientId: string, username: string | null): boolean {
  const { engine } = connection.hub;
  const owner = engine.sessions.get(clientId)?.publisher.username ?? null;
  // A session without a user name (anonymous, or from a database that knows none) belongs to nobody.
  if (owner === null || owner === username || !engine.limits.sessionOwnerCheck) return true;
  const { address, port } = connection.transport.peer;
  engine.logger.log('notice', logLines.foreignSession(address, port, clientId, username));
  return false;
}

/** Why a CONNECT is refused whoever sends it; 0 when it is not. */
function refusal(connection: Connection, packet: ConnectPacket): number {
  const { policy } = connection;
  const { limits } = connection.hub.engine;
  const { protocolVersion: version, clientId, will, properties } = packet;
  if (!policy.protocolVersions.has(version)) return ReasonCode.UnsupportedProtocolVersion;
  if (clientId === '' && !policy.useUsernameAsClientId) {
    if (version === 3 || (version === 4 && !packet.cleanStart)) return ReasonCode.ClientIdentifierNotValid;
    // Mosquitto: 2 for 3.1.1, 0x80 for 5.0.
    if (!policy.allowZeroLengthClientId) {
      return version === 5 ? ReasonCode.UnspecifiedError : ReasonCode.ClientIdentifierNotValid;
    }
  }
  if (clientId !== '' && !clientId.startsWith(policy.clientIdPrefix)) return ReasonCode.NotAuthorized;
  const { authenticationMethod } = properties;
  if (authenticationMethod !== undefined && policy.authenticationMethods?.has(authenticationMethod) !== true) {
    return ReasonCode.BadAuthenticationMethod; // [MQTT-4.12.0-1]
  }
  if (version !== 5 && limits.maxKeepaliveSeconds > 0) {
    const { keepAliveSeconds } = packet;
    if (keepAliveSeconds === 0 || keepAliveSeconds > limits.maxKeepaliveSeconds) {
      return ReasonCode.ClientIdentifierNotValid;
    }
  }
  return will === undefined ? 0 : willRefusal(connection, will, version);
}

function willRefusal(connection: Connection, will: WillMessage, version: 3 | 4 | 5): number {
  const { limits } = connection.hub.engine;
  if (will.topic.startsWith('$CONTROL/')) return ReasonCode.TopicNameInvalid;
  if (will.retain && !limits.retainAvailable) return ReasonCode.RetainNotSupported;
  if (will.qos > connection.policy.maxQos) return ReasonCode.QosNotSupported;
  if (limits.messageSizeLimit > 0 && will.payload.length > limits.messageSizeLimit) {
    // Mosquitto: 5 for 3.1.1.
    return version === 5 ? ReasonCode.PacketTooLarge : ReasonCode.NotAuthorized;
  }
  return 0;
}

/** The Client Identifier to be known by: its own, one made up, or the user name. [MQTT-3.1.3-6] */
function chooseClientId(connection: Connection, packet: ConnectPacket, username: string | null): string | null {
  const { policy, hub } = connection;
  if (policy.useUsernameAsClientId) return username;
  if (packet.clientId !== '') return packet.clientId;
  for (;;) {
    const hex = hub.engine.clock.randomBytes(16).toString('hex');
    const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    const clientId = policy.autoIdPrefix + groups.join('-');
    // A client may have chosen that very name. [MQTT-3.2.2-16]
    if (!hub.engine.sessions.has(clientId)) return clientId;
  }
}

/** @param authenticationData - for the CONNACK, from an enhanced authentication */
function open(
  connection: Connection,
  packet: ConnectPacket,
  publisher: Publisher,
  authenticationData: Buffer | null,
): void {
  const { hub, policy } = connection;
  const { engine } = hub;
  const { limits } = engine;
  const { properties, protocolVersion: version } = packet;
  const { clientId, username } = publisher;
  connection.clientId = clientId;
  const ownWindow = limits.maxInflightMessages === 0 ? 65_535 : limits.maxInflightMessages;
  connection.receiveMaximum = properties.receiveMaximum ?? ownWindow;
  const aliasMaximum = Math.min(properties.topicAliasMaximum ?? 0, policy.maxTopicAliasBroker);
  if (aliasMaximum > 0) connection.aliases = new OutboundAliases(aliasMaximum);
  if (version === 5) connection.inboundAliases = new InboundAliases(policy.maxTopicAlias);
  connection.decoder.maximumPacketSize = limits.maxPacketSize > 0 ? limits.maxPacketSize : PACKET_SIZE_MAX;

  const wanted = expiryWanted(packet);
  const longest = limits.persistentClientExpirationSeconds;
  const expiryIntervalSeconds = longest === null ? wanted : Math.min(wanted, longest);
  const keepAlive = keepAliveGranted(connection, packet);
  const connackProperties: Properties =
    version === 5
      ? negotiated(connection, packet, expiryIntervalSeconds, keepAlive, publisher, authenticationData)
      : {};

  // The Client Identifier is taken over before CONNACK, so the old connection can still be told why. [MQTT-3.1.4-3]
  const { session, isPresent } = openSession(engine, {
    publisher,
    cleanStart: packet.cleanStart,
    expiryIntervalSeconds,
    will: packet.will === undefined ? null : makeWill(connection, packet.will, publisher),
    outlet: connection,
    access: policy.access,
  });
  const connack = encodePacket(
    { type: 'connack', sessionPresent: isPresent, reasonCode: ReasonCode.Success, properties: connackProperties },
    version,
  );
  connection.session = session;
  connection.state = 'active';
  connection.setKeepAlive(keepAlive);
  const { address, port, tls } = connection.transport.peer;
  connection.publisher = publisher;
  connection.cleanStart = packet.cleanStart;
  if (limits.connectionMessages) {
    if (tls !== null) engine.logger.log('notice', logLines.negotiatedCipher(clientId, tls.version, tls.cipher));
    engine.logger.log(
      'notice',
      logLines.newClient({
        address,
        port,
        clientId,
        protocolLevel: version,
        isCleanStart: packet.cleanStart,
        keepAliveSeconds: packet.keepAliveSeconds,
        username,
        isBridge: packet.isBridge,
      }),
    );
  }
  if (hub.isTracing) traceOpened(connection, packet, isPresent);
  if (connack.length > connection.maximumPacketSize) {
    // Mosquitto: a client that cannot take its CONNACK is closed.
    connection.close('abnormal', disconnectReasonFor(ReasonCode.PacketTooLarge));
    return;
  }
  connection.send(connack);
  const { client } = connection;
  if (client !== null) for (const hook of engine.hooks) hook.afterConnect?.(client);
  resume(engine, session);
}

/** Session Expiry Interval that the CONNECT asks for, in seconds. */
function expiryWanted(packet: ConnectPacket): number {
  if (packet.protocolVersion === 5) return packet.properties.sessionExpiryInterval ?? 0;
  return packet.cleanStart ? 0 : neverExpires;
}

/** Seconds of Keep Alive that hold on this connection. */
function keepAliveGranted(connection: Connection, packet: ConnectPacket): number {
  const maximum = connection.hub.engine.limits.maxKeepaliveSeconds;
  const { keepAliveSeconds } = packet;
  return maximum > 0 && (keepAliveSeconds === 0 || keepAliveSeconds > maximum) ? maximum : keepAliveSeconds;
}

/** What an MQTT 5.0 client has to know, in Mosquitto's order. */
function negotiated(
  connection: Connection,
  packet: ConnectPacket,
  expiryIntervalSeconds: number,
  keepAlive: number,
  publisher: Publisher,
  authenticationData: Buffer | null,
): Properties {
  const { policy } = connection;
  const { authenticationMethod, requestResponseInformation } = packet.properties;
  const { limits } = connection.hub.engine;
  return {
    ...(expiryIntervalSeconds === expiryWanted(packet) ? {} : { sessionExpiryInterval: expiryIntervalSeconds }),
    ...(keepAlive === packet.keepAliveSeconds ? {} : { serverKeepAlive: keepAlive }),
    ...(policy.maxTopicAlias === 0 ? {} : { topicAliasMaximum: policy.maxTopicAlias }),
    ...(connection.clientId === packet.clientId ? {} : { assignedClientIdentifier: connection.clientId }),
    ...(limits.retainAvailable ? {} : { retainAvailable: false }),
    ...(limits.maxPacketSize === 0 ? {} : { maximumPacketSize: limits.maxPacketSize }),
    ...(limits.maxInflightMessages === 0 ? {} : { receiveMaximum: limits.maxInflightMessages }),
    ...(policy.maxQos === 2 ? {} : { maximumQos: policy.maxQos }),
    // [MQTT-3.1.2-28]
    ...(requestResponseInformation === true ? responseInformation(policy, publisher) : {}),
    // [MQTT-4.12.0-5] [MQTT-4.12.0-6]
    ...(authenticationMethod === undefined ? {} : { authenticationMethod }),
    ...(authenticationData === null ? {} : { authenticationData }),
  };
}

/** Response Information of a client, in which `%c` is its Client Identifier and `%u` its user name. */
function responseInformation(
  { responseInformation: pattern }: Connection['policy'],
  { clientId, username }: Publisher,
): Properties {
  if (pattern === undefined || pattern === null) return {};
  const parts: Readonly<Record<string, string>> = { '%c': clientId, '%u': username ?? '' };
  const text = pattern.replaceAll(/%[cu]/g, (name) => parts[name] ?? '');
  // Long names may make more of it than a string can hold.
  return Buffer.byteLength(text) > 65_535 ? {} : { responseInformation: text };
}

function makeWill(connection: Connection, will: WillMessage, publisher: Publisher): Will {
  const name = connection.policy.mountPoint.toString() + will.topic;
  const message = createMessage(Topic.of(name), publisher, {
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: will.rawProperties,
    expiryOffset: expiryOffsetIn(will.rawProperties, 0, will.rawProperties.length),
  });
  return { message, delaySeconds: will.properties.willDelayInterval ?? 0 };
}

/** Refuses the CONNECT and closes; whoever else uses the Client Identifier is not disturbed. */
function end(connection: Connection, reasonCode: number, reason?: string): void {
  refuse(connection, reasonCode, connection.version, reason);
  connection.close('abnormal', disconnectReasonFor(reasonCode));
}

function traceOpened(connection: Connection, packet: ConnectPacket, isPresent: boolean): void {
  const { logger } = connection.hub.engine;
  const { will } = packet;
  if (will === undefined) logger.log('debug', logLines.noWill());
  else
    for (const text of logLines.will(will.payload.length, will.retain, will.qos, will.topic)) logger.log('debug', text);
  logger.log('debug', logLines.sendingConnack(connection.clientId, isPresent, 0));
}
