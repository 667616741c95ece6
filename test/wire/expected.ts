/** What must be answered to bytes, found with the tests' own strict reader and not with the broker's codec. */
import type { Version } from '../conformance/wire/bytes.ts';
import { type Received, read } from '../conformance/wire/received.ts';
import type { Answer } from './play.ts';

/** Message of the strict reader → Reason Code; anything else is a Malformed Packet. The first that matches counts. */
const protocolErrors =
  /Packet Identifier 0|Reason Code 0x|occurs twice| is \d+$|packet type 0|comes from the other side|AUTH in MQTT/;

/** The answer to one whole packet of a connected client without Authentication Method that has nothing in flight. */
export function expectedOf(packet: Buffer, version: Version): Answer {
  const type = (packet[0] as number) >> 4;
  if (type === 1) return '82';
  // A PINGREQ with a body: Mosquitto closes without a word.
  if (packet[0] === 0xc0 && packet.length > 2) return 'closed';
  let received: Received;
  try {
    received = read(packet, version, 'client');
  } catch (error) {
    const why = (error as Error).message;
    // Before there is a property there is no Authentication Method.
    if (type === 15 && packet.length < 4) return '82';
    // Mosquitto: an UNSUBSCRIBE is malformed whatever is wrong with it.
    if (type === 10 && why.includes('Packet Identifier 0')) return '81';
    return protocolErrors.test(why) ? '82' : '81';
  }
  return answerTo(received, version);
}

function answerTo(packet: Received, version: Version): Answer {
  const hex = (value: number): string =>
    `${(value >> 8).toString(16).padStart(2, '0')} ${(value & 0xff).toString(16).padStart(2, '0')}`;
  switch (packet.type) {
    case 'publish': {
      const code = version === 5 && packet.qos === 1 ? ' 10' : '';
      if (packet.qos === 0) return 'open';
      if (packet.qos === 1) return `open 40 0${code === '' ? 2 : 3} ${hex(packet.packetId)}${code}`;
      return `open 50 02 ${hex(packet.packetId)}`;
    }
    case 'puback':
    case 'pubcomp':
    case 'pingreq':
      return 'open';
    case 'pubrec':
      return `open 62 02 ${hex(packet.packetId)}`;
    case 'pubrel':
      return `open 70 02 ${hex(packet.packetId)}`;
    case 'subscribe': {
      if (packet.filters.some(({ filter, options }) => !areLegalOptions(options, version) || filter === ''))
        return '81';
      const granted = packet.filters.map(({ options }) => `0${options & 3}`);
      const size = 2 + (version === 5 ? 1 : 0) + granted.length;
      return ['open 90', `0${size}`, hex(packet.packetId), ...(version === 5 ? ['00'] : []), ...granted].join(' ');
    }
    case 'unsubscribe': {
      if (packet.filters.includes('')) return '81';
      if (version < 5) return `open b0 02 ${hex(packet.packetId)}`;
      return [
        `open b0 0${3 + packet.filters.length}`,
        hex(packet.packetId),
        '00',
        ...packet.filters.map(() => '11'),
      ].join(' ');
    }
    case 'disconnect':
      return 'closed';
    default:
      return '82'; // AUTH without an Authentication Method in CONNECT
  }
}

/** Subscription Options: QoS 0 to 2, Retain Handling 0 to 2, nothing reserved; MQTT 3.1 does not use the upper six bits. */
export function areLegalOptions(options: number, version: Version): boolean {
  if ((options & 3) === 3) return false;
  if (version === 3) return true;
  if (version === 4) return options <= 2;
  return options <= 0x3f && (options & 0x30) !== 0x30;
}
