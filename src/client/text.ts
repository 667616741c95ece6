import { NO_PROPERTIES } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import { propertyTable } from '../codec/property-table.ts';
import { isValidUtf8 } from '../codec/utf8.ts';
import { isTopicName } from '../topics/topic-filter.ts';
import { ClientError } from './client-error.ts';
import type { Publication } from './settings.ts';

const bytesMax = 65_535;

/** Whether the bytes may stand in a text field of a packet: UTF-8 without control characters and non-characters, at most 65,535. */
export function isValidText(bytes: Buffer): boolean {
  return bytes.length <= bytesMax && isValidUtf8(bytes, 0, bytes.length);
}

/** The same for text that is not encoded yet; a surrogate without its other half has no encoding. [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
export function isText(text: string): boolean {
  let byteLength = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index) as number;
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
    if (code >= 0xd800 && code <= 0xdfff) return false;
    if ((code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef)) return false;
    if (code > 0xffff) index++;
    byteLength += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return byteLength <= bytesMax;
}

/** Why these properties cannot be sent, in words; undefined when they can. Properties that are numbers are typed, and not looked at. */
export function propertyFault(properties: Properties): string | undefined {
  for (const row of propertyTable) {
    const value = properties[row.key];
    if (value === undefined) continue;
    const isRight =
      row.type === 'string'
        ? isText(value as string)
        : row.type === 'pair'
          ? (value as readonly (readonly [string, string])[]).every((pair) => pair.every(isText))
          : row.type !== 'binary' || (value as Buffer).length <= bytesMax;
    if (!isRight) return `${row.name} cannot be encoded`;
  }
  // [MQTT-3.3.2-14]
  const { responseTopic } = properties;
  return responseTopic === undefined || isTopicName(responseTopic) ? undefined : 'response-topic is no Topic Name';
}

/** What of a message has no legal bytes. [MQTT-3.3.2-1] [MQTT-3.3.2-2] */
export function publicationTextFault({
  topic,
  properties,
}: Pick<Publication, 'topic' | 'properties'>): ClientError | undefined {
  if (!isTopicName(topic) || !isText(topic)) return new ClientError('invalid', `'${topic}' is no Topic Name`);
  if (properties === NO_PROPERTIES) return undefined;
  // [MQTT-3.3.4-6]
  if (properties.subscriptionIdentifiers !== undefined) {
    return new ClientError('invalid', 'subscription-identifier comes from the broker, and may not be published');
  }
  const wrong = propertyFault(properties);
  return wrong === undefined ? undefined : new ClientError('invalid', wrong);
}
