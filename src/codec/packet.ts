import type { Properties } from './property-table.ts';
import type { ReasonCodeOf } from './reason-code.ts';

/** Protocol level of CONNECT: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5;

/** Quality of Service: at most once, at least once, exactly once. */
export type QoS = 0 | 1 | 2;

/** Retain Handling of a subscription: send retained messages always, only for a new subscription, never. (§3.8.3.1) */
export type RetainHandling = 0 | 1 | 2;

/** No properties, for packets that carry none and for every packet of MQTT 3.x. */
export const NO_PROPERTIES: Properties = Object.freeze({});

/** No bytes, for an empty payload. */
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** The Will of a CONNECT. */
export interface WillMessage {
  /** Valid UTF-8, not empty, without wildcards. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
  /**
   * The properties that subscribers get, as received and in the order received: all but Will Delay Interval.
   * Set by reading; writing uses `properties` and ignores it (leave it empty).
   */
  readonly rawProperties: Buffer;
}

export interface ConnectPacket {
  readonly type: 'connect';
  readonly protocolVersion: ProtocolVersion;
  /** Mosquitto: protocol level with bit 7 set (0x83, 0x84), sent by bridges in MQTT 3.x. */
  readonly isBridge: boolean;
  /** Clean Session in MQTT 3.x. */
  readonly cleanStart: boolean;
  /** 0 to 65,535; 0 turns Keep Alive off. */
  readonly keepAliveSeconds: number;
  /** May be empty: the connection decides what that means. */
  readonly clientId: string;
  readonly will?: WillMessage;
  readonly username?: string;
  readonly password?: Buffer;
  readonly properties: Properties;
}

export interface ConnackPacket {
  readonly type: 'connack';
  /** Always false in MQTT 3.1. */
  readonly sessionPresent: boolean;
  /** In MQTT 3.x the code that says the same as the return code; see `returnCodeOf`. */
  readonly reasonCode: ReasonCodeOf<'connack'>;
  readonly properties: Properties;
}

export interface PublishPacket {
  readonly type: 'publish';
  /** Empty only together with a Topic Alias. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 1 to 65,535; 0 when QoS is 0. */
  readonly packetId: number;
  readonly properties: Properties;
}

interface Acknowledgement<T extends 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'> {
  readonly type: T;
  readonly packetId: number;
  /** Always 0x00 in MQTT 3.x. */
  readonly reasonCode: ReasonCodeOf<T>;
  readonly properties: Properties;
}

export type PubackPacket = Acknowledgement<'puback'>;
export type PubrecPacket = Acknowledgement<'pubrec'>;
export type PubrelPacket = Acknowledgement<'pubrel'>;
export type PubcompPacket = Acknowledgement<'pubcomp'>;

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export type AckPacket = PubackPacket | PubrecPacket | PubrelPacket | PubcompPacket;

/** One Topic Filter of a SUBSCRIBE with its options; MQTT 3.x has the QoS only, the others read as 0. */
export interface Subscription {
  /** Valid UTF-8, not empty; its wildcards are checked by `topics/`. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
}

export interface SubscribePacket {
  readonly type: 'subscribe';
  readonly packetId: number;
  readonly properties: Properties;
  /** At least one. */
  readonly subscriptions: readonly Subscription[];
}

export interface SubackPacket {
  readonly type: 'suback';
  readonly packetId: number;
  readonly properties: Properties;
  /** One per Topic Filter, in the order of the SUBSCRIBE. */
  readonly reasonCodes: readonly ReasonCodeOf<'suback'>[];
}

export interface UnsubscribePacket {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  readonly properties: Properties;
  /** At least one. */
  readonly filters: readonly string[];
}

export interface UnsubackPacket {
  readonly type: 'unsuback';
  readonly packetId: number;
  readonly properties: Properties;
  /** One per Topic Filter in MQTT 5.0; empty in MQTT 3.x. */
  readonly reasonCodes: readonly ReasonCodeOf<'unsuback'>[];
}

export interface PingreqPacket {
  readonly type: 'pingreq';
}

export interface PingrespPacket {
  readonly type: 'pingresp';
}

export interface DisconnectPacket {
  readonly type: 'disconnect';
  /** Always 0x00 in MQTT 3.x. */
  readonly reasonCode: ReasonCodeOf<'disconnect'>;
  readonly properties: Properties;
}

/** MQTT 5.0 only. */
export interface AuthPacket {
  readonly type: 'auth';
  readonly reasonCode: ReasonCodeOf<'auth'>;
  readonly properties: Properties;
}

/** Any MQTT Control Packet. */
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;

/** Name of a control packet in code; upper-cased it is the standard's name. */
export type PacketType = Packet['type'];
