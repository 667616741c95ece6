/** MQTT.js clients as a user would write them, with an inbox that a test can wait at. */
import mqtt, {
  type IClientOptions,
  type IClientPublishOptions,
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  type MqttClient,
} from 'mqtt';
import type { Resources } from '../harness/resources.ts';
import { patienceMs, waitFor } from '../harness/wait.ts';

/** A PUBLISH as MQTT.js hands it to the application. */
export interface Arrived {
  readonly topic: string;
  readonly text: string;
  readonly packet: IPublishPacket;
}

/** The protocol level: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type Version = 3 | 4 | 5;

/** What a test says about a client; the rest is the same for all. */
export type ClientOptions = Omit<IClientOptions, 'protocolVersion' | 'protocolId'>;

export class OracleClient {
  readonly mqtt: MqttClient;
  readonly connack: IConnackPacket;
  /** Messages that no test has taken yet. */
  readonly inbox: Arrived[] = [];
  /** The server's DISCONNECT, once it has come. */
  serverDisconnect: IDisconnectPacket | undefined;
  #isClosed = false;

  private constructor(client: MqttClient, connack: IConnackPacket) {
    this.mqtt = client;
    this.connack = connack;
  }

  /**
   * Connects.
   *
   * Messages of a kept session come right behind CONNACK, so the inbox is there before the connection is.
   *
   * @throws what MQTT.js reports when the server refuses
   */
  static async connect(
    resources: Resources,
    url: string,
    version: Version,
    options: ClientOptions = {},
  ): Promise<OracleClient> {
    const client = mqtt.connect(url, {
      protocolVersion: version,
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      reconnectPeriod: 0,
      connectTimeout: patienceMs,
      ...options,
    });
    resources.add({ close: () => client.endAsync(true) });
    const early: Arrived[] = [];
    const take = (topic: string, payload: Buffer, packet: IPublishPacket): void => {
      early.push({ topic, text: payload.toString(), packet });
    };
    client.on('message', take);
    const connack = await new Promise<IConnackPacket>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed before CONNACK')));
    });
    const self = new OracleClient(client, connack);
    client.off('message', take);
    self.inbox.push(...early);
    client.on('message', (topic, payload, packet) => {
      self.inbox.push({ topic, text: payload.toString(), packet });
    });
    client.on('disconnect', (packet) => {
      self.serverDisconnect = packet;
    });
    client.on('close', () => {
      self.#isClosed = true;
    });
    client.on('error', () => {});
    return self;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next message. */
  async next(): Promise<Arrived> {
    await waitFor('a message', () => this.inbox.length > 0);
    return this.inbox.shift() as Arrived;
  }

  /** The texts of all messages up to the one that says `marker`, without it. */
  async textsUntil(marker: string): Promise<string[]> {
    const isMarker = ({ text }: Arrived): boolean => text === marker;
    await waitFor(`the marker "${marker}"`, () => this.inbox.some(isMarker));
    const end = this.inbox.findIndex(isMarker);
    return this.inbox
      .splice(0, end + 1)
      .slice(0, -1)
      .map(({ text }) => text);
  }

  async publish(topic: string, payload: string | Buffer, options: IClientPublishOptions = {}): Promise<void> {
    await this.mqtt.publishAsync(topic, payload, options);
  }

  /** Says DISCONNECT, with which a Will is not sent, and waits for the end. */
  async disconnect(options: Partial<IDisconnectPacket> = {}): Promise<void> {
    await this.mqtt.endAsync(false, options);
  }

  /** The network fails: no DISCONNECT. */
  async cutOff(): Promise<void> {
    this.mqtt.stream.destroy();
    await this.closed();
  }

  /** Waits until the connection is over. */
  async closed(): Promise<void> {
    await waitFor('the connection to close', () => this.#isClosed);
  }
}
