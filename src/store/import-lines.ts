/** Lines of an export (export-format.ts) → the facts, each line checked against those before it. */
import type { Message } from '../contracts/message.ts';
import { createMessage } from '../contracts/message.ts';
import type { DeliveryFact, Fact, SessionFact, SubscriptionFact } from '../contracts/store.ts';
import { DeliveryState } from '../contracts/store.ts';
import { isTopicName, parseTopicFilter } from '../topics/topic-filter.ts';
import { ByteReader, FormatError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ExportFields } from './export-fields.ts';
import { exportFormat, exportVersion, never, stateNames } from './export-format.ts';
import { checkedQos, Interner } from './fact-codec.ts';
import { readStoredProperties } from './message-properties.ts';

const idMax = Number.MAX_SAFE_INTEGER - 1;
const payloadMax = 268_435_455;
const propertyNumbers: Readonly<Record<string, number>> = {
  'payload-format-indicator': 0x01,
  'content-type': 0x03,
  'response-topic': 0x08,
  'correlation-data': 0x09,
  'user-property': 0x26,
};

export class ImportLines {
  readonly facts: Fact[] = [];
  readonly #interner = new Interner();
  /** Number of a message in the file → the message. */
  readonly #messages = new Map<number, Message>();
  /** Client Identifier → number of its last outgoing delivery in the file. */
  readonly #sessions = new Map<string, number>();
  #lines = 0;
  #isOver = false;

  /** @throws FormatError - what is wrong with the line */
  add(line: string): void {
    this.#lines++;
    if (this.#isOver) throw new FormatError('nothing may follow the line of kind "end"');
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new FormatError('it is no JSON');
    }
    const fields = new ExportFields(value);
    if (this.#lines === 1) {
      checkHead(fields);
      return;
    }
    const fact = this.#fact(fields);
    fields.end();
    if (fact !== null) this.facts.push(fact);
  }

  /** @throws FormatError - when the last line was not the last one of an export */
  end(): void {
    if (this.#lines === 0) throw new FormatError('it is empty');
    if (!this.#isOver) throw new FormatError('it is cut off: the line of kind "end" is missing');
  }

  #fact(fields: ExportFields): Fact | null {
    const kind = fields.text('kind');
    switch (kind) {
      case 'message': {
        const id = fields.integer('id', 1, idMax);
        if (this.#messages.has(id)) throw new FormatError(`there is a message ${id} already`);
        const message = this.#message(fields);
        message.storeId = id;
        this.#messages.set(id, message);
        return { kind, message };
      }
      case 'session':
        return this.#session(fields);
      case 'subscription':
        return this.#subscription(fields);
      case 'delivery':
        return this.#delivery(fields);
      case 'received': {
        const clientId = this.#owner(fields);
        const message = this.#referred(fields);
        return {
          ...{ kind: 'delivery', clientId, direction: 'in', storeId: message.storeId, qos: 2, dup: false },
          ...{ sequence: fields.integer('packetId', 1, 65_535), retain: message.retain },
          ...{ state: DeliveryState.awaitingPubrel, subscriptionIds: [] },
        };
      }
      case 'retained':
        return { kind, storeId: this.#referred(fields).storeId };
      case 'will': {
        const clientId = this.#owner(fields);
        const delaySeconds = fields.integer('delaySeconds', 0, never, 0);
        const dueAtMs = fields.time('dueAt');
        const content = fields.object('message');
        const message = this.#message(content);
        content.end();
        return { kind, clientId, message, delaySeconds, dueAtMs };
      }
      case 'end':
        if (fields.integer('lines', 2, idMax) !== this.#lines) {
          throw new FormatError(`lines are missing: this is line ${this.#lines} and not line ${fields.any('lines')}`);
        }
        this.#isOver = true;
        return null;
      default:
        throw new FormatError(`"kind" is "${kind}", which does not exist`);
    }
  }

  #session(fields: ExportFields): SessionFact {
    const clientId = fields.text('clientId');
    if (clientId === '') throw fields.fault('clientId', 'is empty');
    if (this.#sessions.has(clientId)) throw new FormatError(`there is a session of "${clientId}" already`);
    this.#sessions.set(clientId, 0);
    const isEndless = fields.any('expirySeconds') === null;
    return {
      ...{ kind: 'session', clientId, username: fields.has('username') ? fields.text('username') : null },
      listenerPort: fields.integer('port', 0, 65_535, 0),
      expiryIntervalSeconds: isEndless ? never : fields.integer('expirySeconds', 0, never - 1),
      expiresAtMs: fields.time('expiresAt'),
      lastSequence: fields.integer('lastSequence', 0, idMax, 0),
    };
  }

  #subscription(fields: ExportFields): SubscriptionFact {
    const clientId = this.#owner(fields);
    const filter = fields.text('filter');
    if (typeof parseTopicFilter(filter) === 'string') throw fields.fault('filter', 'is no Topic Filter');
    return {
      ...{ kind: 'subscription', clientId, filter, qos: checkedQos(fields.integer('qos', 0, 2)) },
      ...{ noLocal: fields.flag('noLocal'), retainAsPublished: fields.flag('retainAsPublished') },
      // Checked to be one of the three.
      retainHandling: fields.integer('retainHandling', 0, 2, 0) as 0 | 1 | 2,
      identifier: fields.integer('identifier', 0, 268_435_455, 0),
    };
  }

  #delivery(fields: ExportFields): DeliveryFact {
    const clientId = this.#owner(fields);
    const qos = checkedQos(fields.integer('qos', 0, 2));
    const state = stateOf(fields, qos);
    const message = state === DeliveryState.awaitingPubcomp ? null : this.#referred(fields);
    const sequence = fields.integer('sequence', qos === 0 ? 0 : 1, qos === 0 ? 0 : idMax, 0);
    if (qos > 0) {
      const last = this.#sessions.get(clientId) ?? 0;
      if (sequence <= last) throw fields.fault('sequence', `is not above ${last}, that of the delivery before it`);
      this.#sessions.set(clientId, sequence);
    }
    return {
      ...{ kind: 'delivery', clientId, direction: 'out', storeId: message?.storeId ?? 0, sequence, qos, state },
      ...{ retain: fields.flag('retain'), dup: fields.flag('dup') },
      subscriptionIds: fields.list('subscriptionIdentifiers').map((identifier) => {
        const isOne = typeof identifier === 'number' && Number.isInteger(identifier);
        if (isOne && identifier >= 1 && identifier <= 268_435_455) return identifier;
        throw fields.fault('subscriptionIdentifiers', 'holds something that is no Subscription Identifier');
      }),
    };
  }

  #owner(fields: ExportFields): string {
    const clientId = fields.text('clientId');
    if (!this.#sessions.has(clientId)) throw new FormatError(`there is no session of "${clientId}" before this line`);
    return clientId;
  }

  #referred(fields: ExportFields): Message {
    const id = fields.integer('message', 1, idMax);
    const message = this.#messages.get(id);
    if (message === undefined) throw new FormatError(`there is no message ${id} before this line`);
    return message;
  }

  #message(fields: ExportFields): Message {
    const topic = fields.text('topic');
    if (!isTopicName(topic)) throw fields.fault('topic', 'is no Topic Name');
    const publisher = fields.object('publisher');
    const clientId = publisher.text('clientId');
    const username = publisher.has('username') ? publisher.text('username') : null;
    const from = this.#interner.publisher(clientId, username, publisher.integer('port', 0, 65_535, 0));
    const packetId = publisher.integer('packetId', 0, 65_535, 0);
    publisher.end();
    const expiresAtMs = fields.time('expiresAt');
    const stored = propertyBytes(fields);
    const reader = new ByteReader(stored, 0, stored.length);
    const properties = readStoredProperties(reader, stored.length, expiresAtMs > 0);
    const payload = fields.payload();
    if (payload.length > payloadMax) throw fields.fault('payload', `is longer than ${payloadMax} bytes`);
    return createMessage(this.#interner.topic(topic), from, {
      ...{
        publisherPacketId: packetId,
        payload,
        qos: checkedQos(fields.integer('qos', 0, 2)),
        retain: fields.flag('retain'),
      },
      ...{ properties: properties.bytes, expiryOffset: properties.expiryOffset, expiresAtMs },
    });
  }
}

function checkHead(fields: ExportFields): void {
  if (fields.any('format') !== exportFormat) {
    throw new FormatError(`it is no export: its first line does not have "format":"${exportFormat}"`);
  }
  const version = fields.integer('version', 1, idMax);
  if (version > exportVersion) {
    throw new FormatError(`written by a newer version of Moustique (export format ${version}, need ${exportVersion})`);
  }
}

function stateOf(fields: ExportFields, qos: 0 | 1 | 2): DeliveryState {
  const name = fields.text('state');
  const state = Object.entries(stateNames).find(([, known]) => known === name)?.[0];
  const number = Number(state);
  const isFitting =
    number === DeliveryState.queued ||
    (number === DeliveryState.awaitingPuback && qos === 1) ||
    ((number === DeliveryState.awaitingPubrec || number === DeliveryState.awaitingPubcomp) && qos === 2);
  if (!isFitting) throw fields.fault('state', `is no state of a QoS ${qos} delivery`);
  // One of the numbers compared above.
  return number as DeliveryState;
}

function propertyBytes(fields: ExportFields): Buffer {
  const rows = fields.list('properties');
  const writer = new ByteWriter(64);
  for (const row of rows) {
    const [name, value, second] = Array.isArray(row) ? (row as unknown[]) : [];
    const number = typeof name === 'string' ? propertyNumbers[name] : undefined;
    if (number === undefined) throw fields.fault('properties', 'has one that is not [name, value] with a known name');
    writer.u8(number);
    const texts = number === 0x26 ? [value, second] : [value];
    if (number === 0x01) {
      if (value !== 0 && value !== 1) throw fields.fault('properties', `has a ${name} that is neither 0 nor 1`);
      writer.u8(value);
    } else if (number === 0x09) {
      const data = fields.base64('properties', value);
      if (data.length > 65_535) throw fields.fault('properties', `has a ${name} above 65,535 bytes`);
      writer.u16(data.length);
      writer.raw(data, 0, data.length);
    } else {
      for (const text of texts)
        writer.text16(new ExportFields({ [String(name)]: text }, 'properties').text(String(name)));
    }
  }
  return writer.bytes.subarray(0, writer.length);
}
