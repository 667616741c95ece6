/** Messages page by page, by time, in both directions. */
import type { HistoryMessage, HistoryMessagesPage, HistoryMessagesRequest } from '../contracts/history.ts';
import { hasWildcard } from '../topics/topic-filter.ts';
import type { TopicEntry } from './catalog.ts';
import { invalid } from './history-fault.ts';
import { checkedFilter, checkedNumber, checkedSpan, type Reader } from './reader.ts';

const limitMost = 1000;
/** Payload bytes of one page. */
const pageBytesMax = 4 * 1024 * 1024;
/** Up to so many topics each is looked up by itself; more are found by reading along. */
const topicsByIndex = 32;
/** Rows read along for one page; a page that finds less says where to go on. */
const rowsMax = 20_000;

/** @throws HistoryFault */
export function readMessages(reader: Reader, request: HistoryMessagesRequest): HistoryMessagesPage {
  const filter = checkedFilter(request.filter);
  const limit = checkedNumber('limit', request.limit, 100, 1, limitMost);
  const { order = 'newest' } = request;
  if (order !== 'newest' && order !== 'oldest') throw invalid('order', "expected 'newest' or 'oldest'");
  const [from, to] = checkedSpan(request);
  const after = Math.max(from - 1, checkedNumber('after', request.after, -1, -1, Number.MAX_SAFE_INTEGER));
  const before = Math.min(to, checkedNumber('before', request.before, to, 0, Number.MAX_SAFE_INTEGER));
  const isNewest = order === 'newest';
  const found = findMessages(reader, filter, after, before, isNewest, limit);
  const messages: HistoryMessage[] = [];
  let bytes = 0;
  for (const at of found.times) {
    const message = readMessage(reader, at);
    if (message === undefined) continue;
    bytes += message.payload.length;
    if (messages.length > 0 && bytes > pageBytesMax) return { messages, next: messages.at(-1)?.id ?? null };
    messages.push(message);
  }
  return { messages, next: found.next };
}

/** Times of messages in the order asked for, and where to go on. */
interface Found {
  readonly times: readonly number[];
  readonly next: number | null;
}

function findMessages(
  reader: Reader,
  filter: string,
  after: number,
  before: number,
  isNewest: boolean,
  limit: number,
): Found {
  const topics = reader.catalog.matching(filter);
  if (topics.length === 0) return { times: [], next: null };
  // One more than asked for shows whether there is more.
  const times =
    topics.length <= topicsByIndex || !hasWildcard(filter)
      ? byIndex(reader, topics, after, before, isNewest, limit + 1)
      : undefined;
  if (times !== undefined)
    return { times: times.slice(0, limit), next: times.length > limit ? (times[limit - 1] ?? null) : null };
  return readAlong(reader, topics, after, before, isNewest, limit);
}

function byIndex(
  { database }: Reader,
  topics: readonly TopicEntry[],
  after: number,
  before: number,
  isNewest: boolean,
  limit: number,
): readonly number[] {
  const sql = `SELECT at FROM message WHERE topic = ? AND at > ? AND at < ? ORDER BY at ${isNewest ? 'DESC' : 'ASC'} LIMIT ?`;
  const times = topics.flatMap(({ id }) =>
    database
      .prepare(sql)
      .all(id, after, before, limit)
      .map((row) => Number(row['at'])),
  );
  times.sort((one, other) => (isNewest ? other - one : one - other));
  return times.slice(0, limit);
}

function readAlong(
  { database, catalog }: Reader,
  topics: readonly TopicEntry[],
  after: number,
  before: number,
  isNewest: boolean,
  limit: number,
): Found {
  const wanted = topics.length === catalog.topics.size ? null : new Set(topics.map(({ id }) => id));
  const order = isNewest ? 'DESC' : 'ASC';
  const read = database.prepare(`SELECT at, topic FROM message WHERE at > ? AND at < ? ORDER BY at ${order} LIMIT ?`);
  const times: number[] = [];
  let [low, high] = [after, before];
  for (let left = rowsMax; left > 0; ) {
    const size = Math.min(left, 2000);
    const rows = read.all(low, high, size);
    for (const row of rows) {
      const at = Number(row['at']);
      if (wanted !== null && !wanted.has(Number(row['topic']))) continue;
      if (times.length === limit) return { times, next: times.at(-1) ?? null };
      times.push(at);
    }
    if (rows.length < size) return { times, next: null };
    const last = Number(rows.at(-1)?.['at']);
    if (isNewest) high = last;
    else low = last;
    left -= rows.length;
  }
  return { times, next: isNewest ? high : low };
}

/** The message of a time; undefined when it is gone. */
function readMessage({ database, catalog }: Reader, at: number): HistoryMessage | undefined {
  const row = database
    .prepare(
      'SELECT topic, name, qos, retain, payload FROM message LEFT JOIN client ON client.id = client WHERE at = ?',
    )
    .get(at);
  const topic = catalog.topicsById.get(Number(row?.['topic']));
  if (row === undefined || topic === undefined) return undefined;
  const { payload } = row;
  return {
    id: at,
    timeMs: Math.floor(at / 1000),
    topic: topic.name,
    qos: Number(row['qos']) as 0 | 1 | 2, // as it was written
    retain: row['retain'] === 1,
    clientId: String(row['name'] ?? ''),
    payload: payload instanceof Uint8Array ? payload : Buffer.from(String(payload)),
  };
}
