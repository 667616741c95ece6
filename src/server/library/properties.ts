/** The MQTT 5.0 properties that travel with an Application Message, as a program reads and writes them. */
import { isValidText } from '../../client/text.ts';
import { encodeForwardableSection, expiryOffsetIn } from '../../codec/property-section.ts';
import type { UserProperty } from '../../codec/property-table.ts';
import { isTopicName } from '../../topics/topic-filter.ts';

export type { UserProperty };

/** Properties of a message (MQTT 5.0 §3.3.2.3). What is absent was not given. Older clients do not get to see them. */
export interface MessageProperties {
  /** 1 says that the payload is UTF-8 text. */
  readonly payloadFormatIndicator?: 0 | 1 | undefined;
  /** Seconds, 0..4,294,967,295; in a message that was received, those that are left. */
  readonly messageExpiryInterval?: number | undefined;
  /** At most 65,535 bytes; its meaning is up to publisher and subscriber, a MIME type for example. */
  readonly contentType?: string | undefined;
  /** Topic Name for an answer. */
  readonly responseTopic?: string | undefined;
  /** At most 65,535 bytes that belong into the answer. */
  readonly correlationData?: Uint8Array | undefined;
  /** Names and values in order; names may repeat. Each at most 65,535 bytes. */
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** Properties encoded for the engine. */
export interface EncodedProperties {
  readonly properties: Buffer;
  /** Offset of the Message Expiry Interval's four bytes, −1 when there is none. */
  readonly expiryOffset: number;
}

interface Rule {
  readonly expects: string;
  readonly isGood: (value: unknown) => boolean;
}

const text: Rule = {
  expects: 'text of at most 65535 bytes without control characters',
  isGood: (value) => typeof value === 'string' && isLegalText(value),
};

const rules: { readonly [Name in keyof MessageProperties]-?: Rule } = {
  payloadFormatIndicator: { expects: '0 or 1', isGood: (value) => value === 0 || value === 1 },
  messageExpiryInterval: {
    expects: 'integer 0..4294967295',
    isGood: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff,
  },
  contentType: text,
  // [MQTT-3.3.2-14]
  responseTopic: {
    expects: 'a Topic Name without wildcards',
    isGood: (value) => typeof value === 'string' && isLegalTopicName(value),
  },
  correlationData: {
    expects: 'Uint8Array of at most 65535 bytes',
    isGood: (value) => value instanceof Uint8Array && value.length <= 65_535,
  },
  userProperties: {
    expects: 'array of [name, value] pairs of text',
    isGood: (value) => Array.isArray(value) && value.every(isPair),
  },
};

/** Whether a program's text may be a Topic Name: what clients may publish to, `$` topics included. */
export function isLegalTopicName(name: string): boolean {
  return isTopicName(name) && isLegalText(name);
}

/**
 * Encodes the properties of a message that the program publishes.
 *
 * @throws RangeError - naming the property
 */
export function encodeProperties(given: MessageProperties): EncodedProperties {
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(rules, name)) {
      throw new RangeError(`properties.${name}: unknown; a message may have ${Object.keys(rules).join(', ')}`);
    }
    const rule = rules[name as keyof MessageProperties];
    if (!rule.isGood(value)) throw new RangeError(`properties.${name}: expected ${rule.expects}`);
    properties[name] = name === 'correlationData' ? Buffer.from(value as Uint8Array) : value;
  }
  const section = encodeForwardableSection(properties);
  return { properties: section, expiryOffset: expiryOffsetIn(section, 0, section.length) };
}

function isPair(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string' && isLegalText(part))
  );
}

/** Whether text may stand in a packet: at most 65,535 bytes of UTF-8 without control characters and non-characters. */
export function isLegalText(value: string): boolean {
  const bytes = Buffer.from(value);
  // An unpaired surrogate has no UTF-8 form: Buffer writes U+FFFD for it, which reads back as something else.
  return isValidText(bytes) && bytes.toString() === value;
}
