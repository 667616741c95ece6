/** What the history holds. Answered with 404 and the code `no-history` where none is configured. */
import * as v from 'valibot';
import { count, page, shownMessage, timeMs, topicFilter, topicName } from './parts.ts';

const timeText = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'expected milliseconds since 1970'), v.transform(Number));

export const fieldsQuery = v.strictObject({ filter: v.optional(topicFilter), limit: page.limit });
export const fieldsAnswer = v.object({
  items: v.array(
    v.object({
      topic: v.string(),
      /** '' for payloads that are plain numbers, else the path inside the JSON: `temperature`, `a.b`, `list.0`. */
      field: v.string(),
      points: count,
      firstMs: timeMs,
      lastMs: timeMs,
    }),
  ),
  total: count,
});

export const seriesQuery = v.strictObject({
  topic: topicName,
  field: v.optional(v.string()),
  fromMs: timeText,
  toMs: timeText,
  /** Buckets between the two times, 1..5000; default 500. */
  buckets: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'expected 1 to 5000'), v.transform(Number), v.maxValue(5000)),
  ),
});
/** Columns of equal length; a bucket without a value is left out. */
export const seriesAnswer = v.object({
  topic: v.string(),
  field: v.string(),
  bucketMs: v.number(),
  /** Beginning of each bucket. */
  timesMs: v.array(timeMs),
  minimum: v.array(v.number()),
  mean: v.array(v.number()),
  maximum: v.array(v.number()),
  counts: v.array(count),
});
export type SeriesAnswer = v.InferOutput<typeof seriesAnswer>;

const span = { filter: topicFilter, fromMs: v.optional(timeText), toMs: v.optional(timeText) };
export const messagesQuery = v.strictObject({ ...span, ...page });
export const messagesAnswer = v.object({ items: v.array(shownMessage), nextCursor: v.nullable(v.string()) });
export const exportQuery = v.strictObject({ ...span, format: v.picklist(['csv', 'jsonl']) });

export const statsAnswer = v.object({
  messages: count,
  points: count,
  series: count,
  bytes: count,
  maxBytes: v.nullable(count),
  oldestMs: v.nullable(timeMs),
  newestMs: v.nullable(timeMs),
  /** Messages not stored because the writer could not keep up. */
  dropped: count,
  filters: v.array(v.object({ filter: v.string(), keepDays: v.nullable(v.number()) })),
});
