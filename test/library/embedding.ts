import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type CreateBrokerOptions, createBroker, type EmbeddedBroker, type ReceivedMessage } from '../../src/index.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';

/** A broker that listens, closed at the end of the test. */
export interface Started {
  readonly broker: EmbeddedBroker;
  /** Of the first listener. */
  readonly url: string;
}

/** Starts a broker on a free port of this machine, open to everybody unless told. */
export async function startBroker(resources: Resources, options: CreateBrokerOptions = {}): Promise<Started> {
  const broker = newBroker(resources, options);
  const [first] = await broker.listen();
  return { broker, url: first?.url ?? '' };
}

/** The same without starting it. */
export function newBroker(resources: Resources, options: CreateBrokerOptions = {}): EmbeddedBroker {
  const defaults = { listeners: [{ port: 0, host: '127.0.0.1' }] };
  const access = options.authenticate === undefined ? { allowAnonymous: true } : {};
  return resources.add(createBroker({ ...defaults, ...access, ...options }));
}

/** An MQTT 5.0 client, disconnected at the end of the test. */
export async function connect(resources: Resources, url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options }, false);
  resources.add({ close: () => client.endAsync(true) });
  return client;
}

/** The first `count` of what a handler gets. */
export class Inbox<T = ReceivedMessage> {
  readonly all: T[] = [];
  readonly add = (item: T): void => void this.all.push(item);

  async first(count: number): Promise<readonly T[]> {
    await waitFor(
      () => `${count} items, there are ${this.all.length}`,
      () => this.all.length >= count,
    );
    return this.all.slice(0, count);
  }

  /** Waits until an item fulfils the condition. */
  async until(condition: (item: T) => boolean): Promise<T> {
    return await waitFor('an item that fulfils a condition', () => this.all.find(condition));
  }
}

/** What a client gets, as `topic payload`. */
export function inboxOf(client: MqttClient): Inbox<string> {
  const inbox = new Inbox<string>();
  client.on('message', (topic, payload) => inbox.add(`${topic} ${payload.toString()}`));
  return inbox;
}

/** Why a connection is refused: the Reason Code or return code, undefined when it is closed without one. */
export async function refusalOf(url: string, options: IClientOptions): Promise<number | undefined> {
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  try {
    return await new Promise((resolve, reject) => {
      client.on('connect', () => reject(new Error('the client was let in')));
      client.on('error', (error) =>
        resolve('code' in error && typeof error.code === 'number' ? error.code : undefined),
      );
      client.on('close', () => resolve(undefined));
    });
  } finally {
    await client.endAsync(true);
  }
}

/** The properties of the first packet of the broker, which is CONNACK. */
export async function connackPropertiesOf(url: string, options: IClientOptions): Promise<unknown> {
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  try {
    return await new Promise((resolve) => {
      client.once('packetreceive', (packet) => resolve(packet.cmd === 'connack' ? packet.properties : packet));
    });
  } finally {
    await client.endAsync(true);
  }
}
