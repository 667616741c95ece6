/**
 * What the history holds; see `contracts/history.ts`, whose words these are. Answered with 404 and the code `no-history` where no
 * `history_topic` is configured.
 */
import * as v from 'valibot';
import { count, page, payload, qos, timeMs, topicFilter } from './parts.ts';

const timeText = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'expected milliseconds since 1970'), v.transform(Number));
const number = (max: number) =>
  v.pipe(v.string(), v.regex(/^[1-9]\d{0,11}$/, `expected 1 to ${max}`), v.transform(Number), v.maxValue(max));

export const seriesListQuery = v.strictObject({ ...page, filter: v.optional(topicFilter) });
export const seriesListAnswer = v.object({
  items: v.array(
    v.object({
      topic: v.string(),
      /** '' for payloads that are numbers, else the path inside the JSON: `temperature`, `a.b`, `list[0]`. */
      field: v.string(),
      count,
      firstMs: timeMs,
      lastMs: timeMs,
      lastValue: v.number(),
    }),
  ),
  nextCursor: v.nullable(v.string()),
});

export const bucketsQuery = v.strictObject({
  filter: topicFilter,
  /** Absent: every field. */
  field: v.optional(v.string()),
  fromMs: timeText,
  toMs: timeText,
  bucketMs: v.optional(number(999_999_999_999)),
  bucketsMax: v.optional(number(5000)),
  seriesMax: v.optional(number(100)),
});
/** Columns of equal length; a bucket without a value is left out. */
export const bucketsAnswer = v.object({
  fromMs: timeMs,
  toMs: timeMs,
  bucketMs: v.number(),
  series: v.array(
    v.object({
      topic: v.string(),
      field: v.string(),
      /** Beginning of each bucket. */
      times: v.array(timeMs),
      count: v.array(count),
      min: v.array(v.number()),
      max: v.array(v.number()),
      avg: v.array(v.number()),
      last: v.array(v.number()),
      /** Indexes before which a plot should have a hole. */
      gaps: v.array(count),
    }),
  ),
  isTruncated: v.boolean(),
});

export const messagesQuery = v.strictObject({
  filter: topicFilter,
  fromMs: v.optional(timeText),
  toMs: v.optional(timeText),
  /** `nextCursor` of the page before, in the same order. */
  cursor: v.optional(v.pipe(v.string(), v.regex(/^\d{1,16}$/, 'not one of this list'), v.transform(Number))),
  order: v.optional(v.picklist(['newest', 'oldest'])),
  limit: page.limit,
});
export const messagesAnswer = v.object({
  items: v.array(
    v.object({
      id: v.number(),
      atMs: timeMs,
      topic: v.string(),
      qos,
      isRetained: v.boolean(),
      publisherClientId: v.string(),
      payload,
      sizeBytes: count,
    }),
  ),
  nextCursor: v.nullable(v.string()),
});

export const exportQuery = v.strictObject({
  format: v.picklist(['csv', 'jsonl']),
  /** Whole payloads, or the numbers in them; default messages. */
  what: v.optional(v.picklist(['messages', 'samples'])),
  filter: topicFilter,
  field: v.optional(v.string()),
  fromMs: v.optional(timeText),
  toMs: v.optional(timeText),
});

export const statsAnswer = v.object({
  file: v.string(),
  driver: v.string(),
  fileBytes: count,
  usedBytes: count,
  maxBytes: v.number(),
  topics: count,
  series: count,
  messages: count,
  samples: count,
  firstMs: v.nullable(timeMs),
  lastMs: v.nullable(timeMs),
  recorded: count,
  dropped: count,
  waiting: count,
  waitingBytes: count,
  lagMs: v.number(),
  fault: v.nullable(v.string()),
  rules: v.array(
    v.object({
      filter: v.string(),
      keepDays: v.nullable(v.number()),
      maxBytes: v.nullable(v.number()),
      topics: count,
      messages: count,
      bytes: count,
    }),
  ),
  sinks: v.array(
    v.object({
      url: v.string(),
      kind: v.string(),
      sent: count,
      waiting: count,
      waitingBytes: count,
      dropped: count,
      fault: v.nullable(v.string()),
    }),
  ),
});
