import { decodeAck } from './acks.ts';
import { decodeAuth } from './auth.ts';
import { decodeConnack } from './connack.ts';
import { decodeConnect } from './connect.ts';
import { decodeDisconnect } from './disconnect.ts';
import { checkFirstByte, type Side } from './fixed-header.ts';
import type { Packet, ProtocolVersion } from './packet.ts';
import { decodePing } from './ping.ts';
import { decodePublish } from './publish.ts';
import { decodeSuback } from './suback.ts';
import { decodeSubscribe } from './subscribe.ts';
import { decodeUnsuback } from './unsuback.ts';
import { decodeUnsubscribe } from './unsubscribe.ts';

/**
 * Reads one whole control packet. The result owns its bytes.
 *
 * @param firstByte - type and flags
 * @param start - first byte behind Remaining Length; `end` is behind the last byte of the packet
 * @param version - of the connection; a CONNECT is read by the version it names
 * @param from - which side sent it
 * @throws ProtocolError - and nothing else, whatever the bytes
 */
export function decodePacket(
  firstByte: number,
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  from: Side,
): Packet {
  const type = checkFirstByte(firstByte, version, from);
  switch (type) {
    case 'connect':
      return decodeConnect(firstByte, buf, start, end);
    case 'connack':
      return decodeConnack(buf, start, end, version);
    case 'publish':
      return decodePublish(firstByte, buf, start, end, version, from);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return decodeAck(type, buf, start, end, version, from);
    case 'subscribe':
      return decodeSubscribe(buf, start, end, version);
    case 'suback':
      return decodeSuback(buf, start, end, version);
    case 'unsubscribe':
      return decodeUnsubscribe(buf, start, end, version);
    case 'unsuback':
      return decodeUnsuback(buf, start, end, version);
    case 'pingreq':
    case 'pingresp':
      return decodePing(type, start, end);
    case 'disconnect':
      return decodeDisconnect(buf, start, end, version, from);
    case 'auth':
      return decodeAuth(buf, start, end, from);
  }
}
