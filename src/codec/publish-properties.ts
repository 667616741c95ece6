/**
 * Walks the properties of a PUBLISH from a client where they lie. The rules are those of `property-table.ts` for
 * `publish`, written out once more because a table look-up per property is what the hot path cannot afford; a test holds
 * the two against each other.
 */
import { ProtocolError } from './protocol-error.ts';
import type { PublishView } from './publish.ts';
import { ReasonCode } from './reason-code.ts';
import { isValidUtf8 } from './utf8.ts';
import { readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';

const ALIAS_SIZE = 3; // identifier and two bytes

/**
 * Reads Property Length and properties at `offset` into the view.
 *
 * @returns the offset of the payload
 * @throws ProtocolError - 0x81, 0x82 or 0x94
 */
export function readPublishProperties(buf: Buffer, offset: number, packetEnd: number, view: PublishView): number {
  const length = readVariableByteInteger(buf, offset, packetEnd);
  if (length < 0) throw malformed('Property Length is not a Variable Byte Integer');
  const start = offset + variableByteIntegerSize(length);
  const end = start + length;
  if (end > packetEnd) throw malformed('properties run past the end');
  let aliasOffset = -1;
  let seen = 0; // bit n: property n, for the single-use ones below 0x20
  let at = start;
  while (at < end) {
    const id = buf[at++] as number;
    if (id === 0x26) {
      at = stringEnd(buf, stringEnd(buf, at, end), end);
      continue;
    }
    if (id < 0x20) {
      const bit = 1 << id;
      if ((seen & bit) !== 0) throw twice(id);
      seen |= bit;
    }
    switch (id) {
      case 0x01: // Payload Format Indicator
        if (at >= end) throw runsPast(id);
        if ((buf[at] as number) > 1) throw illegal('MQTT-3.3.2-4', `payload-format-indicator may not be ${buf[at]}`);
        at += 1;
        break;
      case 0x02: // Message Expiry Interval
        if (at + 4 > end) throw runsPast(id);
        view.expiryOffset = at;
        view.messageExpiryInterval = buf.readUInt32BE(at);
        at += 4;
        break;
      case 0x03: // Content Type
        at = stringEnd(buf, at, end);
        break;
      case 0x08: {
        const next = stringEnd(buf, at, end);
        checkResponseTopic(buf, at + 2, next);
        at = next;
        break;
      }
      case 0x09: // Correlation Data
        at = binaryEnd(buf, at, end);
        break;
      case 0x0b:
        throw illegal('MQTT-3.3.4-6', 'subscription-identifier may not be sent by the client');
      case 0x23: // Topic Alias
        if (at + 2 > end) throw runsPast(id);
        if (aliasOffset >= 0) throw twice(id);
        aliasOffset = at - 1;
        view.topicAlias = ((buf[at] as number) << 8) | (buf[at + 1] as number);
        if (view.topicAlias === 0) throw aliasZero();
        at += 2;
        break;
      default:
        throw malformed(`property 0x${id.toString(16)} is unknown or does not belong here`);
    }
  }
  view.propertiesStart = start;
  view.propertiesEnd = end;
  if (aliasOffset >= 0) closeGap(buf, aliasOffset, view);
  return end;
}

/** Takes Topic Alias out of the range that travels on; only one in the middle needs bytes to move. */
function closeGap(buf: Buffer, aliasOffset: number, view: PublishView): void {
  if (aliasOffset + ALIAS_SIZE === view.propertiesEnd) {
    view.propertiesEnd = aliasOffset;
    return;
  }
  const start = view.propertiesStart;
  if (aliasOffset > start) buf.copyWithin(start + ALIAS_SIZE, start, aliasOffset);
  view.propertiesStart = start + ALIAS_SIZE;
  if (view.expiryOffset >= 0 && view.expiryOffset < aliasOffset) view.expiryOffset += ALIAS_SIZE;
}

/** Offset behind the two-byte length at `at` and as many bytes. */
function binaryEnd(buf: Buffer, at: number, end: number): number {
  const start = at + 2;
  if (start > end) throw malformed('a property runs past the end');
  const next = start + (((buf[at] as number) << 8) | (buf[at + 1] as number));
  if (next > end) throw malformed('a property runs past the end');
  return next;
}

function stringEnd(buf: Buffer, at: number, end: number): number {
  const next = binaryEnd(buf, at, end);
  if (!isValidUtf8(buf, at + 2, next)) {
    throw new ProtocolError(
      ReasonCode.MalformedPacket,
      'MQTT-1.5.4-1',
      'PUBLISH: a property is not a legal UTF-8 string',
    );
  }
  return next;
}

/** [MQTT-3.3.2-14]; Mosquitto: nor may it be empty. */
function checkResponseTopic(buf: Buffer, start: number, end: number): void {
  let isName = start < end;
  for (let at = start; at < end; at++) {
    if (buf[at] === 0x2b || buf[at] === 0x23) isName = false;
  }
  if (!isName) throw illegal('MQTT-3.3.2-14', 'response-topic is not a Topic Name');
}

function malformed(message: string): ProtocolError {
  return new ProtocolError(ReasonCode.MalformedPacket, '§2.2.2.2', `PUBLISH: ${message}`);
}

function runsPast(id: number): ProtocolError {
  return malformed(`property 0x${id.toString(16)} runs past the end`);
}

function illegal(statement: string, message: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, statement, `PUBLISH: ${message}`);
}

function twice(id: number): ProtocolError {
  return illegal('§2.2.2.2', `property 0x${id.toString(16)} occurs twice`);
}

function aliasZero(): ProtocolError {
  return new ProtocolError(ReasonCode.TopicAliasInvalid, 'MQTT-3.3.2-8', 'PUBLISH: Topic Alias 0');
}
