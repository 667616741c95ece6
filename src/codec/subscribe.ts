import type { ProtocolVersion, QoS, RetainHandling, SubscribePacket, Subscription } from './packet.ts';
import { NO_PROPERTIES } from './packet.ts';
import { propertiesSize, readProperties, writeProperties } from './properties.ts';
import { Reader } from './reader.ts';
import { ReasonCode } from './reason-code.ts';
import { packetWriter, stringSize } from './writer.ts';

/**
 * Reads a SUBSCRIBE. (§3.8) The grammar of Topic Filters is checked by `topics/`, not here.
 *
 * @throws ProtocolError - 0x81 for missing filters, empty or ill-formed ones and bad options (Mosquitto; the standard
 *   allows 0x82 for some), 0x82 for Packet Identifier 0 and No Local on a Shared Subscription
 */
export function decodeSubscribe(buf: Buffer, start: number, end: number, version: ProtocolVersion): SubscribePacket {
  const reader = new Reader('SUBSCRIBE', buf, start, end);
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties(reader, 'subscribe', 'client') : NO_PROPERTIES;
  const subscriptions: Subscription[] = [];
  while (reader.remaining > 0) {
    const filter = readFilter(reader);
    subscriptions.push(readOptions(reader, filter, version));
  }
  if (subscriptions.length === 0) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.8.3-2', 'no Topic Filter');
  }
  return { type: 'subscribe', packetId, properties, subscriptions };
}

/** A Topic Filter as SUBSCRIBE and UNSUBSCRIBE carry it: legal UTF-8, at least one character. [MQTT-4.7.3-1] */
export function readFilter(reader: Reader): string {
  const filter = reader.string('Topic Filter');
  if (filter === '') throw reader.error(ReasonCode.MalformedPacket, 'MQTT-4.7.3-1', 'empty Topic Filter');
  return filter;
}

function readOptions(reader: Reader, filter: string, version: ProtocolVersion): Subscription {
  const options = reader.u8('Subscription Options');
  const qos = options & 0x03;
  if (qos === 3) throw reader.error(ReasonCode.MalformedPacket, '§3.8.3.1', 'Maximum QoS 3');
  if (version < 5) {
    // MQTT 3.1 §3.8 does not use the upper six bits.
    if (version === 4 && options > 2) {
      throw reader.error(ReasonCode.MalformedPacket, 'v3.1.1 MQTT-3.8.3-4', 'reserved bits beside the QoS are set');
    }
    return { filter, qos: qos as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  }
  const retainHandling = (options >> 4) & 0x03;
  if (options > 0x3f) {
    throw reader.error(ReasonCode.MalformedPacket, 'MQTT-3.8.3-5', 'reserved Subscription Options are set');
  }
  if (retainHandling === 3) throw reader.error(ReasonCode.MalformedPacket, '§3.8.3.1', 'Retain Handling 3');
  const noLocal = (options & 0x04) !== 0;
  if (noLocal && filter.startsWith('$share/')) {
    throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.8.3-4', 'No Local on a Shared Subscription');
  }
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & 0x08) !== 0,
    retainHandling: retainHandling as RetainHandling,
  };
}

/** Writes a SUBSCRIBE. In 3.x only the QoS of each subscription is sent. */
export function encodeSubscribe(packet: SubscribePacket, version: ProtocolVersion): Buffer {
  let size = 2 + (version === 5 ? propertiesSize(packet.properties) : 0);
  for (const subscription of packet.subscriptions) size += stringSize(subscription.filter) + 1;
  const writer = packetWriter(0x82, size);
  writer.u16(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, 'subscribe');
  for (const subscription of packet.subscriptions) {
    writer.string(subscription.filter);
    writer.u8(version === 5 ? optionsOf(subscription) : subscription.qos);
  }
  return writer.finish();
}

function optionsOf(subscription: Subscription): number {
  return (
    subscription.qos |
    (subscription.noLocal ? 0x04 : 0) |
    (subscription.retainAsPublished ? 0x08 : 0) |
    (subscription.retainHandling << 4)
  );
}
