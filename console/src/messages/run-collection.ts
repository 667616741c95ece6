/** Sends the messages of a collection in order, each after its delay, until the end or until stopped. */

import { signal } from '@preact/signals';
import type { Collection } from '../api/types.ts';
import { send } from './send.ts';

export interface Run {
  readonly name: string;
  readonly sent: number;
  readonly total: number;
  readonly stop: () => void;
}

export const running = signal<Run | undefined>(undefined);

/** @returns messages sent @throws Error - the first that could not be sent; the others are not tried */
export async function runCollection(collection: Collection): Promise<number> {
  running.value?.stop();
  const stop = new AbortController();
  const state = { name: collection.name, total: collection.messages.length, stop: () => stop.abort() };
  let sent = 0;
  try {
    for (const message of collection.messages) {
      running.value = { ...state, sent };
      await pause(message.delayMs ?? 0, stop.signal);
      if (stop.signal.aborted) break;
      await send(message);
      sent += 1;
    }
    return sent;
  } finally {
    running.value = undefined;
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0 || stop.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
