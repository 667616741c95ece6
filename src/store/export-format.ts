/**
 * The durable state as lines of JSON, for backups, for other programs and for the way back (docs/durability.md).
 *
 * The first line is the head, the last one says how many lines there are, so that a file that was cut off is known as one. In
 * between is a line for each fact, messages before what refers to them, sessions before what belongs to them. Fields that have
 * their usual value are left out. The number of the version changes when a reader of the old one would misunderstand a line.
 */
import { isUtf8 } from 'node:buffer';
import type { Message } from '../contracts/message.ts';
import type { DeliveryFact, Fact } from '../contracts/store.ts';
import { DeliveryState } from '../contracts/store.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { storedPropertiesLength, writeStoredProperties } from './message-properties.ts';
import { storedProperties } from './stored-properties.ts';

export const exportFormat = 'moustique export';
export const exportVersion = 1;
export const never = 0xffff_ffff;

/** Step of an outgoing delivery → its name in a line. */
export const stateNames = {
  [DeliveryState.queued]: 'queued',
  [DeliveryState.awaitingPuback]: 'awaiting-puback',
  [DeliveryState.awaitingPubrec]: 'awaiting-pubrec',
  [DeliveryState.awaitingPubcomp]: 'awaiting-pubcomp',
} as const;

type Row = Readonly<Record<string, unknown>>;

/**
 * The lines of an export, each with its line feed.
 *
 * @param nowMs - wall clock, for the head
 */
export function* exportLines(facts: Iterable<Fact>, nowMs: number): Generator<string> {
  yield line({ format: exportFormat, version: exportVersion, time: timeText(nowMs) });
  let count = 2;
  for (const fact of facts) {
    count++;
    yield line(rowOf(fact));
  }
  yield line({ kind: 'end', lines: count });
}

function line(row: Row): string {
  return `${JSON.stringify(row)}\n`;
}

function rowOf(fact: Fact): Row {
  switch (fact.kind) {
    case 'message':
      return { kind: 'message', id: fact.message.storeId, ...messageRow(fact.message) };
    case 'session': {
      const { clientId, username, listenerPort, expiryIntervalSeconds, expiresAtMs, lastSequence } = fact;
      return {
        ...{ kind: 'session', clientId },
        ...(username !== null && { username }),
        ...(listenerPort > 0 && { port: listenerPort }),
        expirySeconds: expiryIntervalSeconds === never ? null : expiryIntervalSeconds,
        ...(expiresAtMs > 0 && { expiresAt: timeText(expiresAtMs) }),
        ...(lastSequence > 0 && { lastSequence }),
      };
    }
    case 'subscription': {
      const { clientId, filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = fact;
      return {
        ...{ kind: 'subscription', clientId, filter, qos },
        ...(noLocal && { noLocal }),
        ...(retainAsPublished && { retainAsPublished }),
        ...(retainHandling > 0 && { retainHandling }),
        ...(identifier > 0 && { identifier }),
      };
    }
    case 'delivery':
      return deliveryRow(fact);
    case 'retained':
      return { kind: 'retained', message: fact.storeId };
    case 'will': {
      const { clientId, message, delaySeconds, dueAtMs } = fact;
      return {
        ...{ kind: 'will', clientId },
        ...(delaySeconds > 0 && { delaySeconds }),
        ...(dueAtMs > 0 && { dueAt: timeText(dueAtMs) }),
        message: messageRow(message),
      };
    }
  }
}

function deliveryRow(fact: DeliveryFact): Row {
  const { clientId, direction, storeId, sequence, qos, retain, dup, state, subscriptionIds } = fact;
  if (direction === 'in' || state === DeliveryState.awaitingPubrel) {
    return { kind: 'received', clientId, message: storeId, packetId: sequence };
  }
  return {
    ...{ kind: 'delivery', clientId },
    ...(storeId > 0 && { message: storeId }),
    ...(sequence > 0 && { sequence }),
    ...{ qos, state: stateNames[state] },
    ...(retain && { retain }),
    ...(dup && { dup }),
    ...(subscriptionIds.length > 0 && { subscriptionIdentifiers: subscriptionIds }),
  };
}

function messageRow(message: Message): Row {
  const { topic, qos, retain, publisher, publisherPacketId, expiresAtMs, payload } = message;
  const { clientId, username, listenerPort } = publisher;
  const properties = propertyRows(message);
  return {
    ...{ topic: topic.name, qos },
    ...(retain && { retain }),
    publisher: {
      clientId,
      ...(username !== null && { username }),
      ...(listenerPort > 0 && { port: listenerPort }),
      ...(publisherPacketId > 0 && { packetId: publisherPacketId }),
    },
    ...(expiresAtMs > 0 && { expiresAt: timeText(expiresAtMs) }),
    ...(properties.length > 0 && { properties }),
    ...(isUtf8(payload) ? { payload: payload.toString('utf8') } : { payloadBase64: payload.toString('base64') }),
  };
}

/** Name and value, for a User Property name, key and value, in their order; Message Expiry Interval is not among them. */
function propertyRows(message: Message): (string | number)[][] {
  const length = storedPropertiesLength(message);
  if (length === 0) return [];
  const writer = new ByteWriter(length);
  writeStoredProperties(writer, message);
  return storedProperties(new ByteReader(writer.bytes, 0, length), length).map((property) => {
    const { identifier, value } = property;
    if (identifier === 'user-property') return [identifier, property.name, value];
    return [identifier, typeof value === 'object' ? value.toString('base64') : value];
  });
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
