/** The console on a broker of any make: Topics and Messages from what this page hears over MQTT. */

import { signal } from '@preact/signals';
import type { MessageProperties, Payload, ShownMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { base64OfBytes, textOf } from '../inspect/payload.ts';
import { payloadBytes } from '../inspect/payload-bytes.ts';
import { currentFeed } from '../live/current.ts';
import { feedState } from '../live/feed.ts';
import type { Publish } from './codec.ts';
import { Connection, RefusedError, type Target } from './connection.ts';
import { LocalFeed } from './local-feed.ts';

export interface ReducedBroker {
  readonly url: string;
  publish(message: {
    topic: string;
    payload: Payload;
    qos: 0 | 1 | 2;
    retain: boolean;
    properties?: MessageProperties;
  }): Promise<{ matched: undefined; reasonCode: number; reason: string }>;
  lastText(topic: string): string | undefined;
}

export const reducedBroker = signal<ReducedBroker | undefined>(undefined);

const retryMs = 3000;

/** Connect and show what comes. @throws Error - for the person who asked */
export async function connectReduced(target: Target): Promise<ReducedBroker> {
  let connection: Connection | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const feed = new LocalFeed(() => {
    isOver = true;
    clearTimeout(timer);
    connection?.close();
    reducedBroker.value = undefined;
  });
  const connect = async (): Promise<void> => {
    connection = await Connection.open(target, {
      onMessage: (message) => feed.add(shownMessage(message)),
      onClosed: () => {
        if (isOver) return;
        feedState.value = 'lost';
        timer = setTimeout(again, retryMs);
      },
    });
    feedState.value = 'live';
  };
  const again = (): void => {
    connect().catch(() => {
      if (!isOver) timer = setTimeout(again, retryMs);
    });
  };
  try {
    await connect();
  } catch (error) {
    feed.close();
    throw new Error(explain(error), { cause: error });
  }
  currentFeed.value = feed;
  const broker: ReducedBroker = {
    url: target.url,
    publish: async ({ topic, payload, qos, retain, properties = {} }) => {
      if (connection === undefined) throw new Error(t('other.unreachable'));
      const bytes = payloadBytes(payload);
      const reasonCode = await connection.publish({ topic, payload: bytes, qos, retain, properties });
      return { matched: undefined, reasonCode, reason: qos === 0 ? t('other.notConfirmed') : t('other.confirmed') };
    },
    lastText: (topic) => {
      const payload = feed.index.get(topic)?.message.payload;
      return payload !== undefined && 'text' in payload ? payload.text : undefined;
    },
  };
  reducedBroker.value = broker;
  return broker;
}

function explain(error: unknown): string {
  if (!(error instanceof RefusedError)) return t('other.unreachable');
  const isLogin = [0x04, 0x05, 0x86, 0x87].includes(error.reasonCode);
  return isLogin ? t('other.login') : t('other.refused', { code: error.message });
}

function shownMessage(message: Publish): ShownMessage {
  const text = textOf(message.payload);
  return {
    topic: message.topic,
    payload: text === undefined ? { base64: base64OfBytes(message.payload) } : { text },
    sizeBytes: message.payload.length,
    isTruncated: false,
    qos: message.qos,
    isRetained: message.retain,
    properties: message.properties,
    publisherClientId: '',
    publisherUsername: null,
    atMs: Date.now(),
  };
}
