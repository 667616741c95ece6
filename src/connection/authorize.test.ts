import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { Broker } from '../broker/broker.ts';
import { defaultLimits } from '../broker/limits.ts';
import type { Authorizer } from '../contracts/authorizer.ts';
import type { Transport, TransportHandler } from '../contracts/transport.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Connection } from './connection.ts';
import { Hub } from './hub.ts';
import type { ListenerPolicy } from './policy.ts';

/** A peer that writes down what happens to it. */
class RecordingTransport implements Transport {
  readonly peer = { address: '192.0.2.1', port: 50_000, tls: null };
  handler: TransportHandler | null = null;
  readonly pendingBytes = 0;
  readonly written: string[] = [];
  pauses = 0;
  resumes = 0;

  write(bytes: Buffer): void {
    this.written.push(bytes.toString('hex'));
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.resumes++;
  }

  end(): void {}

  destroy(): void {}
}

const policy: ListenerPolicy = {
  port: 1883,
  authenticator: { authenticate: () => 'accepted' },
  protocolVersions: new Set([3, 4, 5]),
  maxQos: 2,
  maxTopicAlias: 10,
  maxTopicAliasBroker: 10,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'auto-',
  clientIdPrefix: '',
  useUsernameAsClientId: false,
  useCertificateIdentity: false,
  mountPoint: Buffer.alloc(0),
};

// CONNECT, 16 bytes: "MQTT", level 4, flags 0x02 Clean Session, Keep Alive 0, Client Identifier "cl-1"
const connect = '1010 0004 4d515454 04 02 0000 0004 636c2d31';
// PUBLISH QoS 0, 4 bytes: Topic Name "a", payload "1"
const publishA1 = '3004 0001 61 31';
// PUBLISH QoS 1, 6 bytes: Topic Name "a", Packet Identifier 7, payload "2"
const publishA2 = '3206 0001 61 0007 32';
// PUBACK, 2 bytes: Packet Identifier 7
const puback7 = '40020007';
// SUBSCRIBE, 6 bytes: Packet Identifier 9, Topic Filter "b", QoS 0
const subscribeB = '8206 0009 0001 62 00';

function open(authorizer: Authorizer) {
  const clock = new VirtualClock();
  const logger = { enabled: () => false, log: () => {} };
  const broker = new Broker(clock, logger, createMemoryStore(), defaultLimits);
  broker.engine.authorizer = authorizer;
  const hub = new Hub(broker.engine);
  const transport = new RecordingTransport();
  const connection = new Connection(hub, transport, policy);
  const accepted: string[] = [];
  broker.watch({ afterPublish: ({ topic, payload }) => accepted.push(`${topic.name} ${payload.toString()}`) });
  const receive = (hex: string): void => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    connection.onData(bytes, 0, bytes.length);
    hub.outbound.flush();
  };
  receive(connect);
  transport.written.length = 0;
  return { broker, connection, transport, accepted, receive };
}

test('who answers at once makes nobody wait: packets that came together are handled together', () => {
  const { transport, accepted, receive } = open({ authorize: () => true });

  receive(publishA1 + publishA2);

  expect(accepted).toEqual(['a 1', 'a 2']);
  expect(transport.pauses).toBe(0);
});

test('a refusal at once keeps the message back; the next one is asked about again', () => {
  const { accepted, transport, receive } = open({ authorize: (_client, _action, topic) => topic === 'b' });

  // PUBLISH QoS 0, 4 bytes: Topic Name "b", payload "3"
  receive(`${publishA2}3004 0001 62 33`);

  expect(accepted).toEqual(['b 3']);
  // MQTT 3.1.1 has no code for no: the usual PUBACK. Mosquitto.
  expect(transport.written).toEqual([puback7]);
});

test('who answers later makes this connection wait, in order', async () => {
  const answers: ((isAllowed: boolean) => void)[] = [];
  const { accepted, transport, receive } = open({
    authorize: () => new Promise((resolve) => answers.push(resolve)),
  });

  receive(publishA1 + publishA2);
  expect([accepted, answers.length, transport.pauses]).toEqual([[], 1, 1]);
  answers[0]?.(true);
  await new Promise(setImmediate);
  expect([accepted, answers.length, transport.resumes]).toEqual([['a 1'], 2, 0]);
  answers[1]?.(true);
  await new Promise(setImmediate);
  expect([accepted, transport.resumes]).toEqual([['a 1', 'a 2'], 1]);
});

test('who is thrown out while it is judged is not served any more', () => {
  const { broker, connection, accepted, transport, receive } = open({
    authorize: ({ clientId }) => broker.kick(clientId, 0x98),
  });

  receive(publishA2);

  expect(connection.state).toBe('closed');
  expect(accepted).toEqual([]);
  expect(transport.written).toEqual([]);
});

test('a subscription made while a message is judged gets the message', () => {
  const got: string[] = [];
  const { broker, receive } = open({
    authorize: () => {
      broker.subscribe('a', ({ payload }) => got.push(payload.toString()));
      return true;
    },
  });

  receive(publishA1);

  expect(got).toEqual(['1']);
});

test('subscriptions are asked about with their Topic Filter', async () => {
  const asked: string[] = [];
  const { broker, receive } = open({
    authorize: ({ clientId }, action, topic) => asked.push(`${clientId} ${action} ${topic}`) > 1,
  });

  receive(subscribeB);
  await new Promise(setImmediate);
  expect(broker.gauges().subscriptionsCount).toBe(0);
  receive(subscribeB);
  await new Promise(setImmediate);

  expect(asked).toEqual(['cl-1 subscribe b', 'cl-1 subscribe b']);
  expect(broker.gauges().subscriptionsCount).toBe(1);
});
