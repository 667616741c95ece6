/**
 * Properties as bytes: the section that travels with an Application Message from publisher to subscribers without being
 * taken apart. A *forwardable section* holds the properties of a PUBLISH or Will that subscribers get, in the order
 * received, without their length: no Topic Alias (that belongs to a connection), no Subscription Identifier (to a
 * subscription), no Will Delay Interval (to the server).
 *
 * All functions that take a section expect one that was validated by reading the packet it came from.
 */
import { invariant } from '../base/invariant.ts';
import { NO_BYTES, NO_PROPERTIES } from './packet.ts';
import { readSection, sectionSize, writeSection } from './properties.ts';
import { type Properties, type PropertyType, propertyTable } from './property-table.ts';
import { Reader } from './reader.ts';
import { readVariableByteInteger, variableByteIntegerSize } from './variable-byte-integer.ts';
import { Writer } from './writer.ts';

const MESSAGE_EXPIRY_INTERVAL = 0x02;

const typeById: ReadonlyMap<number, PropertyType> = new Map(propertyTable.map((row) => [row.id, row.type]));

/** Offset behind the property that starts at `offset`. */
function propertyEnd(section: Buffer, offset: number): number {
  const value = offset + 1;
  const type = typeById.get(section[offset] as number);
  invariant(type !== undefined, 'a stored property section is damaged');
  switch (type) {
    case 'byte':
    case 'boolean':
      return value + 1;
    case 'u16':
      return value + 2;
    case 'u32':
      return value + 4;
    case 'varint':
      return value + variableByteIntegerSize(readVariableByteInteger(section, value, section.length));
    case 'string':
    case 'binary':
      return value + 2 + section.readUInt16BE(value);
    case 'pair': {
      const text = value + 2 + section.readUInt16BE(value);
      return text + 2 + section.readUInt16BE(text);
    }
  }
}

/** A copy of the section without the properties of one identifier. */
export function copySectionWithout(section: Buffer, start: number, end: number, id: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; ) {
    const next = propertyEnd(section, at);
    if (section[at] !== id) length += section.copy(copy, length, at, next);
    at = next;
  }
  return copy.subarray(0, length);
}

/** Offset of the four bytes of Message Expiry Interval in a section, −1 when it has none. */
export function expiryOffsetIn(section: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at = propertyEnd(section, at)) {
    if (section[at] === MESSAGE_EXPIRY_INTERVAL) return at + 1;
  }
  return -1;
}

/** The forwardable section of a message that was made here and not received: `$SYS`, HTTP, a hook, a plugin. */
export function encodeForwardableSection(properties: Properties): Buffer {
  const { topicAlias: _, subscriptionIdentifiers: __, willDelayInterval: ___, ...forwardable } = properties;
  const size = sectionSize(forwardable);
  if (size === 0) return NO_BYTES;
  const writer = new Writer(size);
  writeSection(writer, forwardable, 'publish');
  return writer.finish();
}

/**
 * The properties of a forwardable section.
 *
 * @throws ProtocolError - as reading the packet would, for a section that was not validated before
 */
export function decodeForwardableSection(section: Buffer, start: number, end: number): Properties {
  return start === end ? NO_PROPERTIES : readSection(new Reader('PUBLISH', section, start, end), 'publish', 'client');
}
