/**
 * Reads a `mosquitto.db` of any Mosquitto from 1.4 on (versions 2 to 6), or one of ours, into facts.
 *
 * Store ids of a file of ours are kept, because the journal beside it refers to them; those of Mosquitto are 64 bits wide and
 * are counted anew from 1.
 */

import { createMessage } from '../contracts/message.ts';
import type { Fact, SessionFact } from '../contracts/store.ts';
import { DeliveryState, packetIdOf } from '../contracts/store.ts';
import { ByteReader, FormatError } from './byte-reader.ts';
import type { StoredClient, StoredDelivery, StoredId, StoredMessage } from './database-bodies.ts';
import {
  readConfig,
  readStoredClient,
  readStoredDelivery,
  readStoredId,
  readStoredMessage,
  readStoredSubscription,
} from './database-bodies.ts';
import type { Chunk, OwnPart, ReportDamage } from './database-chunks.ts';
import { DatabaseChunks } from './database-chunks.ts';
import type { SnapshotMark } from './database-format.ts';
import { ChunkType, placeholderStoreId } from './database-format.ts';
import type { ReadableFile } from './disk.ts';
import { checkedQos, Interner, readIdentifiers, readSubscription, readWill, subscriptionFact } from './fact-codec.ts';
import { readStoredProperties } from './message-properties.ts';
import { RecordType, recordEnd, recordHeaderSize, recordIsIntact } from './record.ts';

const never = 0xffff_ffff;
const noBytes = Buffer.alloc(0);

export interface DatabaseCounts {
  messages: number;
  retained: number;
  clients: number;
  subscriptions: number;
  deliveries: number;
}

export class DatabaseReader {
  readonly #chunks: DatabaseChunks;
  readonly #report: ReportDamage;
  readonly #nowMs: number;
  readonly #interner = new Interner();
  /** Store id in the file → store id given out here, where they differ. */
  readonly #renumbered = new Map<StoredId, number>();
  /** Row of a delivery → its Subscription Identifiers, where it has more than one. */
  readonly #identifiers = new Map<number, readonly number[]>();
  /** Client Identifier → number of its outgoing delivery read last. */
  readonly #sequences = new Map<string, number>();
  /** How many of each there were. */
  readonly counts: DatabaseCounts = { messages: 0, retained: 0, clients: 0, subscriptions: 0, deliveries: 0 };
  /** Types of chunks that were skipped because nobody knows them. */
  readonly unknownTypes = new Set<number>();

  /**
   * @param nowMs - wall clock; messages that have expired by then are left out
   * @param report - told of every stretch that could not be used; it costs what it held and what refers to that
   * @throws FormatError - with Mosquitto's words: not a database, or one of a newer version
   */
  constructor(file: ReadableFile, nowMs: number, report: ReportDamage) {
    this.#report = report;
    this.#nowMs = nowMs;
    this.#chunks = new DatabaseChunks(file, report);
  }

  /** Format version of the file, 2..6. */
  get version(): number {
    return this.#chunks.version;
  }

  /** What the snapshot says about its journal; null for a file that Mosquitto wrote. */
  get mark(): SnapshotMark | null {
    return this.#chunks.mark;
  }

  /** Whether we wrote the file. */
  get isOwn(): boolean {
    return this.#chunks.isOwn;
  }

  /** Everything in the file, messages first in a file of either kind; walked once. */
  *facts(): Generator<Fact> {
    const own = this.#chunks.own();
    const ownFacts = own === null ? [] : this.#ownFacts(own);
    for (const chunk of this.#chunks.chunks(own?.table ?? null)) {
      let fact: Fact | null = null;
      try {
        fact = this.#fact(chunk);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.#report(chunk.offset, chunk.end - chunk.start, `chunk of type ${chunk.type}: ${error.message}`);
      }
      if (fact !== null) yield fact;
    }
    yield* ownFacts;
  }

  #fact(chunk: Chunk): Fact | null {
    const reader = new ByteReader(chunk.bytes, chunk.start, chunk.end);
    const { version } = this;
    switch (chunk.type) {
      case ChunkType.config:
        if (readConfig(reader, version).idSize !== 8) throw new FormatError('store ids are not 64 bits wide');
        return null;
      case ChunkType.message:
        return this.#message(readStoredMessage(reader, version), reader, chunk.exact);
      case ChunkType.client:
        this.counts.clients++;
        return sessionFact(readStoredClient(reader, version), chunk.exact);
      case ChunkType.delivery:
        return this.#delivery(readStoredDelivery(reader, version), chunk);
      case ChunkType.subscription: {
        const { clientId, filter, qos, options, identifier } = readStoredSubscription(reader, version);
        this.counts.subscriptions++;
        return subscriptionFact(clientId, filter, (options & 0x3c) | checkedQos(qos), identifier);
      }
      case ChunkType.retained: {
        const storeId = this.#lookUp(readStoredId(reader));
        if (storeId === 0) return null;
        this.counts.retained++;
        return { kind: 'retained', storeId };
      }
      default:
        this.unknownTypes.add(chunk.type);
        return null;
    }
  }

  #message(stored: StoredMessage, reader: ByteReader, exactExpiryMs: number): Fact | null {
    const { id, expirySeconds, clientId, username, listenerPort, topicName, propertiesLength } = stored;
    const properties = readStoredProperties(reader, propertiesLength, expirySeconds > 0);
    if (topicName === '') throw new FormatError('a message has no Topic Name');
    const expiresAtMs = exactExpiryMs >= 0 ? exactExpiryMs : Math.max(expirySeconds, 0) * 1000;
    if (id === placeholderStoreId || (expiresAtMs > 0 && expiresAtMs <= this.#nowMs)) return null;
    const publisher = this.#interner.publisher(clientId, username === '' ? null : username, listenerPort);
    const message = createMessage(this.#interner.topic(topicName), publisher, {
      payload: noBytes,
      qos: checkedQos(stored.qos),
      retain: stored.retain !== 0,
      publisherPacketId: stored.publisherPacketId,
      properties: properties.bytes,
      expiryOffset: properties.expiryOffset,
      expiresAtMs,
    });
    this.#interner.slab.fill(message, reader.bytes, stored.payloadStart, stored.payloadEnd);
    message.storeId = this.#adopt(id);
    return { kind: 'message', message };
  }

  /** The store id of a message just read. */
  #adopt(id: StoredId): number {
    this.counts.messages++;
    if (this.#chunks.isOwn && typeof id === 'number') return id;
    const storeId = this.counts.messages;
    this.#renumbered.set(id, storeId);
    return storeId;
  }

  /** The store id of a message read before, 0 when there is none; in a file of ours nobody looks. */
  #lookUp(id: StoredId): number {
    if (this.#chunks.isOwn && typeof id === 'number') return id;
    return this.#renumbered.get(id) ?? 0;
  }

  #delivery(stored: StoredDelivery, chunk: Chunk): Fact | null {
    const { clientId, packetId, retain, dup, isOut } = stored;
    const subscriptionIds = this.#identifiers.get(chunk.row) ?? stored.subscriptionIds;
    const qos = checkedQos(stored.qos);
    const state = deliveryState(stored.state, isOut, qos);
    if (state === null) return null;
    const direction = isOut ? 'out' : 'in';
    // Only the Packet Identifier is needed once PUBREC has come.
    const storeId = state === DeliveryState.awaitingPubcomp ? 0 : this.#lookUp(stored.id);
    if (storeId === 0 && state !== DeliveryState.awaitingPubcomp) return null;
    const sequence = isOut && qos > 0 ? this.#sequence(clientId, packetId, chunk.exact) : isOut ? 0 : packetId;
    this.counts.deliveries++;
    return { kind: 'delivery', clientId, direction, storeId, sequence, qos, retain, dup, state, subscriptionIds };
  }

  /** The number of an outgoing delivery: as written by us, or the next that has the Packet Identifier. */
  #sequence(clientId: string, packetId: number, exactSequence: number): number {
    let sequence = exactSequence;
    if (sequence <= 0) {
      if (packetId === 0) throw new FormatError('a QoS 1 or 2 delivery has no Packet Identifier');
      const last = this.#sequences.get(clientId) ?? 0;
      sequence = last + ((packetId - packetIdOf(last + 1) + 65_535) % 65_535) + 1;
    }
    this.#sequences.set(clientId, sequence);
    return sequence;
  }

  /** Shared subscriptions and wills; the identifiers of deliveries are put where the deliveries find them. */
  #ownFacts(own: OwnPart): Fact[] {
    const { bytes, start, end, salt } = own;
    const facts: Fact[] = [];
    let at = start;
    while (at < end) {
      const limit = recordEnd(bytes, at, end, salt);
      if (limit > 0 && recordIsIntact(bytes, at, limit, salt)) {
        try {
          const fact = this.#ownFact(bytes, at, limit);
          if (fact !== null) facts.push(fact);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          this.#report(own.offset + at - start, limit - at, error.message);
        }
        at = limit;
        continue;
      }
      let next = limit > 0 ? limit : at + 1;
      while (next < end && recordEnd(bytes, next, end, salt) === 0) next++;
      this.#report(own.offset + at - start, next - at, 'a shared subscription, Will or list of identifiers is damaged');
      at = next;
    }
    return facts;
  }

  #ownFact(bytes: Buffer, start: number, end: number): Fact | null {
    const reader = new ByteReader(bytes, start + recordHeaderSize, end);
    switch (bytes[start + 4]) {
      case RecordType.subscriptionPut:
        this.counts.subscriptions++;
        return readSubscription(reader);
      case RecordType.identifiers:
        this.#identifiers.set(reader.u64('row'), readIdentifiers(reader));
        return null;
      case RecordType.willPut:
        return readWill(reader, this.#interner);
      default:
        return null;
    }
  }
}

/** Mosquitto's twelve states as the five that are kept; null for one that needs nothing any more. */
function deliveryState(state: number, isOut: boolean, qos: 0 | 1 | 2): DeliveryState | null {
  if (!isOut) return state === 8 ? null : DeliveryState.awaitingPubrel;
  switch (state) {
    case 3:
      return DeliveryState.awaitingPuback;
    case 5:
      return DeliveryState.awaitingPubrec;
    case 6:
    case 9:
      return DeliveryState.awaitingPubcomp;
    case 0:
    case 1:
    case 2:
    case 4:
    case 11:
      return DeliveryState.queued;
    default:
      throw new FormatError(`state ${state} of a QoS ${qos} delivery does not exist`);
  }
}

/** @param exactSequence - number of the last delivery, −1 when only its Packet Identifier is known */
function sessionFact(stored: StoredClient, exactSequence: number): SessionFact {
  const { clientId, username, listenerPort, lastPacketId, expirySeconds, expiryIntervalSeconds } = stored;
  return {
    kind: 'session',
    clientId,
    username: username === '' ? null : username,
    listenerPort,
    expiryIntervalSeconds,
    expiresAtMs: expirySeconds > 0 && expiryIntervalSeconds !== never ? expirySeconds * 1000 : 0,
    lastSequence: exactSequence >= 0 ? exactSequence : lastPacketId,
  };
}
