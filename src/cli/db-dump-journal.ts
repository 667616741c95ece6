/** The journal, and the own part of a snapshot, record by record. */
import { ByteReader } from '../store/byte-reader.ts';
import type { OwnPart } from '../store/database-chunks.ts';
import type { SnapshotMark } from '../store/database-format.ts';
import type { RecordSink } from '../store/fact-codec.ts';
import { Interner, readRecord } from '../store/fact-codec.ts';
import { RecordType, recordEnd, recordHeaderSize, recordIsIntact } from '../store/record.ts';
import { readSegmentHeader, segmentVersion } from '../store/segment-format.ts';
import { nextFrame, scanSegment } from '../store/segment-scan.ts';
import type { ToolIo } from './tool-io.ts';

type Fields = Readonly<Record<string, unknown>>;
type Message = Parameters<RecordSink['message']>[0];

/** @returns whether everything could be read */
export function dumpJournal(bytes: Buffer, mode: 'plain' | 'stats' | 'json', io: ToolIo): boolean {
  const { header, newerVersion } = readSegmentHeader(bytes);
  if (newerVersion > 0 || header === null) {
    const what =
      header === null ? 'Unrecognised file format.' : `Journal format ${newerVersion}, need ${segmentVersion}.`;
    io.error(`Error: ${what}\n`);
    return false;
  }
  const { stretches, syncedBatch } = scanSegment(bytes, header.salt);
  const counts = new Map<string, number>();
  const rows: Fields[] = [];
  let isIntact = true;
  if (mode === 'plain') {
    io.stdout.text(`Moustique journal\nSegment: ${header.number}\nFirst batch: ${header.firstBatch}\n`);
    io.stdout.text(`Last batch known to be on disk: ${syncedBatch}\n`);
  }
  for (const { number, start, end, isWhole } of stretches) {
    const name = number === 0 ? 'Unreadable stretch' : `Batch ${number}${isWhole ? '' : ' (damaged or cut off)'}`;
    if (mode === 'plain') io.stdout.text(`${name}: ${end - start} bytes at offset ${start}\n`);
    isIntact &&= isWhole;
    for (const [record, fields] of records(bytes, start, end, header.salt)) {
      counts.set(record, (counts.get(record) ?? 0) + 1);
      if (mode === 'plain') printRecord(io, record, fields);
      else if (mode === 'json') rows.push({ batch: number, record, ...fields });
    }
  }
  if (mode === 'stats') for (const [name, count] of counts) io.stdout.text(`${`${name}:`.padEnd(21)}${count}\n`);
  if (mode === 'json') io.stdout.text(`${JSON.stringify({ ...header, syncedBatch, records: rows }, null, '\t')}\n`);
  return isIntact;
}

/** What Mosquitto's chunks have no room for. */
export function dumpOwnPart(own: OwnPart, mark: SnapshotMark | null, io: ToolIo): void {
  io.stdout.text(`MOUSTIQUE:\n\tLength: ${own.end - own.start}\n`);
  if (mark !== null) {
    io.stdout.text(`\tLineage: ${mark.lineage}\n\tFirst batch of the journal: ${mark.firstBatch}\n`);
    io.stdout.text(`\tClean stop: ${mark.isClean ? 1 : 0}\n`);
  }
  for (const [record, fields] of records(own.bytes, own.start, own.end, own.salt)) printRecord(io, record, fields);
}

function printRecord(io: ToolIo, record: string, fields: Fields): void {
  const texts = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  io.stdout.text(`\t${record} ${texts.join(' ')}\n`);
}

function fieldText(value: unknown): string {
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function* records(bytes: Buffer, start: number, end: number, salt: number): Generator<readonly [string, Fields]> {
  const interner = new Interner();
  for (let at = start; at < end; ) {
    const next = recordEnd(bytes, at, end, salt);
    if (next === 0 || !recordIsIntact(bytes, at, next, salt)) {
      const resume = next > 0 ? next : nextFrame(bytes, at + 1, end, end, salt);
      yield ['damaged', { offset: at, bytes: resume - at }];
      at = resume;
      continue;
    }
    const type = bytes[at + 4] as number;
    const name = Object.entries(RecordType).find(([, number]) => number === type)?.[0] ?? String(type);
    yield [name, decode(type, new ByteReader(bytes, at + recordHeaderSize, next), interner)];
    at = next;
  }
}

function decode(type: number, reader: ByteReader, interner: Interner): Fields {
  if (type === RecordType.identifiers) return { row: reader.u64('row') };
  if (type === RecordType.batch || type === RecordType.synced) return {};
  let fields: Fields = {};
  const sink: RecordSink = {
    message: (message) => {
      fields = messageFields(message);
    },
    sessionPut: (session) => {
      fields = withoutKind(session);
    },
    sessionRemoved: (clientId) => {
      fields = { clientId };
    },
    subscriptionPut: (subscription) => {
      fields = withoutKind(subscription);
    },
    subscriptionRemoved: (clientId, filter) => {
      fields = { clientId, filter };
    },
    deliveryPut: (clientId, sequence, storeId, qos, retain, subscriptionIds) => {
      fields = { clientId, sequence, storeId, qos, retain, subscriptionIds };
    },
    deliveryReleased: (clientId, sequence) => {
      fields = { clientId, sequence };
    },
    deliveryRemoved: (clientId, sequence) => {
      fields = { clientId, sequence };
    },
    receivedPut: (clientId, packetId, storeId) => {
      fields = { clientId, packetId, storeId };
    },
    receivedRemoved: (clientId, packetId) => {
      fields = { clientId, packetId };
    },
    retainedPut: (storeId) => {
      fields = { storeId };
    },
    retainedRemoved: (topicName) => {
      fields = { topicName };
    },
    willPut: ({ clientId, delaySeconds, dueAtMs, message }) => {
      fields = { clientId, delaySeconds, dueAtMs, ...messageFields(message) };
    },
    willRemoved: (clientId) => {
      fields = { clientId };
    },
  };
  readRecord(type, reader, interner, sink);
  return fields;
}

function withoutKind(fact: object): Fields {
  return Object.fromEntries(Object.entries(fact).filter(([name]) => name !== 'kind'));
}

function messageFields(message: Message): Fields {
  const { storeId, topic, qos, retain, publisher, publisherPacketId, expiresAtMs, payloadLength } = message;
  const { clientId, username, listenerPort } = publisher;
  return {
    ...{ storeId, topic: topic.name, qos, retain, publisher: clientId, username, listenerPort, publisherPacketId },
    ...{ expiresAtMs, payloadLength },
  };
}
