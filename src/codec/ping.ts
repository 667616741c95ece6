import type { PingreqPacket, PingrespPacket } from './packet.ts';
import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-code.ts';

/** The whole PINGREQ, in every version. (§3.12) */
export const PINGREQ: Buffer = Buffer.from([0xc0, 0x00]);

/** The whole PINGRESP, in every version. (§3.13) */
export const PINGRESP: Buffer = Buffer.from([0xd0, 0x00]);

/**
 * Reads a PINGREQ or PINGRESP, which have nothing to read.
 *
 * @throws ProtocolError - silent, as Mosquitto closes without a word, when there is a body
 */
export function decodePing(type: 'pingreq' | 'pingresp', start: number, end: number): PingreqPacket | PingrespPacket {
  if (start !== end) {
    const name = type.toUpperCase();
    throw new ProtocolError(ReasonCode.MalformedPacket, '§3.12', `${name}: ${end - start} bytes of body`, {
      silent: true,
    });
  }
  return { type };
}
