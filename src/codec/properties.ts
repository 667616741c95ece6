import { invariant } from '../base/invariant.ts';
import type { Side } from './fixed-header.ts';
import { NO_PROPERTIES } from './packet.ts';
import type { Properties, PropertyOwner, PropertyRow, UserProperty } from './property-table.ts';
import { propertyTable } from './property-table.ts';
import type { Reader } from './reader.ts';
import { ReasonCode } from './reason-code.ts';
import { variableByteIntegerSize } from './variable-byte-integer.ts';
import { binarySize, stringSize, type Writer } from './writer.ts';

/** Property Identifier → index of its row; −1 where there is none. Identifiers above 127 do not exist. */
const rowIndexById: readonly number[] = indexesById();

function indexesById(): number[] {
  const indexes = new Array<number>(128).fill(-1);
  for (const [index, { id }] of propertyTable.entries()) indexes[id] = index;
  return indexes;
}

/**
 * Per owner, one bit per row (27 of them): the properties that may occur there, and those that may repeat. Every owner is in
 * both, because User Property is.
 */
const allowedIn = bitsPerOwner((row) => row.packets);
const repeatableIn = bitsPerOwner((row) => row.repeatable ?? []);

function bitsPerOwner(owners: (row: PropertyRow) => readonly PropertyOwner[]): ReadonlyMap<PropertyOwner, number> {
  const bits = new Map<PropertyOwner, number>();
  for (const [index, row] of propertyTable.entries()) {
    for (const owner of owners(row)) bits.set(owner, (bits.get(owner) ?? 0) | (1 << index));
  }
  return bits;
}

const rowByKey: ReadonlyMap<string, PropertyRow> = new Map(propertyTable.map((row) => [row.key, row]));

type PropertyValue = Properties[keyof Properties];
type Draft = { -readonly [key in keyof Properties]?: PropertyValue };

/**
 * Reads Property Length and properties at the cursor. (§2.2.2)
 *
 * Cost is linear in the bytes, whatever they hold.
 *
 * @param from - the sender, because some properties may only travel one way
 * @throws ProtocolError - 0x81 for an unknown property, one that does not belong here, or one cut short; 0x82 for one
 *   that occurs twice or has a value out of range, and for Authentication Data without Method
 */
export function readProperties(reader: Reader, owner: PropertyOwner, from: Side): Properties {
  const length = reader.varint('Property Length'); // [MQTT-2.2.2-1]: never left out
  if (length === 0) return NO_PROPERTIES;
  if (length > reader.remaining) {
    throw reader.error(ReasonCode.MalformedPacket, '§2.2.2.1', 'properties run past the end');
  }
  const packetEnd = reader.end;
  reader.end = reader.offset + length;
  const properties = readSection(reader, owner, from);
  reader.end = packetEnd;
  return properties;
}

/** Reads properties up to the reader's end, as `readProperties` does behind the length. */
export function readSection(reader: Reader, owner: PropertyOwner, from: Side): Properties {
  const draft: Draft = {};
  const users: UserProperty[] = [];
  const identifiers: number[] = [];
  const allowed = allowedIn.get(owner) as number;
  const repeatable = repeatableIn.get(owner) as number;
  let seen = 0;
  while (reader.offset < reader.end) {
    const id = reader.varint('Property Identifier');
    const index = id < 128 ? (rowIndexById[id] as number) : -1;
    const row = propertyTable[index];
    if (row === undefined) {
      throw reader.error(ReasonCode.MalformedPacket, '§2.2.2.2', `unknown property 0x${id.toString(16)}`);
    }
    const bit = 1 << index;
    // Mosquitto answers 0x82 in most packets; §2.2.2.2 asks for 0x81.
    if ((allowed & bit) === 0) {
      throw reader.error(ReasonCode.MalformedPacket, '§2.2.2.2', `${row.name} does not belong here`);
    }
    if ((row.onlyFrom?.[owner] ?? from) !== from) {
      throw reader.error(ReasonCode.ProtocolError, '§2.2.2.2', `${row.name} may not be sent by the ${from}`);
    }
    if ((seen & bit & ~repeatable) !== 0) {
      throw reader.error(ReasonCode.ProtocolError, '§2.2.2.2', `${row.name} occurs twice`);
    }
    if (row.type === 'pair') {
      if ((seen & bit) === 0) draft.userProperties = users; // keeps its place among the others
      users.push([reader.string(row.name), reader.string(row.name)]);
    } else if (row.key === 'subscriptionIdentifiers') {
      if ((seen & bit) === 0) draft.subscriptionIdentifiers = identifiers;
      identifiers.push(readNumber(reader, row));
    } else {
      draft[row.key] = readValue(reader, row);
    }
    seen |= bit;
  }
  if (draft.authenticationData !== undefined && draft.authenticationMethod === undefined) {
    throw reader.error(ReasonCode.ProtocolError, '§3.1.2.11.10', 'authentication-data without authentication-method');
  }
  // The rows' keys and types are those of Properties; the compiler cannot follow that through the table.
  return draft as Properties;
}

function readValue(reader: Reader, row: PropertyRow): PropertyValue {
  switch (row.type) {
    case 'string': {
      const text = reader.string(row.name);
      if (row.key === 'responseTopic') checkResponseTopic(reader, text);
      return text;
    }
    case 'binary':
      return reader.binary(row.name);
    case 'boolean': {
      const value = reader.u8(row.name);
      if (value > 1) throw outOfRange(reader, row, value);
      return value === 1;
    }
    default:
      return readNumber(reader, row);
  }
}

function readNumber(reader: Reader, row: PropertyRow): number {
  const value =
    row.type === 'byte'
      ? reader.u8(row.name)
      : row.type === 'u16'
        ? reader.u16(row.name)
        : row.type === 'u32'
          ? reader.u32(row.name)
          : reader.varint(row.name);
  if (value < (row.min ?? 0) || value > (row.max ?? 0xffff_ffff)) throw outOfRange(reader, row, value);
  return value;
}

function outOfRange(reader: Reader, row: PropertyRow, value: number): Error {
  return reader.error(ReasonCode.ProtocolError, '§2.2.2.2', `${row.name} may not be ${value}`);
}

/** [MQTT-3.3.2-14]; Mosquitto: nor may it be empty. */
function checkResponseTopic(reader: Reader, text: string): void {
  if (text === '' || text.includes('+') || text.includes('#')) {
    throw reader.error(ReasonCode.ProtocolError, 'MQTT-3.3.2-14', 'response-topic is not a Topic Name');
  }
}

/** Bytes of Property Length and properties. */
export function propertiesSize(properties: Properties): number {
  const length = sectionSize(properties);
  return variableByteIntegerSize(length) + length;
}

/** Bytes of the properties alone. */
export function sectionSize(properties: Properties): number {
  let size = 0;
  for (const [row, value] of entriesOf(properties)) size += valueSize(row, value);
  return size;
}

/** Writes Property Length and properties, in the order in which the fields were set. */
export function writeProperties(writer: Writer, properties: Properties, owner: PropertyOwner): void {
  writer.varint(sectionSize(properties));
  writeSection(writer, properties, owner);
}

/** Writes the properties alone. */
export function writeSection(writer: Writer, properties: Properties, owner: PropertyOwner): void {
  for (const [row, value] of entriesOf(properties)) {
    invariant(row.packets.includes(owner), `${row.name} does not belong into ${owner}`);
    writeValue(writer, row, value);
  }
}

function* entriesOf(properties: Properties): Iterable<readonly [PropertyRow, NonNullable<PropertyValue>]> {
  for (const [key, value] of Object.entries(properties)) {
    const row = rowByKey.get(key);
    if (row !== undefined && value !== undefined) yield [row, value];
  }
}

function valueSize(row: PropertyRow, value: NonNullable<PropertyValue>): number {
  switch (row.type) {
    case 'byte':
    case 'boolean':
      return 2;
    case 'u16':
      return 3;
    case 'u32':
      return 5;
    case 'varint':
      return sum(value as readonly number[], (identifier) => 1 + variableByteIntegerSize(identifier));
    case 'string':
      return 1 + stringSize(value as string);
    case 'binary':
      return 1 + binarySize(value as Buffer);
    case 'pair':
      return sum(value as readonly UserProperty[], ([name, text]) => 1 + stringSize(name) + stringSize(text));
  }
}

function sum<T>(items: readonly T[], size: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += size(item);
  return total;
}

function writeValue(writer: Writer, row: PropertyRow, value: NonNullable<PropertyValue>): void {
  switch (row.type) {
    case 'pair':
      for (const [name, text] of value as readonly UserProperty[]) {
        writer.u8(row.id);
        writer.string(name);
        writer.string(text);
      }
      return;
    case 'varint':
      for (const identifier of value as readonly number[]) {
        writer.u8(row.id);
        writer.varint(identifier);
      }
      return;
    default:
      writer.u8(row.id);
  }
  switch (row.type) {
    case 'byte':
    case 'boolean':
      return writer.u8(Number(value));
    case 'u16':
      return writer.u16(value as number);
    case 'u32':
      return writer.u32(value as number);
    case 'string':
      return writer.string(value as string);
    case 'binary':
      return writer.binary(value as Buffer);
  }
}
