/**
 * The public API as the compiler sees it. Nothing here runs: `npm run lint` fails when a line that must compile does not, or
 * one under `@ts-expect-error` does.
 */
import { expectTypeOf } from 'vitest';
import {
  type BrokerStats,
  type ConnectedClient,
  createBroker,
  type MessageProperties,
  type OpenListener,
  type Publisher,
  ReasonCode,
  type ReceivedMessage,
} from '../../src/index.ts';

export function optionsThatCompile(): void {
  createBroker();
  createBroker({});
  createBroker({ allowAnonymous: true, maxInflightMessages: 100, logType: ['error', 'debug'] });
  createBroker({ listeners: [{ port: 0, host: '::1', protocol: 'websockets', maxQos: 1 }, { path: '/run/s' }] });
  createBroker({ persistence: true, persistenceLocation: undefined, passwordFile: null });
  createBroker({ authenticate: () => true, authorize: () => Promise.resolve(false), log: console.log });
  createBroker({ authenticate: async ({ username }) => username === 'anne' });
  createBroker({ authenticate: () => ({ reasonCode: ReasonCode.Banned }) });
  createBroker({ authenticate: () => ({ reasonCode: 0x86 }) });
  createBroker({
    authorize: ({ clientId, username }, action, topic) => action === 'publish' || topic === clientId + username,
  });
  createBroker({ log: (type, line) => (type === 'error' ? console.error(line) : undefined) });
}

export function optionsThatDoNot(): void {
  // @ts-expect-error no such option
  createBroker({ alowAnonymous: true });
  // @ts-expect-error names are in camelCase
  createBroker({ allow_anonymous: true });
  // @ts-expect-error a number is wanted
  createBroker({ maxKeepalive: '60' });
  // @ts-expect-error an option of listeners, not of the broker
  createBroker({ maxQos: 1 });
  // @ts-expect-error no such protocol
  createBroker({ listeners: [{ protocol: 'ws' }] });
  // @ts-expect-error no such QoS
  createBroker({ listeners: [{ maxQos: 3 }] });
  // @ts-expect-error no such type of line
  createBroker({ logType: ['all'] });
  // @ts-expect-error belongs to a process
  createBroker({ user: 'root' });
  // @ts-expect-error belongs to a process
  createBroker({ pidFile: '/run/pid' });
  // @ts-expect-error true, false or a Refusal
  createBroker({ authenticate: () => 'yes' });
  // @ts-expect-error Success is no refusal
  createBroker({ authenticate: () => ({ reasonCode: ReasonCode.Success }) });
  // @ts-expect-error not a code of CONNACK
  createBroker({ authenticate: () => ({ reasonCode: ReasonCode.SessionTakenOver }) });
  // @ts-expect-error true or false
  createBroker({ authorize: () => {} });
  // @ts-expect-error a function is wanted
  createBroker({ log: true });
  // @ts-expect-error the clock is not public
  createBroker({ clock: { nowMs: () => 0 } });
}

export async function results(): Promise<void> {
  const broker = createBroker();
  expectTypeOf<Awaited<ReturnType<typeof broker.listen>>>().toEqualTypeOf<readonly OpenListener[]>();
  expectTypeOf<ReturnType<typeof broker.publish>>().toEqualTypeOf<number>();
  expectTypeOf<ReturnType<typeof broker.subscribe>>().toEqualTypeOf<() => void>();
  expectTypeOf<typeof broker.clients>().toEqualTypeOf<readonly ConnectedClient[]>();
  expectTypeOf<typeof broker.stats>().toEqualTypeOf<BrokerStats>();
  expectTypeOf<BrokerStats['publishDropped']>().toEqualTypeOf<number>();
  await broker.close();
  // @ts-expect-error read-only
  broker.stats.publishReceived = 0;
  // @ts-expect-error read-only
  broker.clients = [];
}

export function messages(): void {
  const broker = createBroker();
  broker.publish('a', 'x');
  broker.publish('a', new Uint8Array(3), { qos: 2, retain: true });
  broker.publish('a', Buffer.from('x'), {
    properties: { userProperties: [['a', 'b']], correlationData: Uint8Array.of(1) },
  });
  // @ts-expect-error text or bytes
  broker.publish('a', { json: true });
  // @ts-expect-error no such QoS
  broker.publish('a', 'x', { qos: 3 });
  // @ts-expect-error belongs to a connection, not to a message
  broker.publish('a', 'x', { properties: { topicAlias: 1 } });
  // @ts-expect-error pairs, because names may repeat
  broker.publish('a', 'x', { properties: { userProperties: { a: 'b' } } });
  const end = broker.subscribe('a/#', (message) => {
    expectTypeOf<typeof message>().toEqualTypeOf<ReceivedMessage>();
    expectTypeOf<typeof message.payload>().toEqualTypeOf<Buffer>();
    expectTypeOf<typeof message.publisher>().toEqualTypeOf<Publisher | null>();
    expectTypeOf<typeof message.properties>().toEqualTypeOf<MessageProperties>();
    // @ts-expect-error read-only
    message.topic = 'b';
  });
  end();
  broker.subscribe('a', async () => {});
  // What was received can be published again as it is.
  broker.subscribe('in', ({ payload, qos, retain, properties }) =>
    broker.publish('out', payload, { qos, retain, properties }),
  );
}

export function events(): void {
  const broker = createBroker();
  broker.on('connect', (client) => expectTypeOf<typeof client>().toEqualTypeOf<ConnectedClient>());
  broker.on('disconnect', (_client, reason) => expectTypeOf<typeof reason>().toEqualTypeOf<string>());
  broker.on('subscribe', (client, filter, qos) => {
    expectTypeOf<[typeof client, typeof filter, typeof qos]>().toEqualTypeOf<[Publisher, string, 0 | 1 | 2]>();
  });
  broker.on('unsubscribe', async (_client, filter) => filter.length);
  broker.on('publish', (message) => expectTypeOf<typeof message>().toEqualTypeOf<ReceivedMessage>());
  // @ts-expect-error no such event
  broker.on('client', () => {});
  // @ts-expect-error a message is no client
  broker.on('publish', (client: ConnectedClient) => client.address);
  broker.kick('anne', { reasonCode: ReasonCode.UseAnotherServer, endSession: true });
  // @ts-expect-error not a code of DISCONNECT that a broker sends
  broker.kick('anne', { reasonCode: ReasonCode.Success });
}
