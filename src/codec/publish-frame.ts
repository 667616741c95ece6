/**
 * The broker's way to write a PUBLISH: straight into a buffer that is already there, allocating nothing.
 *
 *   3.1, 3.1.1  first byte │ Remaining Length │ Topic Name │ [Packet Identifier] │ payload
 *   5.0         first byte │ Remaining Length │ Topic Name │ [Packet Identifier] │ Property Length │ properties │ payload
 *
 *   properties  [Topic Alias of the receiving connection]
 *               │ forwardable section as the publisher sent it, four bytes of Message Expiry Interval overwritten in place
 *               │ [Subscription Identifiers of the receiving subscriptions]
 *
 * So the publisher's properties keep their order [MQTT-3.3.2-18] and are copied as one run of bytes, and the three things
 * that differ per receiver stand outside that run or have a known offset in it. A Topic Name that an alias stands for is
 * written with length 0.
 */
import type { ProtocolVersion } from './packet.ts';
import { variableByteIntegerSize, writeVariableByteInteger } from './variable-byte-integer.ts';

/** What all receivers of a message share; a broker's `Message` is one. */
export interface FrameContent {
  readonly topic: { readonly source: Buffer; readonly start: number; readonly length: number };
  /** Payload = `payloadSource[payloadStart..payloadEnd)`. */
  readonly payloadSource: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Forwardable section = `propertiesSource[propertiesStart..propertiesEnd)`; see `property-section.ts`. */
  readonly propertiesSource: Buffer;
  readonly propertiesStart: number;
  readonly propertiesEnd: number;
  /** Offset in `propertiesSource` of Message Expiry Interval's four bytes, −1 when there is none. */
  readonly expiryOffset: number;
}

/** How the Topic Name is sent: in full, in full and setting an alias, or by an alias set before. */
export const TopicForm = { name: 0, nameAndAlias: 1, alias: 2 } as const;
export type TopicForm = (typeof TopicForm)[keyof typeof TopicForm];

/** Property bytes of a 5.0 frame, without their length. */
function propertyBytes(content: FrameContent, form: TopicForm, identifiers: readonly number[] | null): number {
  let length = content.propertiesEnd - content.propertiesStart;
  if (form !== TopicForm.name) length += 3;
  if (identifiers !== null) {
    for (let index = 0; index < identifiers.length; index++) {
      length += 1 + variableByteIntegerSize(identifiers[index] as number);
    }
  }
  return length;
}

/** Remaining Length of a frame. */
function remainingLength(
  content: FrameContent,
  version: ProtocolVersion,
  hasPacketId: boolean,
  form: TopicForm,
  propertyLength: number,
): number {
  let length = 2 + content.payloadEnd - content.payloadStart;
  if (form !== TopicForm.alias) length += content.topic.length;
  if (hasPacketId) length += 2;
  if (version === 5) length += variableByteIntegerSize(propertyLength) + propertyLength;
  return length;
}

/**
 * Bytes that `writePublishFrame` will write for the same arguments: what Maximum Packet Size counts.
 *
 * @param hasPacketId - whether the QoS is above 0
 * @param form - `name` in 3.x
 * @param identifiers - Subscription Identifiers, 5.0 only; null or empty: none
 */
export function publishFrameSize(
  content: FrameContent,
  version: ProtocolVersion,
  hasPacketId: boolean,
  form: TopicForm,
  identifiers: readonly number[] | null,
): number {
  const propertyLength = version === 5 ? propertyBytes(content, form, identifiers) : 0;
  const length = remainingLength(content, version, hasPacketId, form, propertyLength);
  return 1 + variableByteIntegerSize(length) + length;
}

/**
 * Writes a PUBLISH.
 *
 * @param target - with room for `publishFrameSize` bytes at `offset`
 * @param firstByte - see `publishFirstByte`
 * @param packetId - 1 to 65,535; 0 for QoS 0
 * @param expirySeconds - remaining life, replacing the section's Message Expiry Interval; −1 leaves it as received
 * @param form - `name` in 3.x
 * @param alias - 1 to 65,535 unless the form is `name`
 * @param identifiers - Subscription Identifiers, 5.0 only; null or empty: none
 * @returns the offset behind the packet
 */
export function writePublishFrame(
  target: Buffer,
  offset: number,
  content: FrameContent,
  version: ProtocolVersion,
  firstByte: number,
  packetId: number,
  expirySeconds: number,
  form: TopicForm,
  alias: number,
  identifiers: readonly number[] | null,
): number {
  const propertyLength = version === 5 ? propertyBytes(content, form, identifiers) : 0;
  target[offset] = firstByte;
  let at = writeVariableByteInteger(
    target,
    offset + 1,
    remainingLength(content, version, packetId !== 0, form, propertyLength),
  );
  if (form === TopicForm.alias) {
    target[at] = 0;
    target[at + 1] = 0;
    at += 2;
  } else {
    const { source, start, length } = content.topic;
    target[at] = length >>> 8;
    target[at + 1] = length;
    at = copyBytes(target, at + 2, source, start, start + length);
  }
  if (packetId !== 0) {
    target[at] = packetId >>> 8;
    target[at + 1] = packetId;
    at += 2;
  }
  if (version === 5) {
    at = writeVariableByteInteger(target, at, propertyLength);
    if (propertyLength !== 0) at = writeFrameProperties(target, at, content, expirySeconds, form, alias, identifiers);
  }
  return copyBytes(target, at, content.payloadSource, content.payloadStart, content.payloadEnd);
}

function writeFrameProperties(
  target: Buffer,
  offset: number,
  content: FrameContent,
  expirySeconds: number,
  form: TopicForm,
  alias: number,
  identifiers: readonly number[] | null,
): number {
  let at = offset;
  if (form !== TopicForm.name) {
    target[at] = 0x23;
    target[at + 1] = alias >>> 8;
    target[at + 2] = alias;
    at += 3;
  }
  if (expirySeconds >= 0 && content.expiryOffset >= 0) {
    const expiryAt = at + content.expiryOffset - content.propertiesStart;
    at = copyBytes(target, at, content.propertiesSource, content.propertiesStart, content.propertiesEnd);
    target[expiryAt] = expirySeconds >>> 24;
    target[expiryAt + 1] = expirySeconds >>> 16;
    target[expiryAt + 2] = expirySeconds >>> 8;
    target[expiryAt + 3] = expirySeconds;
  } else {
    at = copyBytes(target, at, content.propertiesSource, content.propertiesStart, content.propertiesEnd);
  }
  if (identifiers !== null) {
    for (let index = 0; index < identifiers.length; index++) {
      target[at] = 0x0b;
      at = writeVariableByteInteger(target, at + 1, identifiers[index] as number);
    }
  }
  return at;
}

/**
 * Offset of the Packet Identifier in a QoS 1 or 2 frame that starts at `frameStart`: where a copy made for another
 * receiver is patched.
 */
export function packetIdOffset(target: Buffer, frameStart: number): number {
  let at = frameStart + 1;
  while ((target[at] as number) > 127) at++;
  return at + 3 + (((target[at + 1] as number) << 8) | (target[at + 2] as number));
}

// Measured on Node 20: eight bytes per turn of a loop beat any call up to about this many bytes.
const LOOP_MAX = 48;

/** Copies `source[start..end)` to `target` at `offset`; returns the offset behind it. The buffers may be one. */
export function copyBytes(target: Buffer, offset: number, source: Buffer, start: number, end: number): number {
  if (end - start > LOOP_MAX) {
    // `copy` makes a view first, and that costs more than the copy.
    if (source === target) target.copyWithin(offset, start, end);
    else source.copy(target, offset, start, end);
    return offset + end - start;
  }
  let from = start;
  let to = offset;
  for (; from + 8 <= end; from += 8, to += 8) {
    target[to] = source[from] as number;
    target[to + 1] = source[from + 1] as number;
    target[to + 2] = source[from + 2] as number;
    target[to + 3] = source[from + 3] as number;
    target[to + 4] = source[from + 4] as number;
    target[to + 5] = source[from + 5] as number;
    target[to + 6] = source[from + 6] as number;
    target[to + 7] = source[from + 7] as number;
  }
  while (from < end) target[to++] = source[from++] as number;
  return to;
}
