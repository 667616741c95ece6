/** Messages and their properties as JSON, in both directions. */
import { decodeForwardableSection, encodeForwardableSection, expiryOffsetIn } from '../codec/property-section.ts';
import type { Message } from '../contracts/message.ts';
import { textOf } from '../observe/topic-index.ts';
import type { MessageProperties, Payload, ShownMessage } from './schema/parts.ts';

export function shownPayload(bytes: Buffer): Payload {
  const text = textOf(bytes, false);
  return text === null ? { base64: bytes.toString('base64') } : { text };
}

/** @param bytesMax - of the payload; a longer one is cut, text at a character */
export function shownMessage(
  message: Message,
  atMs: number,
  bytesMax: number,
  isRetained = message.retain,
): ShownMessage {
  const sizeBytes = message.payloadLength;
  const isTruncated = sizeBytes > bytesMax;
  const bytes = isTruncated ? message.payload.subarray(0, bytesMax) : message.payload;
  const text = textOf(bytes, isTruncated);
  return {
    topic: message.topic.name,
    payload: text === null ? { base64: bytes.toString('base64') } : { text },
    sizeBytes,
    isTruncated,
    qos: message.qos,
    isRetained,
    properties: shownProperties(message, atMs),
    publisherClientId: message.publisher.clientId,
    publisherUsername: message.publisher.username,
    atMs,
  };
}

export function shownProperties(message: Message, nowMs: number): MessageProperties {
  const { propertiesSource, propertiesStart, propertiesEnd, expiresAtMs } = message;
  if (propertiesStart === propertiesEnd) return {};
  const read = decodeForwardableSection(propertiesSource, propertiesStart, propertiesEnd);
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, userProperties } = read;
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData).toString('base64') }),
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator: payloadFormatIndicator as 0 | 1 }),
    ...(expiresAtMs === 0
      ? {}
      : { messageExpiryIntervalSeconds: Math.max(0, Math.ceil((expiresAtMs - nowMs) / 1000)) }),
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(([name, value]): [string, string] => [name, value]) }),
  };
}

/** Properties as the engine takes them. */
export function encodedProperties(given: MessageProperties): {
  readonly properties: Buffer;
  readonly expiryOffset: number;
} {
  const { messageExpiryIntervalSeconds, correlationData, ...others } = given;
  const defined = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  const properties = encodeForwardableSection({
    ...defined,
    ...(messageExpiryIntervalSeconds === undefined ? {} : { messageExpiryInterval: messageExpiryIntervalSeconds }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, 'base64') }),
  });
  return { properties, expiryOffset: expiryOffsetIn(properties, 0, properties.length) };
}
