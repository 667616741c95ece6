/** What the publish form holds: texts, as they are typed. */

import type { MessageProperties, SavedMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import type { Encoding } from './send.ts';

export interface Draft {
  readonly topic: string;
  readonly payload: string;
  readonly encoding: Encoding;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly contentType: string;
  readonly responseTopic: string;
  readonly correlationData: string;
  readonly expirySeconds: string;
  readonly isUtf8: boolean;
  /** One per line, `name=value`. */
  readonly userProperties: string;
}

export const emptyDraft: Draft = {
  topic: '',
  payload: '',
  encoding: 'text',
  qos: 0,
  retain: false,
  contentType: '',
  responseTopic: '',
  correlationData: '',
  expirySeconds: '',
  isUtf8: false,
  userProperties: '',
};

/** @throws Error - a property that cannot be sent */
export function propertiesOf(draft: Draft): MessageProperties | undefined {
  const expiry = Number(draft.expirySeconds);
  if (draft.expirySeconds !== '' && (!Number.isInteger(expiry) || expiry < 0 || expiry > 0xffff_ffff)) {
    throw new Error(t('publish.badExpiry'));
  }
  const user = draft.userProperties
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): [string, string] => {
      const mark = line.indexOf('=');
      return mark === -1 ? [line, ''] : [line.slice(0, mark), line.slice(mark + 1)];
    });
  const properties: MessageProperties = {
    ...(draft.contentType === '' ? {} : { contentType: draft.contentType }),
    ...(draft.responseTopic === '' ? {} : { responseTopic: draft.responseTopic }),
    ...(draft.correlationData === '' ? {} : { correlationData: base64OfText(draft.correlationData) }),
    ...(draft.expirySeconds === '' ? {} : { messageExpiryIntervalSeconds: expiry }),
    ...(draft.isUtf8 ? { payloadFormatIndicator: 1 as const } : {}),
    ...(user.length === 0 ? {} : { userProperties: user }),
  };
  return Object.keys(properties).length === 0 ? undefined : properties;
}

const base64OfText = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));

const textOfBase64 = (base64: string): string =>
  new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));

export function messageOf(draft: Draft, name = ''): SavedMessage {
  const { topic, payload, encoding, qos, retain } = draft;
  const properties = propertiesOf(draft);
  return { name, topic, payload, encoding, qos, retain, ...(properties === undefined ? {} : { properties }) };
}

export function draftOf(message: SavedMessage): Draft {
  const properties = message.properties ?? {};
  return {
    topic: message.topic,
    payload: message.payload,
    encoding: message.encoding ?? 'text',
    qos: message.qos ?? 0,
    retain: message.retain ?? false,
    contentType: properties.contentType ?? '',
    responseTopic: properties.responseTopic ?? '',
    correlationData: properties.correlationData === undefined ? '' : textOfBase64(properties.correlationData),
    expirySeconds: String(properties.messageExpiryIntervalSeconds ?? ''),
    isUtf8: properties.payloadFormatIndicator === 1,
    userProperties: (properties.userProperties ?? []).map(([name, value]) => `${name}=${value}`).join('\n'),
  };
}
