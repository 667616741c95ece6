/**
 * The Reason Codes of MQTT 5.0 (§2.4), which packets may carry each, and the CONNACK return code that says the same to
 * an MQTT 3.x client. Everything about a code is in its row; the types below are derived from the rows, so a packet with
 * a code that it may not carry does not compile.
 */

/** The codes by name, for use in code. 0x00 has one name here; what it means depends on the packet. */
export const ReasonCode = {
  Success: 0x00,
  GrantedQos1: 0x01,
  GrantedQos2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QosNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const;

/** Any Reason Code of MQTT 5.0. */
export type ReasonCode = (typeof ReasonCode)[keyof typeof ReasonCode];

/** The packets that carry a Reason Code. */
export type ReasonCodeCarrier =
  | 'connack'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'suback'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

interface Row {
  readonly code: ReasonCode;
  /** As the standard prints it. */
  readonly name: string;
  readonly packets: readonly ReasonCodeCarrier[];
  /** CONNACK return code of MQTT 3.1 and 3.1.1 (3.1.1 §3.2.2.3) that a refused 3.x client gets; none: close without CONNACK. */
  readonly returnCode?: ReturnCode;
}

/** CONNACK return codes of MQTT 3.1 and 3.1.1: accepted, protocol version, identifier, unavailable, bad user name or password, not authorised. */
export type ReturnCode = 0 | 1 | 2 | 3 | 4 | 5;

/** One row per code, in ascending order. */
export const reasonCodes = [
  {
    code: 0x00,
    name: 'Success',
    packets: ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'disconnect', 'auth'],
    returnCode: 0,
  },
  { code: 0x01, name: 'Granted QoS 1', packets: ['suback'] },
  { code: 0x02, name: 'Granted QoS 2', packets: ['suback'] },
  { code: 0x04, name: 'Disconnect with Will Message', packets: ['disconnect'] },
  { code: 0x10, name: 'No matching subscribers', packets: ['puback', 'pubrec'] },
  { code: 0x11, name: 'No subscription existed', packets: ['unsuback'] },
  { code: 0x18, name: 'Continue authentication', packets: ['auth'] },
  { code: 0x19, name: 'Re-authenticate', packets: ['auth'] },
  {
    code: 0x80,
    name: 'Unspecified error',
    packets: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'],
  },
  { code: 0x81, name: 'Malformed Packet', packets: ['connack', 'disconnect'] },
  { code: 0x82, name: 'Protocol Error', packets: ['connack', 'disconnect'] },
  {
    code: 0x83,
    name: 'Implementation specific error',
    packets: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'],
  },
  { code: 0x84, name: 'Unsupported Protocol Version', packets: ['connack'], returnCode: 1 },
  { code: 0x85, name: 'Client Identifier not valid', packets: ['connack'], returnCode: 2 },
  { code: 0x86, name: 'Bad User Name or Password', packets: ['connack'], returnCode: 4 },
  {
    code: 0x87,
    name: 'Not authorized',
    packets: ['connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'],
    returnCode: 5,
  },
  { code: 0x88, name: 'Server unavailable', packets: ['connack'], returnCode: 3 },
  { code: 0x89, name: 'Server busy', packets: ['connack', 'disconnect'], returnCode: 3 },
  { code: 0x8a, name: 'Banned', packets: ['connack'], returnCode: 5 },
  { code: 0x8b, name: 'Server shutting down', packets: ['disconnect'] },
  // The common table (§2.4) lists 0x8C for DISCONNECT too: a failed re-authentication.
  { code: 0x8c, name: 'Bad authentication method', packets: ['connack', 'disconnect'], returnCode: 5 },
  { code: 0x8d, name: 'Keep Alive timeout', packets: ['disconnect'] },
  { code: 0x8e, name: 'Session taken over', packets: ['disconnect'] },
  { code: 0x8f, name: 'Topic Filter invalid', packets: ['suback', 'unsuback', 'disconnect'] },
  { code: 0x90, name: 'Topic Name invalid', packets: ['connack', 'puback', 'pubrec', 'disconnect'] },
  { code: 0x91, name: 'Packet Identifier in use', packets: ['puback', 'pubrec', 'suback', 'unsuback'] },
  { code: 0x92, name: 'Packet Identifier not found', packets: ['pubrel', 'pubcomp'] },
  { code: 0x93, name: 'Receive Maximum exceeded', packets: ['disconnect'] },
  { code: 0x94, name: 'Topic Alias invalid', packets: ['disconnect'] },
  { code: 0x95, name: 'Packet too large', packets: ['connack', 'disconnect'] },
  { code: 0x96, name: 'Message rate too high', packets: ['disconnect'] },
  {
    code: 0x97,
    name: 'Quota exceeded',
    packets: ['connack', 'puback', 'pubrec', 'suback', 'disconnect'],
    returnCode: 3,
  },
  { code: 0x98, name: 'Administrative action', packets: ['disconnect'] },
  { code: 0x99, name: 'Payload format invalid', packets: ['connack', 'puback', 'pubrec', 'disconnect'] },
  { code: 0x9a, name: 'Retain not supported', packets: ['connack', 'disconnect'] },
  { code: 0x9b, name: 'QoS not supported', packets: ['connack', 'disconnect'] },
  { code: 0x9c, name: 'Use another server', packets: ['connack', 'disconnect'] },
  { code: 0x9d, name: 'Server moved', packets: ['connack', 'disconnect'] },
  { code: 0x9e, name: 'Shared Subscriptions not supported', packets: ['suback', 'disconnect'] },
  { code: 0x9f, name: 'Connection rate exceeded', packets: ['connack', 'disconnect'], returnCode: 3 },
  { code: 0xa0, name: 'Maximum connect time', packets: ['disconnect'] },
  { code: 0xa1, name: 'Subscription Identifiers not supported', packets: ['suback', 'disconnect'] },
  { code: 0xa2, name: 'Wildcard Subscriptions not supported', packets: ['suback', 'disconnect'] },
] as const satisfies readonly Row[];

type CodeIn<R, P extends ReasonCodeCarrier> = R extends {
  readonly code: infer C;
  readonly packets: readonly (infer Q)[];
}
  ? P extends Q
    ? C
    : never
  : never;

/** The codes that packet P may carry. */
export type ReasonCodeOf<P extends ReasonCodeCarrier> = CodeIn<(typeof reasonCodes)[number], P>;

const rowsByCode: readonly (Row | undefined)[] = indexByCode();

function indexByCode(): readonly (Row | undefined)[] {
  const index: (Row | undefined)[] = Array.from({ length: 256 }, () => undefined);
  for (const row of reasonCodes) index[row.code] = row;
  return index;
}

/** Whether a byte is a Reason Code that this packet may carry. (§2.4) */
export function mayCarry<P extends ReasonCodeCarrier>(packet: P, code: number): code is ReasonCodeOf<P> {
  const row: Row | undefined = rowsByCode[code];
  return row?.packets.includes(packet) ?? false;
}

/** The code's name as the standard prints it; 0x00 is named by the packet that carries it. Unknown codes read `0xNN`. */
export function reasonCodeName(code: number, packet?: ReasonCodeCarrier): string {
  if (code === 0x00 && packet === 'disconnect') return 'Normal disconnection';
  if (code === 0x00 && packet === 'suback') return 'Granted QoS 0';
  return rowsByCode[code]?.name ?? `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The CONNACK return code that tells a 3.x client the same; undefined: close without CONNACK. [v3.1.1 MQTT-3.2.2-6] */
export function returnCodeOf(code: number): ReturnCode | undefined {
  return rowsByCode[code]?.returnCode;
}

/** The Reason Code that says the same as a CONNACK return code of MQTT 3.x; 0x80 for a reserved one (6 to 255). */
export function reasonCodeOfReturnCode(returnCode: number): ReasonCodeOf<'connack'> {
  return reasonOfReturnCode[returnCode] ?? ReasonCode.UnspecifiedError;
}

const reasonOfReturnCode: readonly ReasonCodeOf<'connack'>[] = [
  ReasonCode.Success,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.ServerUnavailable,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
];
