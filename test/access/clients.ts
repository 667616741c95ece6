/** Clients for the tests of this folder: they remember what they are given, over TCP or WebSocket, MQTT 3.1.1 or 5.0. */
import {
  Client,
  ClientError,
  type ClientSettings,
  type DialTarget,
  type PublishOptions,
} from '../../src/client/index.ts';
import type { TestBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';

/** How a client speaks. */
export interface Way {
  readonly transport: 'tcp' | 'ws';
  readonly version: 4 | 5;
}

/** Every way, for `describe.each`; the configuration has `{port}` for TCP and `{wsport}` for WebSocket. */
export const ways: readonly (readonly [name: string, way: Way])[] = [
  ['MQTT 3.1.1 over TCP', { transport: 'tcp', version: 4 }],
  ['MQTT 5.0 over TCP', { transport: 'tcp', version: 5 }],
  ['MQTT 3.1.1 over WebSocket', { transport: 'ws', version: 4 }],
  ['MQTT 5.0 over WebSocket', { transport: 'ws', version: 5 }],
];

/** The listeners that {@link ways} need. */
export const listeners = ['listener {port} 127.0.0.1', 'listener {wsport} 127.0.0.1', 'protocol websockets'];

export interface ClientOptions extends Partial<Omit<ClientSettings, 'target' | 'username' | 'password' | 'clientId'>> {
  readonly id?: string;
  readonly user?: string;
  readonly password?: string;
}

export class TestClient {
  /** `TOPIC PAYLOAD` of everything received, in order. */
  readonly received: string[] = [];
  readonly client: Client;
  /** Why the connection ended; undefined while it is open. */
  ending: ClientError | undefined;

  constructor(target: DialTarget, way: Way, options: ClientOptions) {
    const { id, user, password, ...settings } = options;
    this.client = new Client({
      ...settings,
      target,
      protocolVersion: way.version,
      ...(id === undefined ? {} : { clientId: id }),
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      onMessage: (message) => {
        this.received.push(`${message.topic} ${message.payload.toString()}`);
      },
      onDisconnect: (error) => {
        this.ending = error;
      },
    });
  }

  async subscribe(...filters: string[]): Promise<readonly number[]> {
    return (await this.client.subscribe(filters.map((filter) => ({ filter, qos: 1 })))).reasonCodes;
  }

  /** Publishes with QoS 1 unless told. @returns the Reason Code of the acknowledgement, also when it says no */
  async publish(topic: string, payload: string, options: PublishOptions = { qos: 1 }): Promise<number> {
    try {
      return (await this.client.publish(topic, payload, options)).reasonCode;
    } catch (error) {
      if (error instanceof ClientError && error.kind === 'rejected') return error.reasonCode ?? -1;
      throw error;
    }
  }

  /** What came up to and without a message with this payload. */
  async until(payload: string): Promise<string[]> {
    const at = await waitFor(
      () => `"${payload}"; received: ${this.received.join(', ')}`,
      () => {
        const index = this.received.findIndex((message) => message.endsWith(` ${payload}`));
        return index < 0 ? undefined : { index };
      },
    );
    return this.received.splice(0, at.index + 1).slice(0, -1);
  }

  close(): void {
    this.client.destroy();
  }
}

/** Connects a client; it is closed at the end of the test. @throws ClientError - `refused` */
export async function connect(
  resources: Resources,
  broker: TestBroker,
  way: Way,
  options: ClientOptions = {},
): Promise<TestClient> {
  const client = new TestClient(targetOf(broker, way), way, options);
  resources.add(client);
  await client.client.start();
  return client;
}

/** The Reason Code (MQTT 3.1.1: the one that means the return code) with which a client is refused, 0 when it is not. */
export async function refusalOf(
  resources: Resources,
  broker: TestBroker,
  way: Way,
  options: ClientOptions,
): Promise<number> {
  try {
    await connect(resources, broker, way, options);
    return 0;
  } catch (error) {
    if (error instanceof ClientError && error.kind === 'refused') return error.reasonCode ?? -1;
    throw error;
  }
}

function targetOf(broker: TestBroker, { transport }: Way): DialTarget {
  const websocket = transport === 'ws' ? { websocket: { path: '/mqtt', subprotocol: 'mqtt' } } : {};
  return { address: { host: '127.0.0.1', port: broker.port(transport === 'ws' ? 'wsport' : 'port') }, ...websocket };
}
