/** The MQTT 5.0 properties of a stored message, decoded. */
import type { ByteReader } from './byte-reader.ts';
import { FormatError } from './byte-reader.ts';

export type StoredProperty =
  | { readonly identifier: 'payload-format-indicator'; readonly value: number }
  | { readonly identifier: 'content-type' | 'response-topic'; readonly value: string }
  | { readonly identifier: 'correlation-data'; readonly value: Buffer }
  | { readonly identifier: 'user-property'; readonly name: string; readonly value: string };

/** @throws FormatError - for any other property */
export function storedProperties(reader: ByteReader, length: number): StoredProperty[] {
  const properties: StoredProperty[] = [];
  const end = reader.at + length;
  while (reader.at < end) {
    const identifier = reader.variableByteInteger('property');
    switch (identifier) {
      case 0x01:
        properties.push({ identifier: 'payload-format-indicator', value: reader.u8('property') });
        break;
      case 0x03:
        properties.push({ identifier: 'content-type', value: reader.text16('property') });
        break;
      case 0x08:
        properties.push({ identifier: 'response-topic', value: reader.text16('property') });
        break;
      case 0x09:
        properties.push({ identifier: 'correlation-data', value: reader.copy(reader.u16('property'), 'property') });
        break;
      case 0x26: {
        const name = reader.text16('property');
        properties.push({ identifier: 'user-property', name, value: reader.text16('property') });
        break;
      }
      default:
        throw new FormatError(`property 0x${identifier.toString(16)} does not belong to a message`);
    }
  }
  return properties;
}
