import { encodeAck } from './acks.ts';
import { encodeAuth } from './auth.ts';
import { encodeConnack } from './connack.ts';
import { encodeConnect } from './connect.ts';
import { encodeDisconnect } from './disconnect.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { PINGREQ, PINGRESP } from './ping.ts';
import { encodePublish } from './publish.ts';
import { encodeSuback } from './suback.ts';
import { encodeSubscribe } from './subscribe.ts';
import { encodeUnsuback } from './unsuback.ts';
import { encodeUnsubscribe } from './unsubscribe.ts';

/**
 * Writes one control packet into a buffer of exactly its size. What the version has no room for (properties, options and
 * Reason Codes in 3.x) is left out.
 *
 * @param version - of the connection; a CONNECT is written in the version that it names
 * @throws PacketTooLong - it would be longer than MQTT allows
 * @throws InvariantViolation - when a value does not fit its field; callers validate what users give them
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  switch (packet.type) {
    case 'connect':
      return encodeConnect(packet);
    case 'connack':
      return encodeConnack(packet, version);
    case 'publish':
      return encodePublish(packet, version);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return encodeAck(packet, version);
    case 'subscribe':
      return encodeSubscribe(packet, version);
    case 'suback':
      return encodeSuback(packet, version);
    case 'unsubscribe':
      return encodeUnsubscribe(packet, version);
    case 'unsuback':
      return encodeUnsuback(packet, version);
    case 'pingreq':
      return PINGREQ;
    case 'pingresp':
      return PINGRESP;
    case 'disconnect':
      return encodeDisconnect(packet, version);
    case 'auth':
      return encodeAuth(packet);
  }
}
