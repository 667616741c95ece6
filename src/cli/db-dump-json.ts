/** `--json`: the whole database as one object, printed as the C library behind Mosquitto prints. */
import { ByteReader } from '../store/byte-reader.ts';
import {
  readStoredClient,
  readStoredDelivery,
  readStoredId,
  readStoredMessage,
  readStoredSubscription,
} from '../store/database-bodies.ts';
import type { Chunk } from '../store/database-chunks.ts';
import { ChunkType } from '../store/database-format.ts';
import { type StoredProperty, storedProperties } from '../store/stored-properties.ts';
import type { ChunkDump } from './db-dump.ts';
import { jsonArray, jsonObject, latin1Of, quoteJson } from './json-text.ts';
import type { ToolIo } from './tool-io.ts';

type Value = string | number | bigint | { readonly json: string };

/** Depth of the objects in the lists: they stand in an array in the outermost object. */
const rowDepth = 2;

export class JsonDump implements ChunkDump {
  readonly #io: ToolIo;
  readonly #messages: string[] = [];
  readonly #clients: string[] = [];
  readonly #deliveries: string[] = [];
  readonly #retained: string[] = [];
  readonly #subscriptions: string[] = [];

  constructor(io: ToolIo) {
    this.#io = io;
  }

  header(): void {}

  chunk(chunk: Chunk, version: number): void {
    const reader = new ByteReader(chunk.bytes, chunk.start, chunk.end);
    switch (chunk.type) {
      case ChunkType.message:
        this.#messages.push(messageRow(reader, version));
        break;
      case ChunkType.client: {
        const client = readStoredClient(reader, version);
        this.#clients.push(
          row([
            ['clientid', client.clientId],
            ...(client.username === '' ? [] : ([['username', client.username]] as const)),
            ['session-expiry-time', client.expirySeconds],
            ['session-expiry-interval', client.expiryIntervalSeconds],
            ['last-mid', client.lastPacketId],
            ['listener-port', client.listenerPort],
          ]),
        );
        break;
      }
      case ChunkType.delivery: {
        const delivery = readStoredDelivery(reader, version);
        this.#deliveries.push(
          row([
            ['clientid', delivery.clientId],
            // Mosquitto prints the Subscription Identifier here, which is of no use to anybody.
            ['storeid', delivery.id],
            ['mid', delivery.packetId],
            ['qos', delivery.qos],
            ['state', delivery.state],
            ['retain-dup', (delivery.retain ? 0x10 : 0) | (delivery.dup ? 1 : 0)],
            ['direction', delivery.isOut ? 1 : 0],
            ['subscription-identifier', delivery.subscriptionIds[0] ?? 0],
          ]),
        );
        break;
      }
      case ChunkType.retained:
        this.#retained.push(row([['storeid', readStoredId(reader)]]));
        break;
      case ChunkType.subscription: {
        const { clientId, filter, qos, options, identifier } = readStoredSubscription(reader, version);
        this.#subscriptions.push(
          row([
            ['clientid', clientId],
            ['topic', filter],
            ['qos', qos],
            ['options', options],
            ['identifier', identifier],
          ]),
        );
        break;
      }
      default:
    }
  }

  end(): void {
    const writer = jsonObject(true, 0);
    writer.member('base-messages', jsonArray(this.#messages, true));
    writer.member('clients', jsonArray(this.#clients, true));
    writer.member('client-messages', jsonArray(this.#deliveries, true));
    writer.member('retained-messages', jsonArray(this.#retained, true));
    writer.member('subscriptions', jsonArray(this.#subscriptions, true));
    this.#io.stdout.write(Buffer.from(`${writer.end()}\n`, 'latin1'));
  }
}

function messageRow(reader: ByteReader, version: number): string {
  const message = readStoredMessage(reader, version);
  const properties = storedProperties(reader, message.propertiesLength).map(propertyRow);
  return row([
    ['storeid', message.id],
    ['expiry-time', message.expirySeconds],
    ['source-mid', message.publisherPacketId],
    ['source-port', message.listenerPort],
    ['qos', message.qos],
    ['retain', message.retain],
    ['topic', message.topicName],
    ['clientid', message.clientId],
    ...(message.username === '' ? [] : ([['username', message.username]] as const)),
    ['payload', reader.bytes.toString('base64', message.payloadStart, message.payloadEnd)],
    ...(properties.length === 0 ? [] : ([['properties', { json: jsonArray(properties, true) }]] as const)),
  ]);
}

function propertyRow(property: StoredProperty): string {
  const { identifier, value } = property;
  return row(
    [
      ['identifier', identifier],
      ...(identifier === 'user-property' ? ([['name', property.name]] as const) : []),
      ['value', typeof value === 'object' ? value.toString('hex').toUpperCase() : value],
    ],
    rowDepth + 2,
  );
}

function row(members: readonly (readonly [string, Value])[], depth = rowDepth): string {
  const writer = jsonObject(true, depth);
  for (const [name, value] of members) writer.member(name, valueText(value));
  return writer.end();
}

function valueText(value: Value): string {
  if (typeof value === 'object') return value.json;
  return typeof value === 'string' ? quoteJson(latin1Of(value)) : String(value);
}
