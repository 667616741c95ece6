/**
 * The live feed, `/api/v1/live`: one WebSocket, JSON text frames of at most 1 MiB.
 *
 * The client says what is visible; the server sends at most one frame for each of its views every 100 ms, with what has changed
 * among what is visible. Each frame of the server except `hello`, `counters` and `error` costs one credit; without credit it sends nothing
 * and later tells the newest state, so a slow page is never behind.
 *
 * The first frame of a stream says that it listens. Streams count the messages that match: `seq` grows by one for each, so a
 * gap is seen. While a view is paused its stream goes on filling the server's buffer (10,000 messages or 16 MiB); `resume` sends
 * what is in there. What did not fit is told as well: a number up to `until` that has not come by then will not come.
 */
import * as v from 'valibot';
import { count, shownMessage, timeMs, topicFilter } from './parts.ts';
import { topicRow } from './topics.ts';

const view = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** What the page sends. A view with an id that exists is replaced. */
export const liveRequest = v.variant('type', [
  /** Rows `from` (included) to `to` (excluded) of the tree with these nodes open. Order stays until `refresh`. */
  v.strictObject({
    type: v.literal('tree'),
    view,
    /** Node whose children are the first rows; absent: the roots. */
    parent: v.optional(v.string()),
    expanded: v.pipe(v.array(v.string()), v.maxLength(2000)),
    from: count,
    to: count,
    sort: v.optional(v.picklist(['name', 'rate', 'recent'])),
    /** Takes in what is new, and sorts again. */
    refresh: v.optional(v.boolean()),
    rings: v.optional(v.boolean()),
  }),
  /** These topics, wherever they stand. `whole`: their last payload up to 1 MiB instead of 256 characters. */
  v.strictObject({
    type: v.literal('topics'),
    view,
    topics: v.pipe(v.array(v.string()), v.maxLength(500)),
    rings: v.optional(v.boolean()),
    whole: v.optional(v.boolean()),
  }),
  v.strictObject({
    type: v.literal('stream'),
    view,
    filters: v.pipe(v.array(topicFilter), v.minLength(1), v.maxLength(16)),
    /** Text in the topic or the payload. */
    search: v.optional(v.pipe(v.string(), v.maxLength(1000))),
    /** Messages sent each second at most, 1..1000; the others are counted in `skipped`. Default 200. */
    limitPerSecond: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))),
    /** Bytes of each payload, 0..1 MiB; default 4096. */
    payloadBytesMax: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_048_576))),
  }),
  v.strictObject({ type: v.literal('pause'), view }),
  v.strictObject({ type: v.literal('resume'), view }),
  v.strictObject({ type: v.literal('close'), view }),
  v.strictObject({
    type: v.literal('credit'),
    frames: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
  }),
]);
export type LiveRequest = v.InferOutput<typeof liveRequest>;

export const liveHello = v.object({ type: v.literal('hello'), nowMs: timeMs, intervalMs: count, credit: count });
/** The whole window, as answer to `tree`. */
export const liveTree = v.object({
  type: v.literal('tree'),
  view,
  /** Rows of the tree as it is open now. */
  total: count,
  from: count,
  rows: v.array(topicRow),
  /** As in `update`. */
  newTopics: count,
});
/** What has changed among what is visible. */
export const liveUpdate = v.object({
  type: v.literal('update'),
  view,
  atMs: timeMs,
  rows: v.array(
    v.object({
      topic: v.string(),
      value: v.nullable(v.string()),
      sizeBytes: count,
      isRetained: v.boolean(),
      count,
      ratePerSecond: v.number(),
      lastMs: v.nullable(timeMs),
      /** Numbers added since the last frame, to be appended. */
      ringAdded: v.optional(v.array(v.number())),
      /** With `whole`. */
      message: v.optional(shownMessage),
    }),
  ),
  /** Topics that are new below what is open since the last `tree`; with `refresh` they come in. */
  newTopics: count,
});
export const liveMessages = v.object({
  type: v.literal('messages'),
  view,
  messages: v.array(v.object({ ...shownMessage.entries, seq: count })),
  /** Matching messages that were counted but not sent since the last frame. */
  skipped: count,
  /** The newest message that this frame accounts for, sent or not, and the broker's time by which it had come. */
  until: v.object({ seq: count, atMs: timeMs }),
});
/** Once a second, without being asked. */
export const liveCounters = v.object({
  type: v.literal('counters'),
  atMs: timeMs,
  messagesInPerSecond: v.number(),
  messagesOutPerSecond: v.number(),
  bytesInPerSecond: v.number(),
  bytesOutPerSecond: v.number(),
  droppedPerSecond: v.number(),
  clientsConnected: count,
  topics: count,
  /** Moves when a client came, went or subscribed. */
  clientsChanged: count,
});
export const liveError = v.object({ type: v.literal('error'), view: v.optional(view), message: v.string() });
export const liveAnswer = v.variant('type', [liveHello, liveTree, liveUpdate, liveMessages, liveCounters, liveError]);
export type LiveAnswer = v.InferOutput<typeof liveAnswer>;
