/** Topics, publishing, retained messages, saved messages. */

import { inBatches } from '../../base/in-batches.ts';
import type { Message } from '../../contracts/message.ts';
import { previewBytes, rateOf, type TopicIndex, type TopicRecord, wholeBytesMax } from '../../observe/topic-index.ts';
import { isExpired } from '../../session/deliver.ts';
import { defaultLimit, Page, type Place } from '../cursor.ts';
import type { HandlersOf } from '../handler.ts';
import { HttpProblem, notFound } from '../problem.ts';
import { binBytesMax, type Deletion, RetainedBin } from '../retained-bin.ts';
import type { Payload, ShownMessage } from '../schema/parts.ts';
import type { HttpServices } from '../services.ts';
import { encodedProperties, shownMessage, shownPayload } from '../shown-message.ts';
import { eachRetained, searchTopics } from '../topic-search.ts';
import { previewOf } from '../topic-tree.ts';

export function topicHandlers(
  services: HttpServices,
): HandlersOf<
  | 'listChildren'
  | 'searchTopics'
  | 'getLast'
  | 'publish'
  | 'listRetained'
  | 'deleteRetained'
  | 'undoDelete'
  | 'listBin'
  | 'getSaved'
  | 'putSaved'
> {
  const { surroundings, index, tree, bin, state } = services;
  const { broker, clock } = surroundings;
  const { engine } = broker;
  return {
    listChildren({ query: { parent, cursor, limit = defaultLimit } }) {
      const levels = tree.children(parent ?? null, 'name');
      const start = cursor === undefined ? 0 : levels.indexOf(cursor) + 1;
      const page = levels.slice(start, start + limit);
      const items = page.map((level) => tree.row(parent === undefined ? level : `${parent}/${level}`, false));
      return { items, total: levels.length, nextCursor: start + limit < levels.length ? (page.at(-1) ?? null) : null };
    },
    searchTopics: async ({ query: { q, mode = 'substring', limit = defaultLimit, partial } }) =>
      await searchTopics(services, mode, q, limit, partial === 'true'),
    getLast({ query: { topic, bytesMax = wholeBytesMax } }) {
      const record = index.find(topic);
      const retained = engine.retained.get(topic);
      const numbers = record === undefined ? [] : index.numbers(record);
      const nowMs = clock.nowMs();
      return {
        message: lastMessage(services, topic, bytesMax),
        count: record?.count ?? 0,
        ratePerSecond: record === undefined ? 0 : rateOf(record, nowMs),
        ring: numbers,
        isRetained: retained !== undefined,
      };
    },
    publish({ body, note }) {
      const { topic, payload, qos = 0, retain = false, properties = {} } = body;
      const bytes = bytesOf(payload);
      const { messageSizeLimit, retainAvailable } = engine.limits;
      if (messageSizeLimit > 0 && bytes.length > messageSizeLimit) {
        throw new HttpProblem(400, 'too-large', `body: payload: message_size_limit is ${messageSizeLimit}`, 'payload');
      }
      if (retain && !retainAvailable) {
        throw new HttpProblem(400, 'invalid-field', 'body: retain: retain_available is false', 'retain');
      }
      const matched = broker.publish(topic, bytes, { qos, retain, ...encodedProperties(properties) });
      note(`topic ${topic}, ${bytes.length} bytes`);
      return {
        matched,
        reasonCode: matched === 0 ? 0x10 : 0,
        reason: matched === 0 ? 'No matching subscribers' : 'Success',
      };
    },
    async listRetained({ query }) {
      const { filter, search, sort = 'topic' } = query;
      let totalBytes = 0;
      const page = new Page<Place & { readonly message: Message }>(query);
      const nowMs = clock.nowMs();
      const text = search?.toLowerCase();
      const [mode, q] = filter === undefined ? (['substring', search] as const) : (['wildcard', filter] as const);
      await eachRetained(services, mode, q, (message) => {
        const topic = message.topic.name;
        if (isExpired(message, nowMs) || (text !== undefined && !topic.toLowerCase().includes(text))) return;
        totalBytes += message.payloadLength;
        const key = sort === 'size' ? message.payloadLength : sort === 'age' ? (index.find(topic)?.lastMs ?? 0) : '';
        page.add({ key, name: topic, message });
      });
      const items = page.rows.map(({ name, message }) => ({
        topic: name,
        value: previewOf(message),
        sizeBytes: message.payloadLength,
        qos: message.qos,
        atMs: index.find(name)?.lastMs ?? null,
        expiresMs: message.expiresAtMs === 0 ? null : message.expiresAtMs,
        publisherClientId: message.publisher.clientId,
      }));
      return { items, total: page.total, totalBytes, nextCursor: page.nextCursor };
    },
    async deleteRetained({ body, identity, note }) {
      const { filter, search, dryRun } = body;
      const messages: Message[] = [];
      await inBatches(retainedMessages(services, filter, search), clock, (message) => messages.push(message));
      const bytes = messages.reduce((sum, { payloadLength }) => sum + payloadLength, 0);
      const canUndo = RetainedBin.bytesOf(messages) <= binBytesMax;
      if (dryRun) return { count: messages.length, bytes, canUndo, undoId: null, undoUntilMs: null };
      const deleted: Message[] = [];
      await inBatches(messages, clock, (message) => {
        const { name } = message.topic;
        // What was published meanwhile is not what was asked to be deleted.
        if (engine.retained.get(name) !== message) return;
        broker.publish(name, Buffer.alloc(0), { retain: true });
        deleted.push(message);
      });
      const kept = bin.add(filter, deleted, identity?.name ?? '');
      note(`filter ${filter}, ${deleted.length} messages`);
      const undo = { undoId: kept?.undoId ?? null, undoUntilMs: kept?.untilMs ?? null };
      return {
        count: deleted.length,
        bytes: deleted.reduce((sum, one) => sum + one.payloadLength, 0),
        canUndo,
        ...undo,
      };
    },
    async undoDelete({ body, note }) {
      const deletion = bin.take(body.undoId);
      if (deletion === undefined) throw notFound('such deletion any more');
      let restored = 0;
      await inBatches(deletion.messages, clock, (message) => {
        if (engine.retained.get(message.topic.name) !== undefined || isExpired(message, clock.nowMs())) return;
        const { propertiesSource, propertiesStart, propertiesEnd, expiryOffset } = message;
        broker.publish(message.topic.name, message.payload, {
          ...{ qos: message.qos, retain: true },
          properties: propertiesSource.subarray(propertiesStart, propertiesEnd),
          expiryOffset: expiryOffset < 0 ? -1 : expiryOffset - propertiesStart,
        });
        restored++;
      });
      note(`filter ${deletion.filter}, ${restored} messages`);
      return { restored, skipped: deletion.messages.length - restored };
    },
    listBin: () => ({ items: bin.all.map(shownDeletion), maxBytes: binBytesMax }),
    getSaved: () => state.saved,
    putSaved({ body, note }) {
      if (body.version !== state.saved.version) {
        const text = `Somebody else saved version ${state.saved.version} meanwhile.`;
        throw new HttpProblem(409, 'version-conflict', text, 'version');
      }
      state.setSaved(body.collections);
      note(`${body.collections.length} collections`);
      return state.saved;
    },
  };
}

function shownDeletion({ undoId, filter, messages, bytes, by, untilMs }: Deletion) {
  return { undoId, filter, count: messages.length, bytes, by, untilMs };
}

function* retainedMessages(
  { surroundings }: HttpServices,
  filter: string,
  search: string | undefined,
): Generator<Message> {
  const { retained, clock } = surroundings.broker.engine;
  const nowMs = clock.nowMs();
  const text = search?.toLowerCase();
  for (const message of retained.matching(filter)) {
    if (isExpired(message, nowMs)) continue;
    if (text === undefined || message.topic.name.toLowerCase().includes(text)) yield message;
  }
}

/** The last message of a topic, as whole as it is still known. */
function lastMessage({ surroundings, index }: HttpServices, topic: string, bytesMax: number): ShownMessage | null {
  const record = index.find(topic);
  const retained = surroundings.broker.engine.retained.get(topic);
  const whole = record?.whole ?? (record === undefined || isSame(index, retained, record) ? retained : undefined);
  if (whole !== undefined) {
    return shownMessage(whole, record?.lastMs ?? surroundings.clock.nowMs(), bytesMax, whole === retained);
  }
  if (record === undefined) return null;
  const bytes = Buffer.from(index.preview(record), 'latin1');
  return {
    ...{
      topic,
      payload: shownPayload(bytes),
      sizeBytes: record.sizeBytes,
      isTruncated: record.sizeBytes > previewBytes,
    },
    ...{ qos: record.qos, isRetained: false, properties: {}, atMs: record.lastMs },
    publisherClientId: record.publisher?.clientId ?? '',
    publisherUsername: record.publisher?.username ?? null,
  };
}

/** Whether the retained message is the last one, as far as can be seen. */
function isSame(index: TopicIndex, retained: Message | undefined, record: TopicRecord): boolean {
  if (retained === undefined || retained.payloadLength !== record.sizeBytes) return false;
  return retained.payload.toString('latin1', 0, previewBytes) === index.preview(record);
}

function bytesOf(payload: Payload): Buffer {
  if ('text' in payload) return Buffer.from(payload.text);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(payload.base64)) {
    throw new HttpProblem(400, 'invalid-field', 'body: payload.base64: not base64', 'payload.base64');
  }
  return Buffer.from(payload.base64, 'base64');
}
