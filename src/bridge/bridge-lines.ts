/** What a bridge says in the log: Mosquitto's words where it has any, the type of line in each comment. */
export const bridgeLines = {
  /** N */
  connecting: (name: string, host: string, port: number): string => `Connecting bridge ${name} (${host}:${port})`,
  /** E; there was no connection. */
  unreachable: (why: string): string => `Error creating bridge: ${why}.`,
  /** E; CONNACK said no. */
  refused: (why: string): string => `Connection Refused: ${why}`,
  /** W */
  withoutVersion5: (name: string): string =>
    `Warning: Remote bridge ${name} does not support MQTT v5.0, reconnecting using MQTT v3.1.1.`,
  /** I */
  backoff: (name: string, delayMs: number): string => `Bridge ${name} next backoff will be ${delayMs} ms`,
  /** I */
  stable: (name: string): string => `Bridge ${name} connection was stable enough, resetting backoff`,
  /** N */
  idle: (name: string): string => `Bridge connection ${name} has exceeded idle timeout, disconnecting.`,
  /** D */
  sendingConnect: (remoteClientId: string): string => `Bridge ${remoteClientId} sending CONNECT`,
  /** D */
  receivedConnack: (clientId: string): string => `Received CONNACK on connection ${clientId}.`,
  /** D */
  sendingSubscribe: (clientId: string, packetId: number, topic: string, qos: number, options: number): string =>
    `Bridge ${clientId} sending SUBSCRIBE (Mid: ${packetId}, Topic: ${topic}, QoS: ${qos}, Options: 0x${options.toString(16).padStart(2, '0')})`,
  /** D */
  sendingUnsubscribe: (clientId: string, packetId: number, topic: string): string =>
    `Bridge ${clientId} sending UNSUBSCRIBE (Mid: ${packetId}, Topic: ${topic})`,
  /** D */
  receivedAnswer: (packet: 'SUBACK' | 'UNSUBACK', clientId: string): string => `Received ${packet} from ${clientId}`,
  /** N; ours. */
  connected: (name: string, host: string, port: number): string => `Bridge ${name} connected to ${host}:${port}.`,
  /** N; ours. */
  goingBack: (name: string, host: string, port: number): string =>
    `Bridge ${name}: ${host}:${port} answers again, going back to it.`,
  /** W; ours. */
  subscriptionRefused: (name: string, filter: string): string =>
    `Warning: Bridge ${name}: the other broker refuses the subscription to '${filter}'.`,
  /** W; ours. */
  noNotifications: (name: string, topic: string): string =>
    `Warning: Bridge ${name} tells nobody of its state: '${topic}' is not a topic that can be published to.`,
} as const;

/** Mosquitto's words for a CONNACK return code of MQTT 3.x. */
const returnCodes: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'identifier rejected',
  3: 'broker unavailable',
  4: 'bad user name or password',
  5: 'not authorised',
};

/** @param returnCode - of MQTT 3.x; undefined for one without a name */
export function returnCodeText(returnCode: number | undefined): string {
  return (returnCode === undefined ? undefined : returnCodes[returnCode]) ?? 'unknown reason';
}
