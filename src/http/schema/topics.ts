/** Topics: what was seen on them, what is retained, publishing. */
import * as v from 'valibot';
import { count, messageProperties, page, payload, qos, shownMessage, timeMs, topicFilter, topicName } from './parts.ts';

/** A node of the topic tree. Its `topic` ends where the node stands: `a/b`, also when only `a/b/c` was published to. */
export const topicRow = v.object({
  topic: v.string(),
  /** Its last level; may be empty. */
  level: v.string(),
  /** 0 for the first level. */
  depth: count,
  children: count,
  /** Topics below it; `hasMoreBelow`: at least so many. */
  topicsBelow: count,
  hasMoreBelow: v.boolean(),
  /** Whether a message of exactly this topic is known; the fields below are empty otherwise. */
  hasValue: v.boolean(),
  /** The first 256 characters of the last payload; null when it is no text. */
  value: v.nullable(v.string()),
  sizeBytes: count,
  isRetained: v.boolean(),
  /** Messages since it is in the index. */
  count,
  ratePerSecond: v.number(),
  lastMs: v.nullable(timeMs),
  isExpanded: v.optional(v.boolean()),
  /** Up to 60 numbers, oldest first, at most two a second; left out when the payloads are no numbers. */
  ring: v.optional(v.array(v.number())),
});
export type TopicRow = v.InferOutput<typeof topicRow>;

export const childrenQuery = v.strictObject({
  ...page,
  /** The node; absent: the roots. '' is the node of the empty level that `/a` begins with. */
  parent: v.optional(v.string()),
});
export const topicList = v.object({ items: v.array(topicRow), total: count, nextCursor: v.nullable(v.string()) });

export const searchQuery = v.strictObject({
  q: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
  /**
   * `substring` of the topic without case, `wildcard` a Topic Filter, `regex` of the topic (linear time: no look-around, no
   * back-references), `payload` text in the last payload, `jsonpath` such as `$.t > 20` on it, `client` a part of the Client
   * Identifier that published it.
   */
  mode: v.optional(v.picklist(['substring', 'wildcard', 'regex', 'payload', 'jsonpath', 'client'])),
  limit: page.limit,
  /** The first search gathers all names, which takes seconds with a million: `true` answers before, from those gathered so far. */
  partial: v.optional(v.picklist(['true', 'false'])),
});
export const searchAnswer = v.object({
  items: v.array(topicRow),
  /** Matches found; `items` holds the first `limit`. */
  total: count,
  searched: count,
  /** Whether everything was looked at. */
  isComplete: v.boolean(),
  /** Names are still gathered: the same search soon finds more. Only with `partial`. */
  isGathering: v.boolean(),
  tookMs: v.number(),
});

export const lastQuery = v.strictObject({
  topic: topicName,
  /** Bytes of the payload at most, 1..16 MiB; default 1 MiB. Only retained messages are known beyond that. */
  bytesMax: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[1-9]\d{0,7}$/, 'expected 1 to 16777216'),
      v.transform(Number),
      v.maxValue(16_777_216),
    ),
  ),
});
/** The last message of a topic, as whole as it is still known. */
export const lastAnswer = v.object({
  message: v.nullable(shownMessage),
  count,
  ratePerSecond: v.number(),
  isRetained: v.boolean(),
  /** Up to 60 numbers, oldest first, at most two a second. */
  ring: v.array(v.number()),
});

export const retainedQuery = v.strictObject({
  ...page,
  filter: v.optional(topicFilter),
  search: v.optional(v.string()),
  sort: v.optional(v.picklist(['topic', 'age', 'size'])),
  order: v.optional(v.picklist(['ascending', 'descending'])),
});
export const retainedRow = v.object({
  topic: v.string(),
  /** The first 256 characters; null when it is no text. */
  value: v.nullable(v.string()),
  sizeBytes: count,
  qos,
  /** When it was published, as far as this process knows; null: before it started. */
  atMs: v.nullable(timeMs),
  expiresMs: v.nullable(timeMs),
  publisherClientId: v.string(),
});
export type RetainedRow = v.InferOutput<typeof retainedRow>;
export const retainedList = v.object({
  items: v.array(retainedRow),
  total: count,
  totalBytes: count,
  nextCursor: v.nullable(v.string()),
});

export const retainedDeleteRequest = v.strictObject({
  filter: topicFilter,
  /** Narrows it further, by text in the topic. */
  search: v.optional(v.string()),
  /** Only counts. */
  dryRun: v.boolean(),
});
export const retainedDeleteAnswer = v.object({
  count,
  bytes: count,
  /** Whether it fits into the bin. */
  canUndo: v.boolean(),
  /** For `retained/undo`, ten minutes long; null for a dry run, or when more was deleted than the bin holds. */
  undoId: v.nullable(v.string()),
  undoUntilMs: v.nullable(timeMs),
});
export const undoRequest = v.strictObject({ undoId: v.pipe(v.string(), v.maxLength(100)) });
/** What was published again meanwhile stays as it is. */
export const undoAnswer = v.object({ restored: count, skipped: count });
export const binAnswer = v.object({
  items: v.array(
    v.object({ undoId: v.string(), filter: v.string(), count, bytes: count, by: v.string(), untilMs: timeMs }),
  ),
  maxBytes: count,
});

export const publishRequest = v.strictObject({
  topic: topicName,
  payload,
  qos: v.optional(qos),
  retain: v.optional(v.boolean()),
  properties: v.optional(messageProperties),
});
export const publishAnswer = v.object({
  /** Subscriptions that were to get it. */
  matched: count,
  /** As a PUBACK would have it: 0 success, 16 no matching subscribers. */
  reasonCode: count,
  reason: v.string(),
});

/** Messages kept for everybody who uses the console. */
export const savedMessage = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(200)),
  topic: v.pipe(v.string(), v.maxLength(65_535)),
  payload: v.pipe(v.string(), v.description('The text of the form, template variables included')),
  encoding: v.optional(v.picklist(['text', 'json', 'base64', 'hex'])),
  qos: v.optional(qos),
  retain: v.optional(v.boolean()),
  properties: v.optional(messageProperties),
  /** Waited before it is sent when its collection runs. */
  delayMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400_000))),
});
export const savedCollections = v.pipe(
  v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
      messages: v.pipe(v.array(savedMessage), v.maxLength(1000)),
    }),
  ),
  v.maxLength(200),
);
export const savedAnswer = v.object({ version: count, collections: savedCollections });
/** `version` is that of the answer it is based on; another one in between is answered with 409. */
export const savedRequest = v.strictObject({ version: count, collections: savedCollections });
export type SavedAnswer = v.InferOutput<typeof savedAnswer>;
