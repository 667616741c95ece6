import { call } from '../api/call.ts';
import type { ShownMessage, StoredMessage } from '../api/types.ts';
import { shownFromStored } from './stored-message.ts';
import { type Gap, historyDelayMs } from './stream-model.ts';

/** Messages asked of the history at once. */
const fillMax = 1000;

/** What the history has for the times of a gap, oldest first. */
export async function historyBetween(filters: readonly string[], search: string, gap: Gap): Promise<ShownMessage[]> {
  /** By number of the history: two filters may match the same message. */
  const found = new Map<number, StoredMessage>();
  for (const filter of filters) {
    let cursor: string | undefined;
    const enough = found.size + gap.gap + fillMax;
    do {
      const page = await call('GET /history/messages', {
        query: {
          filter,
          fromMs: String(Math.floor(gap.fromMs)),
          toMs: String(Math.ceil(gap.toMs) + historyDelayMs),
          limit: String(fillMax),
          order: 'oldest',
          ...(cursor === undefined ? {} : { cursor }),
        },
      });
      for (const message of page.items) found.set(message.id, message);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && found.size < enough);
  }
  return [...found.values()]
    .filter(({ topic, payload }) => topic.includes(search) || ('text' in payload && payload.text.includes(search)))
    .toSorted((a, b) => a.id - b.id)
    .map(shownFromStored);
}
