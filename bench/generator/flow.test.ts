/**
 * The generator against a broker of a few lines, built on mqtt-packet, that forwards every message to every subscriber
 * and can be told to misbehave: a generator is only worth its name if it notices.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import mqttPacket, { type IPublishPacket, type Packet } from 'mqtt-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Counts, FlowJob, TransportKind } from '../job.ts';
import { runFlow } from './flow.ts';

interface Misbehaviour {
  /** How often the broker forwards its n-th message, from 0; 1 is right. */
  copies?(message: number): number;
  /** Closes the publisher's connection at its n-th message. */
  closesAt?: number;
}

class SmallBroker {
  readonly #misbehaviour: Misbehaviour;
  readonly #subscribers = new Set<{ stream: Duplex; qos: 0 | 1 | 2; nextId: number }>();
  readonly #awaitingRelease = new Map<Duplex, Map<number, IPublishPacket>>();
  #messages = 0;
  readonly streams: Duplex[] = [];

  constructor(misbehaviour: Misbehaviour) {
    this.#misbehaviour = misbehaviour;
  }

  accept(stream: Duplex): void {
    const parser = mqttPacket.parser();
    this.streams.push(stream);
    stream.on('error', () => undefined); // the generator drops its connections at the end
    stream.on('data', (bytes: Buffer) => parser.parse(bytes));
    parser.on('packet', (packet) => this.#onPacket(stream, packet));
  }

  #onPacket(stream: Duplex, packet: Packet): void {
    const send = (answer: Packet): void => {
      stream.write(mqttPacket.generate(answer));
    };
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === 'connect') {
      send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    } else if (packet.cmd === 'subscribe') {
      const qos = packet.subscriptions[0]?.qos ?? 0;
      this.#subscribers.add({ stream, qos, nextId: 1 });
      send({ cmd: 'suback', messageId, granted: [qos] });
    } else if (packet.cmd === 'publish') {
      if (packet.qos === 2) {
        const held = this.#awaitingRelease.get(stream) ?? new Map<number, IPublishPacket>();
        this.#awaitingRelease.set(stream, held.set(messageId, packet));
        send({ cmd: 'pubrec', messageId });
      } else {
        if (packet.qos === 1) send({ cmd: 'puback', messageId });
        this.#forward(stream, packet);
      }
    } else if (packet.cmd === 'pubrel') {
      const held = this.#awaitingRelease.get(stream)?.get(messageId);
      send({ cmd: 'pubcomp', messageId });
      if (held !== undefined) this.#forward(stream, held);
    } else if (packet.cmd === 'pubrec') {
      send({ cmd: 'pubrel', messageId });
    }
  }

  #forward(from: Duplex, packet: IPublishPacket): void {
    const number = this.#messages++;
    if (number === this.#misbehaviour.closesAt) from.destroy();
    const copies = this.#misbehaviour.copies?.(number) ?? 1;
    for (const subscriber of this.#subscribers) {
      for (let i = 0; i < copies; i++) {
        const { topic, payload } = packet;
        const messageId = subscriber.nextId;
        subscriber.nextId = (messageId % 65_535) + 1;
        const { qos } = subscriber;
        const copy = { cmd: 'publish', topic, payload, qos, dup: false, retain: false, messageId } as const;
        subscriber.stream.write(mqttPacket.generate(copy));
      }
    }
  }
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function listen(misbehaviour: Misbehaviour, transport: TransportKind): Promise<number> {
  const broker = new SmallBroker(misbehaviour);
  const server = transport === 'websocket' ? createHttpServer() : net.createServer((socket) => broker.accept(socket));
  if (transport === 'websocket') {
    const sockets = new WebSocketServer({ server: server as ReturnType<typeof createHttpServer> });
    sockets.on('connection', (socket) => broker.accept(createWebSocketStream(socket)));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const stream of broker.streams) stream.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function flow(
  changes: Partial<FlowJob>,
  misbehaviour: Misbehaviour = {},
  transport: TransportKind = 'tcp',
): Promise<Counts> {
  const port = await listen(misbehaviour, transport);
  const job: FlowJob = {
    kind: 'flow',
    pattern: { shape: 'fan-out', subscribers: 3 },
    level: 4,
    qos: 0,
    payloadBytes: 64,
    credit: 8,
    batchMin: 4,
    ackWindow: 8,
    hasUsers: false,
    isKept: false,
    warmupMs: 20,
    windowMs: 60,
    ...changes,
  };
  const result = await runFlow({ host: '127.0.0.1', port, transport, pid: process.pid }, job, 200);
  return result.counts as Counts;
}

describe('a broker that does its work', () => {
  test.each([0, 1, 2] as const)('at QoS %i: everything sent is delivered once', async (qos) => {
    const counts = await flow({ qos });
    expect(counts.sent).toBeGreaterThan(0);
    expect(counts).toEqual({
      sent: counts.sent,
      delivered: counts.sent * 3,
      ...{ lost: 0, duplicated: 0, reordered: 0, ackFaults: 0 },
    });
  });

  test('over WebSocket', async () => {
    const counts = await flow({ qos: 1 }, {}, 'websocket');
    expect(counts.sent).toBeGreaterThan(0);
    expect(counts).toMatchObject({ delivered: counts.sent * 3, lost: 0, ackFaults: 0 });
  });

  test('with a payload that no single read can hold', async () => {
    const counts = await flow({ payloadBytes: 300_000, credit: 2, batchMin: 1 });
    expect(counts.sent).toBeGreaterThan(0);
    expect(counts).toMatchObject({ delivered: counts.sent * 3, lost: 0 });
  });
});

describe('a broker that does not', () => {
  test('a message forwarded to nobody is lost three times', async () => {
    expect(await flow({}, { copies: (message) => (message === 5 ? 0 : 1) })).toMatchObject({ lost: 3, duplicated: 0 });
  });

  test('a message forwarded twice is duplicated three times', async () => {
    const counts = await flow({}, { copies: (message) => (message === 5 ? 2 : 1) });
    expect(counts).toMatchObject({ lost: 0, duplicated: 3 });
  });

  test('a closed connection ends the run with its name', async () => {
    await expect(flow({}, { closesAt: 5 })).rejects.toThrow(/closed bench-pub-0/);
  });
});
