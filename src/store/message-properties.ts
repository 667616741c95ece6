/**
 * Properties of a kept message ↔ the properties of a message in a database file.
 *
 * A message carries the encoded properties that travel on, Message Expiry Interval among them; the file has the moment of
 * expiry in a field of its own and the other five in MQTT 5.0's encoding: Payload Format Indicator, Content Type, Response
 * Topic, Correlation Data and User Property. So writing leaves the five bytes of the interval out, and reading appends them
 * again; their value is patched whenever the message is delivered.
 */
import type { Message } from '../contracts/message.ts';
import type { ByteReader } from './byte-reader.ts';
import { FormatError } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

const messageExpiryInterval = 0x02;

/** Bytes of the message's properties without Message Expiry Interval. */
export function storedPropertiesLength(message: Message): number {
  const length = message.propertiesEnd - message.propertiesStart;
  return message.expiryOffset < 0 ? length : length - 5;
}

/** Writes those bytes, without their length. */
export function writeStoredProperties(writer: ByteWriter, message: Message): void {
  const { propertiesSource, propertiesStart, propertiesEnd, expiryOffset } = message;
  if (expiryOffset < 0) {
    writer.raw(propertiesSource, propertiesStart, propertiesEnd);
    return;
  }
  writer.raw(propertiesSource, propertiesStart, expiryOffset - 1);
  writer.raw(propertiesSource, expiryOffset + 4, propertiesEnd);
}

/** What {@link readStoredProperties} found. */
export interface RebuiltProperties {
  readonly bytes: Buffer;
  /** Offset of the four bytes of Message Expiry Interval, −1 when there is none. */
  readonly expiryOffset: number;
}

const noProperties: RebuiltProperties = { bytes: Buffer.alloc(0), expiryOffset: -1 };

/**
 * The raw properties of a message from those in a file.
 *
 * @param expires - whether the message ends some day, so that it needs Message Expiry Interval
 * @throws FormatError - for a property that a stored message cannot have, or one that is cut off
 */
export function readStoredProperties(reader: ByteReader, length: number, expires: boolean): RebuiltProperties {
  if (length === 0 && !expires) return noProperties;
  const start = reader.at;
  const end = start + length;
  if (length > reader.remaining) throw new FormatError('properties are cut off');
  while (reader.at < end) {
    const identifier = reader.variableByteInteger('property');
    switch (identifier) {
      case 0x01: // Payload Format Indicator
        reader.skip(1, 'Payload Format Indicator');
        break;
      case 0x03: // Content Type
      case 0x08: // Response Topic
      case 0x09: // Correlation Data
        reader.skip(reader.u16('property'), 'property');
        break;
      case 0x26: // User Property
        reader.skip(reader.u16('User Property'), 'User Property');
        reader.skip(reader.u16('User Property'), 'User Property');
        break;
      default:
        throw new FormatError(`property 0x${identifier.toString(16).padStart(2, '0')} does not belong to a message`);
    }
  }
  if (reader.at !== end) throw new FormatError('properties are longer than they claim');
  if (!expires) return { bytes: Buffer.from(reader.bytes.subarray(start, end)), expiryOffset: -1 };
  const bytes = Buffer.allocUnsafe(length + 5);
  reader.bytes.copy(bytes, 0, start, end);
  bytes[length] = messageExpiryInterval;
  bytes.fill(0, length + 1);
  return { bytes, expiryOffset: length + 1 };
}
