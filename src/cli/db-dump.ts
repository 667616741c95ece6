/**
 * `moustique_db_dump`: what is in a `mosquitto.db` of any version, in the layout of Mosquitto's tool, and in a segment of the
 * journal beside it.
 */
import { isUtf8 } from 'node:buffer';
import { ByteReader, FormatError } from '../store/byte-reader.ts';
import type { StoredMessage } from '../store/database-bodies.ts';
import {
  readConfig,
  readStoredClient,
  readStoredDelivery,
  readStoredId,
  readStoredMessage,
  readStoredSubscription,
} from '../store/database-bodies.ts';
import type { Chunk } from '../store/database-chunks.ts';
import { DatabaseChunks } from '../store/database-chunks.ts';
import { ChunkType } from '../store/database-format.ts';
import type { ReadableFile } from '../store/disk.ts';
import { readWhole, systemDisk } from '../store/disk.ts';
import { segmentMagic } from '../store/segment-format.ts';
import { storedProperties } from '../store/stored-properties.ts';
import { dumpJournal, dumpOwnPart } from './db-dump-journal.ts';
import { JsonDump } from './db-dump-json.ts';
import type { ToolIo } from './tool-io.ts';
import { versionText } from './version-text.ts';

const FAILED = 1;
type Mode = 'plain' | 'stats' | 'client-stats' | 'json';
const modes: Readonly<Record<string, Mode>> = {
  '--stats': 'stats',
  '--client-stats': 'client-stats',
  '--json': 'json',
};

/** @returns the exit status */
export async function main(words: readonly string[], io: ToolIo): Promise<number> {
  if (words[0] === '--version') {
    io.stdout.text(versionText(io.name));
    return FAILED;
  }
  const mode = words.length === 2 ? modes[words[0] ?? ''] : 'plain';
  const path = words.at(-1);
  if (mode === undefined || path === undefined || words.length > 2 || path === '--help') {
    io.error('Usage: db_dump [--stats | --client-stats | --json] <mosquitto db filename>\n');
    return FAILED;
  }
  let file: ReadableFile | null;
  try {
    file = systemDisk().openToRead(path);
  } catch {
    file = null;
  }
  if (file === null) {
    // Mosquitto: says so and ends with 0.
    io.error(`Error: Unable to open ${path}\n`);
    return 0;
  }
  try {
    return isSegment(file) ? dumpSegment(path, mode, io) : dumpDatabase(file, mode, io);
  } finally {
    file.close();
  }
}

function isSegment(file: ReadableFile): boolean {
  const magic = Buffer.alloc(segmentMagic.length);
  return file.read(magic, 0, magic.length, 0) === magic.length && magic.equals(segmentMagic);
}

function dumpSegment(path: string, mode: Mode, io: ToolIo): number {
  const bytes = readWhole(systemDisk(), path) ?? Buffer.alloc(0);
  return dumpJournal(bytes, mode === 'stats' ? 'stats' : mode === 'json' ? 'json' : 'plain', io) ? 0 : FAILED;
}

/** What a dump does with each chunk; one per mode. */
export interface ChunkDump {
  header(checksum: number, version: number): void;
  chunk(chunk: Chunk, version: number): void;
  end(): void;
}

function dumpDatabase(file: ReadableFile, mode: Mode, io: ToolIo): number {
  let isDamaged = false;
  const report = (offset: number, length: number, what: string): void => {
    isDamaged = true;
    io.error(`Error: ${what} (${length} bytes at offset ${offset}).\n`);
  };
  try {
    const chunks = new DatabaseChunks(file, report);
    const dump = dumpOf(mode, io);
    const head = Buffer.alloc(4);
    file.read(head, 0, 4, 15);
    dump.header(head.readUInt32BE(), chunks.version);
    const own = chunks.own();
    for (const chunk of chunks.chunks(own?.table ?? null)) dump.chunk(chunk, chunks.version);
    dump.end();
    if (own !== null && mode === 'plain') dumpOwnPart(own, chunks.mark, io);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (/^(Unrecognised|Unsupported|Written)/.test(error.message)) {
      io.error(`Error: ${error.message}\n`);
      return FAILED;
    }
    isDamaged = true;
  }
  if (isDamaged) io.error('Error: Corrupt persistent database.\n');
  return isDamaged ? FAILED : 0;
}

function dumpOf(mode: Mode, io: ToolIo): ChunkDump {
  switch (mode) {
    case 'plain':
      return plainDump(io);
    case 'stats':
      return statsDump(io);
    case 'client-stats':
      return clientStatsDump(io);
    case 'json':
      return new JsonDump(io);
  }
}

/** Text as it lies in the file. */
function line(io: ToolIo, text: string): void {
  io.stdout.text(`${text}\n`);
}

function plainDump(io: ToolIo): ChunkDump {
  const field = (name: string, value: string | number | bigint): void => line(io, `\t${name}: ${value}`);
  return {
    header(checksum, version) {
      line(io, 'Mosquitto DB dump');
      line(io, `CRC: ${checksum}`);
      line(io, `DB version: ${version}`);
    },
    chunk(chunk, version) {
      const reader = new ByteReader(chunk.bytes, chunk.start, chunk.end);
      const begin = (name: string): void => {
        line(io, `DB_CHUNK_${name}:`);
        field('Length', chunk.end - chunk.start);
      };
      switch (chunk.type) {
        case ChunkType.config: {
          begin('CFG');
          const { isShutdown, idSize, lastId } = readConfig(reader, version);
          field('Shutdown', isShutdown);
          field('DB ID size', idSize);
          field('Last DB ID', lastId);
          break;
        }
        case ChunkType.message:
          begin('BASE_MSG');
          plainMessage(io, readStoredMessage(reader, version), reader);
          break;
        case ChunkType.client: {
          begin('CLIENT');
          const client = readStoredClient(reader, version);
          field('Client ID', client.clientId);
          if (client.username !== '') field('Username', client.username);
          if (client.listenerPort > 0) field('Listener port', client.listenerPort);
          field('Last MID', client.lastPacketId);
          field('Session expiry time', client.expirySeconds);
          field('Session expiry interval', client.expiryIntervalSeconds);
          break;
        }
        case ChunkType.delivery: {
          begin('CLIENT_MSG');
          const delivery = readStoredDelivery(reader, version);
          field('Client ID', delivery.clientId);
          field('Store ID', delivery.id);
          field('MID', delivery.packetId);
          field('QoS', delivery.qos);
          field('Retain', delivery.retain ? 1 : 0);
          field('Direction', delivery.isOut ? 1 : 0);
          field('State', delivery.state);
          field('Dup', delivery.dup ? 1 : 0);
          for (const identifier of delivery.subscriptionIds) field('Subscription identifier', identifier);
          break;
        }
        case ChunkType.subscription: {
          begin('SUB');
          const subscription = readStoredSubscription(reader, version);
          field('Client ID', subscription.clientId);
          field('Topic', subscription.filter);
          field('QoS', subscription.qos);
          field('Subscription ID', subscription.identifier);
          field('Options', `0x${subscription.options.toString(16).toUpperCase().padStart(2, '0')}`);
          break;
        }
        case ChunkType.retained:
          begin('RETAIN');
          field('Store ID', readStoredId(reader));
          break;
        default:
          io.error(
            `Warning: Unsupported chunk "${chunk.type}" of length ${chunk.end - chunk.start} in persistent database file.\n`,
          );
      }
    },
    end() {},
  };
}

function plainMessage(io: ToolIo, message: StoredMessage, reader: ByteReader): void {
  const payload = reader.bytes.subarray(message.payloadStart, message.payloadEnd);
  const field = (name: string, value: string | number | bigint): void => line(io, `\t${name}: ${value}`);
  field('Store ID', message.id);
  field('Source Port', message.listenerPort);
  field('Source MID', message.publisherPacketId);
  field('Topic', message.topicName);
  field('QoS', message.qos);
  field('Retain', message.retain);
  field('Payload Length', payload.length);
  field('Expiry Time', message.expirySeconds);
  if (payload.length > 0 && payload.length < 256 && isUtf8(payload) && !payload.includes(0)) {
    field('Payload', payload.toString('utf8'));
  }
  if (message.propertiesLength === 0) return;
  line(io, '\tProperties:');
  for (const property of storedProperties(reader, message.propertiesLength)) {
    switch (property.identifier) {
      case 'payload-format-indicator':
        line(io, `\t\tPayload format indicator: ${property.value}`);
        break;
      case 'content-type':
        line(io, `\t\tContent type: ${property.value}`);
        break;
      case 'response-topic':
        line(io, `\t\tResponse topic: ${property.value}`);
        break;
      case 'correlation-data':
        line(io, `\t\tCorrelation data: ${property.value.toString('hex').toUpperCase()}`);
        break;
      case 'user-property':
        line(io, `\t\tUser property: ${property.name} , ${property.value}`);
        break;
    }
  }
}

/** Chunk type → name, in the order of Mosquitto's list. */
const statNames: readonly (readonly [number, string])[] = [
  [ChunkType.config, 'CFG'],
  [ChunkType.message, 'BASE_MSG'],
  [ChunkType.delivery, 'CLIENT_MSG'],
  [ChunkType.retained, 'RETAIN'],
  [ChunkType.subscription, 'SUB'],
  [ChunkType.client, 'CLIENT'],
];

function statsDump(io: ToolIo): ChunkDump {
  /** Chunk type → how many. */
  const counts = new Map<number, number>();
  return {
    header() {},
    chunk({ type }) {
      counts.set(type, (counts.get(type) ?? 0) + 1);
    },
    end() {
      for (const [type, name] of statNames) line(io, `${`DB_CHUNK_${name}:`.padEnd(21)}${counts.get(type) ?? 0}`);
    },
  };
}

interface ClientCounts {
  subscriptions: number;
  subscriptionBytes: number;
  messages: number;
  messageBytes: number;
}

function clientStatsDump(io: ToolIo): ChunkDump {
  /** Client Identifier → counts. */
  const clients = new Map<string, ClientCounts>();
  /** Store id → length of the message's chunk. */
  const lengths = new Map<number | bigint, number>();
  const countsOf = (clientId: string): ClientCounts => {
    let counts = clients.get(clientId);
    if (counts === undefined) {
      counts = { subscriptions: 0, subscriptionBytes: 0, messages: 0, messageBytes: 0 };
      clients.set(clientId, counts);
    }
    return counts;
  };
  return {
    header() {},
    chunk(chunk, version) {
      const reader = new ByteReader(chunk.bytes, chunk.start, chunk.end);
      const length = chunk.end - chunk.start;
      if (chunk.type === ChunkType.message) lengths.set(readStoredMessage(reader, version).id, length);
      else if (chunk.type === ChunkType.client) countsOf(readStoredClient(reader, version).clientId);
      else if (chunk.type === ChunkType.subscription) {
        const counts = countsOf(readStoredSubscription(reader, version).clientId);
        counts.subscriptions++;
        counts.subscriptionBytes += length;
      } else if (chunk.type === ChunkType.delivery) {
        const { clientId, id } = readStoredDelivery(reader, version);
        const counts = countsOf(clientId);
        counts.messages++;
        counts.messageBytes += length + (lengths.get(id) ?? 0);
      }
    },
    end() {
      for (const [clientId, { subscriptions, subscriptionBytes, messages, messageBytes }] of clients) {
        line(io, `SC: ${subscriptions} SS: ${subscriptionBytes} MC: ${messages} MS: ${messageBytes}   ${clientId}`);
      }
    },
  };
}
