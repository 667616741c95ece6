/** Lines of `-d`: one per packet, in Mosquitto's words. */
import { type Packet, type ProtocolVersion, returnCodeOf } from '../client/index.ts';

/** Turns packets into lines. */
export interface Trace {
  sent(packet: Packet, messageId: number): void;
  received(packet: Packet): void;
}

/**
 * @param clientId - the present one; '' prints as no name
 * @param print - takes a line without its end
 */
export function packetTrace(version: ProtocolVersion, clientId: () => string, print: (line: string) => void): Trace {
  const line = (text: string) => print(`Client ${clientId() === '' ? 'null' : clientId()} ${text}`);
  return {
    sent: (packet, messageId) => sentLines(packet, messageId).forEach(line),
    received: (packet) => {
      if (packet.type === 'disconnect') print(`Received DISCONNECT (${packet.reasonCode})`);
      else line(receivedLine(packet, version));
    },
  };
}

function sentLines(packet: Packet, messageId: number): readonly string[] {
  switch (packet.type) {
    case 'publish':
      return [`sending PUBLISH (${publishFields(packet, messageId, packet.topic === '' ? 'null' : packet.topic)})`];
    case 'puback':
    case 'pubrec':
      return [`sending ${packet.type.toUpperCase()} (m${packet.packetId}, rc${packet.reasonCode})`];
    case 'pubrel':
    case 'pubcomp':
      return [`sending ${packet.type.toUpperCase()} (m${packet.packetId})`];
    case 'subscribe':
      return packet.subscriptions.map((subscription) => {
        const options =
          (subscription.noLocal ? 0x04 : 0) |
          (subscription.retainAsPublished ? 0x08 : 0) |
          (subscription.retainHandling << 4);
        const hex = options.toString(16).padStart(2, '0');
        return `sending SUBSCRIBE (Mid: ${packet.packetId}, Topic: ${subscription.filter}, QoS: ${subscription.qos}, Options: 0x${hex})`;
      });
    case 'unsubscribe':
      return packet.filters.map((filter) => `sending UNSUBSCRIBE (Mid: ${packet.packetId}, Topic: ${filter})`);
    default:
      return [`sending ${packet.type.toUpperCase()}`];
  }
}

function receivedLine(packet: Packet, version: ProtocolVersion): string {
  switch (packet.type) {
    case 'connack':
      return `received CONNACK (${version < 5 ? (returnCodeOf(packet.reasonCode) ?? packet.reasonCode) : packet.reasonCode})`;
    case 'publish':
      return `received PUBLISH (${publishFields(packet, packet.packetId, packet.topic)})`;
    case 'puback':
    case 'pubcomp':
      return `received ${packet.type.toUpperCase()} (Mid: ${packet.packetId}, RC:${packet.reasonCode})`;
    case 'pubrec':
    case 'pubrel':
      return `received ${packet.type.toUpperCase()} (Mid: ${packet.packetId})`;
    default:
      return `received ${packet.type.toUpperCase()}`;
  }
}

function publishFields(packet: Packet & { readonly type: 'publish' }, messageId: number, topic: string): string {
  const flags = `d${packet.dup ? 1 : 0}, q${packet.qos}, r${packet.retain ? 1 : 0}, m${messageId}`;
  return `${flags}, '${topic}', ... (${packet.payload.length} bytes)`;
}
