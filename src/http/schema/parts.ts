/**
 * Shapes that several requests and answers of the JSON interface share. Times are milliseconds since 1970 UTC, sizes bytes;
 * the unit stands at the end of a name where it could be doubted.
 */
import * as v from 'valibot';
import { isTopicName, parseTopicFilter } from '../../topics/topic-filter.ts';

/** What a person may do: *viewer* reads, *operator* also publishes, kicks and deletes, *admin* also grants and sees the configuration. */
export const role = v.picklist(['viewer', 'operator', 'admin']);
export type Role = v.InferOutput<typeof role>;

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const timeMs = v.pipe(v.number(), v.description('Milliseconds since 1970-01-01 UTC'));
export const qos = v.picklist([0, 1, 2]);

export const topicName = v.pipe(
  v.string(),
  v.check(isTopicName, 'not a Topic Name: 1 to 65,535 bytes without + and #'),
  v.description('Topic Name'),
);
export const topicFilter = v.pipe(
  v.string(),
  v.check((text) => typeof parseTopicFilter(text) !== 'string', 'not a Topic Filter'),
  v.description('Topic Filter; + and # are wildcards'),
);

/** Bytes of a message: text when they are UTF-8, else base64. A shortened payload says so where it is used. */
export const payload = v.union([v.strictObject({ text: v.string() }), v.strictObject({ base64: v.string() })]);
export type Payload = v.InferOutput<typeof payload>;

/** MQTT 5.0 properties of a message that travel to its receivers. */
export const messageProperties = v.strictObject({
  contentType: v.optional(v.string()),
  responseTopic: v.optional(topicName),
  correlationData: v.optional(v.pipe(v.string(), v.description('base64'))),
  payloadFormatIndicator: v.optional(v.picklist([0, 1])),
  messageExpiryIntervalSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff))),
  userProperties: v.optional(v.pipe(v.array(v.tuple([v.string(), v.string()])), v.maxLength(1000))),
});
export type MessageProperties = v.InferOutput<typeof messageProperties>;

/** A message as it is shown. */
export const shownMessage = v.object({
  topic: v.string(),
  payload,
  /** Of the whole payload. */
  sizeBytes: count,
  /** Whether `payload` is only its beginning. */
  isTruncated: v.boolean(),
  qos,
  isRetained: v.boolean(),
  properties: messageProperties,
  /** Client Identifier of who published it; '' for the broker itself. */
  publisherClientId: v.string(),
  publisherUsername: v.nullable(v.string()),
  atMs: timeMs,
});
export type ShownMessage = v.InferOutput<typeof shownMessage>;

/** Query fields of lists: `cursor` is what the page before gave. */
export const page = {
  cursor: v.optional(v.pipe(v.string(), v.maxLength(70_000))),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'expected 1 to 1000'), v.transform(Number), v.maxValue(1000)),
  ),
};

/** Every answer that is no success. */
export const problem = v.object({
  error: v.object({
    /** For programs: `not-found`, `invalid-field`, `forbidden` … */
    code: v.string(),
    /** For people. */
    message: v.string(),
    /** Which field of the request is wrong. */
    field: v.optional(v.string()),
  }),
});
export type Problem = v.InferOutput<typeof problem>;

export const done = v.object({ done: v.literal(true) });
