/** What one client may have done in a row, and what the others see meanwhile. */
import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { Broker } from '../broker/broker.ts';
import { defaultLimits } from '../broker/limits.ts';
import type { Transport, TransportHandler } from '../contracts/transport.ts';
import { createMemoryStore } from '../store/memory-store.ts';
import { Connection } from './connection.ts';
import { Hub } from './hub.ts';
import type { ListenerPolicy } from './policy.ts';

/** A clock whose turns come when the test says so. */
class TurnClock extends VirtualClock {
  readonly #turns: (() => void)[] = [];

  override soon(callback: () => void): void {
    this.#turns.push(callback);
  }

  turn(): void {
    for (const callback of this.#turns.splice(0)) callback();
  }
}

/** A socket that takes everything, unless the test says how much waits. */
class Line implements Transport {
  readonly peer = { address: 'test', port: 1, tls: null };
  handler: TransportHandler | null = null;
  pendingBytes = 0;
  isPaused = false;
  hasEnded = false;
  #written = '';

  write(bytes: Buffer): void {
    this.#written += bytes.toString('hex');
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.hasEnded = true;
  }
  /** What was written since it was asked last. */
  take(): string {
    const written = this.#written;
    this.#written = '';
    return written;
  }
}

const policy: ListenerPolicy = {
  ...{ port: 1883, authenticator: { authenticate: () => 'accepted' }, protocolVersions: new Set([3, 4, 5] as const) },
  ...{ maxQos: 2, maxTopicAlias: 0, maxTopicAliasBroker: 0, allowZeroLengthClientId: true, autoIdPrefix: '' },
  ...{ clientIdPrefix: '', useUsernameAsClientId: false, useCertificateIdentity: false, mountPoint: Buffer.alloc(0) },
};

// CONNECT, 16 bytes: "MQTT", level 4, flags 0x00 (keep the Session) or 0x02, Keep Alive 0, Client Identifier "cl-" and a letter
const connect = (name: string, flags = '02') => `1010 0004 4d515454 04 ${flags} 0000 0004 636c2d${name}`;
// CONNACK, 2 bytes: Session Present, accepted
const connack = (isPresent: boolean) => `20020${isPresent ? 1 : 0}00`;
// SUBSCRIBE, 6 bytes: Packet Identifier 9, Topic Filter "a", QoS 1; its SUBACK
const subscribe = '8206 0009 0001 61 01';
const suback = '9003000901';
// PINGREQ and PINGRESP; DISCONNECT
const pingreq = 'c000';
const pingresp = 'd000';
const disconnect = 'e000';
const word = (number: number) => number.toString(16).padStart(4, '0');
// PUBLISH QoS 1, 7 bytes: Topic Name "a", Packet Identifier, payload of two bytes; PUBACK, 2 bytes: Packet Identifier
const publish = (packetId: number, payload = packetId) => `3207 0001 61 ${word(packetId)} ${word(payload)}`;
const published = (packetId: number, isAgain = false) =>
  `${isAgain ? '3a' : '32'}07000161${word(packetId)}${word(packetId)}`;
const puback = (packetId: number) => `4002${word(packetId)}`;
const many = <T>(from: number, to: number, each: (number: number) => T): T[] =>
  Array.from({ length: to - from + 1 }, (_, index) => each(from + index));

function world() {
  const clock = new TurnClock();
  const limits = { ...defaultLimits, maxInflightMessages: 0, maxQueuedMessages: 0, connectionMessages: false };
  const bounds = { packetsPerTurn: 10, sliceDeliveries: 4 };
  const logger = { enabled: () => false, log: () => {} };
  const broker = new Broker(clock, logger, createMemoryStore(), { ...limits, ...bounds });
  const hub = new Hub(broker.engine);
  const open = () => {
    const line = new Line();
    const connection = new Connection(hub, line, policy);
    const receive = (...packets: string[]): void => {
      const bytes = Buffer.from(packets.join('').replaceAll(' ', ''), 'hex');
      connection.onData(bytes, 0, bytes.length);
    };
    return { line, connection, receive };
  };
  /** The end of a turn: what was gathered is written, then whoever waits for a turn takes one. */
  const turn = (): void => {
    hub.outbound.flush();
    clock.turn();
  };
  /** Turns until nobody wants one. */
  const turns = (): void => {
    do turn();
    while (broker.engine.turns.waiting > 0);
    turn();
  };
  return { broker, hub, open, turn, turns };
}

test('of many packets that came together so many are handled in a row, then others have their turn, in order', () => {
  const { broker, open, turn, turns } = world();
  const [busy, other] = [open(), open()];
  busy.receive(connect('61'));
  other.receive(connect('62'));
  turns();
  const accepted: string[] = [];
  broker.watch({
    afterPublish: ({ payload, publisher }) => accepted.push(`${publisher.clientId} ${payload.toString('hex')}`),
  });

  busy.receive(...many(1, 400, (id) => publish(id)));
  expect(accepted).toHaveLength(10);
  expect(busy.line.isPaused).toBe(true);
  other.receive(publish(1));
  expect(accepted.at(-1)).toBe('cl-b 0001');
  turn();
  // Nobody else wants a turn: it gets 32 slices in one.
  expect(accepted).toHaveLength(1 + 10 + 320);
  turns();

  expect(accepted.filter((each) => each.startsWith('cl-a'))).toEqual(many(1, 400, (id) => `cl-a ${word(id)}`));
  expect(busy.line.isPaused).toBe(false);
  expect(busy.line.take()).toBe(connack(false) + many(1, 400, puback).join(''));
});

test('bytes that come although it was paused are handled after those that wait', () => {
  const { open, turn, turns } = world();
  const { line, receive } = open();
  receive(connect('61'), ...many(1, 15, (id) => publish(id)));
  // A packet that is not whole yet
  receive(publish(16).slice(0, 7));
  receive(publish(16).slice(7), ...many(17, 40, (id) => publish(id)));
  turn();
  expect(line.take()).toBe(connack(false) + many(1, 9, puback).join(''));
  turns();
  expect(line.take()).toBe(many(10, 40, puback).join(''));
});

test('reads that follow each other in one turn count together; in another turn they do not', () => {
  const { hub, open, turns } = world();
  const { line, receive } = open();
  receive(connect('61'));
  for (let count = 1; count < 9; count++) receive(pingreq);
  expect(line.isPaused).toBe(false);
  receive(pingreq);
  expect(line.isPaused).toBe(true);
  turns();
  expect(line.isPaused).toBe(false);
  for (let count = 0; count < 20; count++) {
    receive(pingreq);
    hub.outbound.turn++; // as the end of a turn does
    expect(line.isPaused).toBe(false);
  }
});

test('a connection that ends while it waits for its turn has had its last packet', () => {
  const { broker, open, turns } = world();
  const [first, second] = [open(), open()];
  const accepted: string[] = [];
  broker.watch({ afterPublish: ({ payload }) => accepted.push(payload.toString('hex')) });
  first.receive(connect('61'), ...many(1, 30, (id) => publish(id)));
  first.connection.onClose(null);
  second.receive(connect('62'), ...many(1, 18, (id) => publish(id, 100 + id)), disconnect, publish(200));
  turns();
  expect(accepted).toEqual([...many(1, 9, word), ...many(101, 118, word)]);
  expect(second.line.hasEnded).toBe(true);
  expect(broker.engine.connectionsCount).toBe(0);
});

/** A client with 50 messages waiting that comes back, and another one. */
function comeBack() {
  const parts = world();
  const { open, turns } = parts;
  const [away, other] = [open(), open()];
  away.receive(connect('61', '00'), subscribe);
  turns();
  away.connection.onClose(null);
  other.receive(connect('62'));
  for (let id = 1; id <= 50; id++) {
    other.receive(publish(id));
    turns();
  }
  other.line.take();
  const back = open();
  back.receive(connect('61', '00'));
  return { ...parts, back, other };
}

test('a client that fetches its queue gets a part in every turn, and others are answered in between', () => {
  const { hub, back, other, turn } = comeBack();
  hub.outbound.flush();
  expect(back.line.take()).toBe(connack(true) + many(1, 4, (id) => published(id)).join(''));
  let seen = 4;
  while (seen < 50) {
    other.receive(pingreq);
    turn();
    expect(other.line.take()).toBe(pingresp);
    hub.outbound.flush();
    const part = back.line.take().length / published(1).length;
    // 32 slices of 4 deliveries are a turn.
    expect(part).toBeLessThanOrEqual(128);
    seen += part;
  }
  expect(seen).toBe(50);
});

test('acknowledgements in mass, a message in the middle, a disconnect in the middle: order and identifiers stay', () => {
  const { back, other, open, turn, turns } = comeBack();
  turn();
  other.receive(publish(51));
  back.receive(...many(1, 20, puback));
  turn();
  const first = back.line.take();
  expect(first.startsWith(connack(true) + many(1, 4, (id) => published(id)).join(''))).toBe(true);
  turns();
  expect(first + back.line.take()).toBe(connack(true) + many(1, 51, (id) => published(id)).join(''));
  back.connection.onClose(null);

  const again = open();
  again.receive(connect('61', '00'));
  turn();
  other.receive(publish(52));
  turns();
  expect(again.line.take()).toBe(connack(true) + many(21, 51, (id) => published(id, true)).join('') + published(52));
});

test('whoever cannot be served in its turn loses its own connection', () => {
  const { broker, hub, back, other, turns } = comeBack();
  hub.outbound.flush();
  Object.assign(back.connection, {
    sendPublish: () => {
      throw new Error('broken');
    },
  });
  turns();
  expect(back.line.hasEnded).toBe(true);
  expect(broker.stats.deliveriesDropped.fault).toBe(1);
  other.receive(pingreq);
  turns();
  expect(other.line.take()).toBe(pingresp);
});

test('several clients that fetch at once share the turns', () => {
  const { broker, hub, open, turn, turns } = world();
  const names = many(0x61, 0x69, (letter) => letter.toString(16));
  for (const name of names) {
    const { receive, connection } = open();
    receive(connect(name, '00'), subscribe);
    turns();
    connection.onClose(null);
  }
  for (let id = 1; id <= 100; id++) broker.publish('a', Buffer.from(word(id), 'hex'), { qos: 1 });
  const lines = names.map((name) => {
    const { receive, line } = open();
    receive(connect(name, '00'));
    return line;
  });
  const counts = lines.map(() => 0);
  const look = () => {
    hub.outbound.flush();
    for (const [index, line] of lines.entries()) {
      counts[index] = (counts[index] as number) + (line.take().match(/3207000161/g)?.length ?? 0);
    }
  };
  look();
  while (broker.engine.turns.waiting > 0) {
    const before = counts.reduce((sum, one) => sum + one, 0);
    turn();
    look();
    expect(counts.reduce((sum, one) => sum + one, 0) - before).toBeLessThanOrEqual(128);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
  }
  expect(counts).toEqual(names.map(() => 100));
});

test('what waited for a session that ends is let go in parts; meanwhile it counts as held', () => {
  const { broker, open, turn, turns } = world();
  const away = open();
  away.receive(connect('61', '00'), subscribe);
  turns();
  away.connection.onClose(null);
  for (let id = 1; id <= 40_000; id++) broker.publish('a', Buffer.from('x'), { qos: 1 });
  expect(broker.gauges()).toMatchObject({ messagesStored: 40_000, deliveriesWaiting: 40_000 });
  const fresh = open();
  fresh.receive(connect('61'));
  // The new Session has nothing of it, and does not wait.
  expect(broker.gauges()).toMatchObject({ messagesStored: 40_000 - 1024, deliveriesWaiting: 0 });
  turn();
  expect(fresh.line.take()).toBe(connack(false));
  expect(broker.gauges().messagesStored).toBe(40_000 - 33 * 1024);
  turns();
  expect(broker.gauges()).toMatchObject({ messagesStored: 0, messagesStoredBytes: 0 });
  expect(suback).toHaveLength(10);
});

test('a client that takes its answers slowly is read again before the last of them is taken', async () => {
  const { hub, open, turn, turns } = world();
  const { line, connection, receive } = open();
  receive(connect('61'));
  turns();
  line.take();
  const bound = hub.engine.limits.socketBytesHardMax;
  // It asks and asks, and more than twice the bound waits for its socket: no further packet of it is handled.
  line.pendingBytes = 2 * bound + 1;
  receive(pingreq);
  turn();
  connection.onDrain();
  receive(pingreq, pingreq);
  expect(line.isPaused).toBe(true);

  // Something always waits, beside it an answer of two bytes; once that is below the bound, it is read on.
  for (const [left, isPaused] of [
    [bound, true],
    [bound - 100, false],
  ] as const) {
    line.pendingBytes = left;
    connection.onDrain();
    await Promise.resolve();
    await Promise.resolve();
    expect([left, line.isPaused]).toEqual([left, isPaused]);
  }
  line.pendingBytes = 0;
  connection.onDrain();
  turns();
  expect(line.take()).toBe(pingresp.repeat(3));
});
