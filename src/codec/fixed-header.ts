import type { PacketType, ProtocolVersion } from './packet.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-code.ts';

/** Which end of the Network Connection sent a packet. */
export type Side = 'client' | 'server';

interface PacketKind {
  readonly type: PacketType;
  /** The standard's name, for error texts. */
  readonly name: string;
  /** High nibble of the first byte. */
  readonly number: number;
  /** Low nibble that the standards prescribe; PUBLISH has flags of its own there. */
  readonly flags: number;
  /** Who may send it in MQTT 5.0; in 3.x the server sends no DISCONNECT and nobody an AUTH. */
  readonly from: readonly Side[];
}

/** The fifteen packet types (§2.1.2), by type name. */
export const packetKinds = {
  connect: { type: 'connect', name: 'CONNECT', number: 1, flags: 0, from: ['client'] },
  connack: { type: 'connack', name: 'CONNACK', number: 2, flags: 0, from: ['server'] },
  publish: { type: 'publish', name: 'PUBLISH', number: 3, flags: 0, from: ['client', 'server'] },
  puback: { type: 'puback', name: 'PUBACK', number: 4, flags: 0, from: ['client', 'server'] },
  pubrec: { type: 'pubrec', name: 'PUBREC', number: 5, flags: 0, from: ['client', 'server'] },
  pubrel: { type: 'pubrel', name: 'PUBREL', number: 6, flags: 2, from: ['client', 'server'] },
  pubcomp: { type: 'pubcomp', name: 'PUBCOMP', number: 7, flags: 0, from: ['client', 'server'] },
  subscribe: { type: 'subscribe', name: 'SUBSCRIBE', number: 8, flags: 2, from: ['client'] },
  suback: { type: 'suback', name: 'SUBACK', number: 9, flags: 0, from: ['server'] },
  unsubscribe: { type: 'unsubscribe', name: 'UNSUBSCRIBE', number: 10, flags: 2, from: ['client'] },
  unsuback: { type: 'unsuback', name: 'UNSUBACK', number: 11, flags: 0, from: ['server'] },
  pingreq: { type: 'pingreq', name: 'PINGREQ', number: 12, flags: 0, from: ['client'] },
  pingresp: { type: 'pingresp', name: 'PINGRESP', number: 13, flags: 0, from: ['server'] },
  disconnect: { type: 'disconnect', name: 'DISCONNECT', number: 14, flags: 0, from: ['client', 'server'] },
  auth: { type: 'auth', name: 'AUTH', number: 15, flags: 0, from: ['client', 'server'] },
} as const satisfies { readonly [T in PacketType]: PacketKind & { readonly type: T } };

const kindsByNumber: readonly (PacketKind | undefined)[] = [undefined, ...Object.values(packetKinds)];

/** The first byte of a packet of this type as every version may send it; PUBLISH adds its flags. */
export function firstByteOf(type: PacketType): number {
  const kind = packetKinds[type];
  return (kind.number << 4) | kind.flags;
}

/**
 * Checks type, direction and reserved bits of a first byte and names the type. CONNECT's reserved bits are checked by
 * its decoder, which knows the version.
 *
 * @throws ProtocolError - 0x82 for type 0, a packet of the other side, or AUTH in MQTT 3.x; 0x81 for reserved bits
 */
export function checkFirstByte(firstByte: number, version: ProtocolVersion, from: Side): PacketType {
  const kind = kindsByNumber[firstByte >> 4];
  if (kind === undefined) {
    throw new ProtocolError(ReasonCode.ProtocolError, '§2.1.2', 'packet type 0 is forbidden');
  }
  if (!kind.from.includes(from) || (version < 5 && !existsInVersion3(kind.type, from))) {
    throw new ProtocolError(ReasonCode.ProtocolError, '§2.1.2', `${kind.name} may not be sent by the ${from}`);
  }
  if (kind.type !== 'publish' && kind.type !== 'connect' && !flagsAreLegal(kind, firstByte & 0x0f, version)) {
    throw new ProtocolError(ReasonCode.MalformedPacket, 'MQTT-2.1.3-1', `${kind.name}: reserved flags are wrong`);
  }
  return kind.type;
}

function existsInVersion3(type: PacketType, from: Side): boolean {
  return type !== 'auth' && !(type === 'disconnect' && from === 'server');
}

function flagsAreLegal(kind: PacketKind, flags: number, version: ProtocolVersion): boolean {
  if (version !== 3) return flags === kind.flags;
  // MQTT 3.1 §2.1: unused bits are ignored; PUBREL, SUBSCRIBE and UNSUBSCRIBE have QoS 1 and may have DUP set.
  return kind.flags === 0 || (flags & 0x06) === 0x02;
}
