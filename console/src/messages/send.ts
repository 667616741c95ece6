/** Sending what a form or a saved message says, to whichever broker the console is connected to. */

import { call } from '../api/call.ts';
import type { Payload, SavedMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { base64OfBytes, bytesOfBase64, textOf } from '../inspect/payload.ts';
import { reducedBroker } from '../mqtt/reduced.ts';
import { expandTemplate, type TemplateSources } from './template.ts';

export type Encoding = NonNullable<SavedMessage['encoding']>;
export const encodings: readonly Encoding[] = ['text', 'json', 'base64', 'hex'];

export interface Sent {
  /** Subscriptions that were to get it; undefined where the broker does not tell. */
  readonly matched: number | undefined;
  readonly reasonCode: number;
  readonly reason: string;
}

let counter = 0;

const sources: TemplateSources = {
  nowMs: () => Date.now(),
  counter: () => {
    counter += 1;
    return counter;
  },
  random: Math.random,
  uuid: newUuid,
  last: lastText,
};

/** randomUUID exists only in secure contexts; a broker in the house is often plain HTTP. */
function newUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function lastText(topic: string): Promise<string | undefined> {
  const reduced = reducedBroker.value;
  if (reduced !== undefined) return reduced.lastText(topic);
  const { message } = await call('GET /topics/last', { query: { topic } });
  return message !== null && 'text' in message.payload ? message.payload.text : undefined;
}

/** The bytes a text stands for. @throws Error - it is not what the encoding asks for */
export function encodePayload(text: string, encoding: Encoding): Payload {
  if (encoding === 'text') return { text };
  if (encoding === 'json') {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new Error(t('publish.badJson', { why: error instanceof Error ? error.message : '' }), { cause: error });
    }
    return { text };
  }
  const plain = text.replace(/\s+/g, '');
  if (encoding === 'base64') {
    try {
      return asPayload(bytesOfBase64(plain));
    } catch (error) {
      throw new Error(t('publish.badBase64'), { cause: error });
    }
  }
  const hex = plain.replace(/^0x/i, '').replaceAll(':', '');
  if (hex.length % 2 !== 0 || /[^0-9a-f]/i.test(hex)) throw new Error(t('publish.badHex'));
  return asPayload(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

const asPayload = (bytes: Uint8Array): Payload => {
  const text = textOf(bytes);
  return text === undefined ? { base64: base64OfBytes(bytes) } : { text };
};

/** Fill in the variables and send. @throws Error - with a message for the person who sends */
export async function send(message: SavedMessage): Promise<Sent> {
  const topic = await expandTemplate(message.topic, sources);
  const payload = encodePayload(await expandTemplate(message.payload, sources), message.encoding ?? 'text');
  const { qos = 0, retain = false, properties } = message;
  const request = { topic, payload, qos, retain, ...(properties === undefined ? {} : { properties }) };
  const reduced = reducedBroker.value;
  return reduced === undefined ? call('POST /publish', { body: request }) : reduced.publish(request);
}
