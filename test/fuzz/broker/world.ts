/** Clients and a broker in one process, without sockets and real time, and what its clients do: one step after another. */
import { VirtualClock } from '../../../src/base/clock.ts';
import { Broker } from '../../../src/broker/broker.ts';
import { defaultLimits, type Limits } from '../../../src/broker/limits.ts';
import { Connection } from '../../../src/connection/connection.ts';
import { Hub } from '../../../src/connection/hub.ts';
import type { ListenerPolicy } from '../../../src/connection/policy.ts';
import type { Logger } from '../../../src/contracts/logger.ts';
import type { Version } from '../../conformance/wire/bytes.ts';
import { packetsOf } from '../../conformance/wire/packets.ts';
import { packetLength, type Received, type ReceivedPublish, read } from '../../conformance/wire/received.ts';
import type { Chance } from './chance.ts';
import { Ledger } from './ledger.ts';
import { Line } from './line.ts';
import { type Message, Oracle, type Qos, type Session, told } from './oracle.ts';

const policy: ListenerPolicy = {
  ...{ port: 1883, authenticator: { authenticate: () => 'accepted' }, protocolVersions: new Set([3, 4, 5] as const) },
  ...{ maxQos: 2, maxTopicAlias: 4, maxTopicAliasBroker: 3, allowZeroLengthClientId: true, autoIdPrefix: '' },
  ...{ clientIdPrefix: '', useUsernameAsClientId: false, useCertificateIdentity: false, mountPoint: Buffer.alloc(0) },
};
const logger: Logger = {
  enabled: () => false,
  log: (level, text) => {
    if (level === 'error') throw new Error(text);
  },
};

/** Bytes waiting for a socket from which a session waits, and from which QoS 0 messages are dropped. */
const softMax = 3000;
const hardMax = 40_000;
export const inflightMax = 5;
const inputMax = 64 * 1024;

/** What a client has published at QoS 1 or 2, and how far that has come. */
export interface Exchange {
  readonly message: Message;
  readonly qos: 1 | 2;
  /** As it was sent, without an alias. */
  readonly properties: readonly Buffer[];
  isReceived: boolean;
  isReleased: boolean;
}

/** A packet on its way to the broker, and what it means there. */
export interface Sent {
  readonly bytes: Buffer;
  readonly means: () => void;
}

export interface Client {
  readonly id: string;
  readonly version: Version;
  readonly mount: string;
  /** 0: none is stated */
  readonly packetBytesMax: number;
  readonly takesAliases: boolean;
  readonly copiesBytes: boolean;
  session: Session | null;
  line: Line | null;
  /** Topic by alias, set by this client on its present connection. */
  readonly aliases: Map<number, string>;
  readonly exchanges: Map<number, Exchange>;
  /** Answers it has not given yet. */
  answers: { readonly type: 'puback' | 'pubrec' | 'pubcomp'; readonly packetId: number }[];
  /** Receive Maximum of the present connection, or the broker's own; and what is under way on it. */
  receiveMaximum: number;
  readonly underWay: Set<number>;
  /** What of a packet has not been sent yet. */
  tail: (Sent & { readonly rest: Buffer }) | null;
  /** A connection to be looked at, with what of it has not been read, and the topics by the broker's aliases. */
  readonly lines: { readonly line: Line; readonly session: Session; input: Buffer; aliases: Map<number, string> }[];
}

export interface WorldOptions {
  readonly allowsDuplicates: boolean;
  readonly queuesQos0: boolean;
  /** 0: unbounded */
  readonly queueMax: number;
  readonly isSlowStore: boolean;
}

export class World {
  readonly clock = new VirtualClock();
  readonly ledger: Ledger;
  readonly oracle: Oracle;
  broker: Broker;
  #hub: Hub;
  readonly #limits: Limits;
  readonly clients: readonly Client[];
  readonly #chance: Chance;

  constructor(chance: Chance, options: WorldOptions) {
    this.#chance = chance;
    const limits: Limits = {
      ...defaultLimits,
      ...{ maxInflightMessages: inflightMax, maxQueuedMessages: options.queueMax, connectionMessages: false },
      ...{ allowDuplicateMessages: options.allowsDuplicates, queueQos0Messages: options.queuesQos0 },
      ...{ socketBytesSoftMax: softMax, socketBytesHardMax: hardMax, maxPacketSize: 0 },
    };
    this.ledger = new Ledger(options.isSlowStore);
    this.oracle = new Oracle({ ...options, isUnbounded: options.queueMax === 0 });
    this.#limits = limits;
    this.broker = new Broker(this.clock, logger, this.ledger.store, limits);
    this.#hub = new Hub(this.broker.engine);
    this.broker.start();
    const client = (id: string, version: Version, more: Partial<Client> = {}): Client => ({
      ...{
        id,
        version,
        mount: '',
        packetBytesMax: 0,
        takesAliases: false,
        copiesBytes: false,
        session: null,
        line: null,
      },
      ...{
        aliases: new Map(),
        exchanges: new Map(),
        answers: [],
        receiveMaximum: 0,
        underWay: new Set(),
        tail: null,
        lines: [],
        ...more,
      },
    });
    this.clients = [
      client('a', 5),
      client('b', 5, { takesAliases: true }),
      client('c', 5, { packetBytesMax: 400, takesAliases: true }),
      client('d', 4),
      client('e', 3, { copiesBytes: true }),
      client('m', 5, { mount: 'm/' }),
      client('n', 4, { mount: 'm/' }),
    ];
  }

  get nowMs(): number {
    return this.clock.nowMs();
  }

  connect(client: Client, cleanStart: boolean, persists: boolean, will: Message | null): void {
    const { id, version, mount, packetBytesMax } = client;
    const { oracle } = this;
    let present = oracle.sessions.get(id);
    if (present?.line) oracle.leave(present, this.nowMs);
    present = oracle.sessions.get(id);
    if (cleanStart && present !== undefined) oracle.end(present);
    const isPresent = oracle.sessions.has(id);
    const session = oracle.sessions.get(id) ?? newSession(id, version, packetBytesMax, mount);
    oracle.sessions.set(id, session);
    const line = new Line(client.copiesBytes);
    new Connection(this.#hub, line, { ...policy, mountPoint: Buffer.from(mount) });
    Object.assign(session, { line, isPersistent: persists, will });
    Object.assign(client, { session, line, answers: [], tail: null });
    client.aliases.clear();
    client.underWay.clear();
    client.lines.push({ line, session, input: Buffer.alloc(0), aliases: new Map() });
    if (!isPresent) client.exchanges.clear();
    for (const [packetId, { qos }] of client.exchanges) if (qos === 1) client.exchanges.delete(packetId);
  }

  /** The broker ends without a word, when all clients have left and all is safe, and comes back. */
  async restart(): Promise<void> {
    for (const client of this.clients) this.cut(client);
    await this.endTurn();
    this.ledger.commit();
    this.ledger.restart();
    this.broker = new Broker(this.clock, logger, this.ledger.store, this.#limits);
    this.#hub = new Hub(this.broker.engine);
    this.broker.start();
  }

  /** Has the session count on from a number, where it has not begun to count: Packet Identifiers end at 65,535. */
  countFrom(client: Client, sequence: number): void {
    const session = this.broker.engine.sessions.get(client.id);
    if (session !== undefined && session.outgoing === null) session.outgoingRing().restoreLastSequence(sequence);
  }

  /** The connection ends without a word. */
  cut(client: Client): void {
    const { line, session } = client;
    if (line === null || session === null) return;
    this.oracle.leave(session, this.nowMs);
    line.destroy();
    line.handler?.onClose(null);
    this.forget(client);
  }

  forget(client: Client): void {
    Object.assign(client, { line: null, session: null, tail: null, answers: [] });
  }

  /** Sends packets in one go, cut anywhere; the end of the last may be kept back. */
  async send(client: Client, packets: readonly Sent[], mayKeepTail: boolean): Promise<void> {
    const { line } = client;
    if (line === null) return;
    if (line.pendingBytes > hardMax) line.unblock();
    const all = client.tail === null ? [...packets] : [client.tail, ...packets];
    const parts = all.map((one) => (one === client.tail ? client.tail.rest : one.bytes));
    const last = all.at(-1);
    let keeps = 0;
    client.tail = null;
    if (mayKeepTail && last !== undefined && this.#chance.oneIn(4)) {
      const { length } = parts.at(-1) as Buffer;
      keeps = 1 + this.#chance.below(Math.min(length, 300));
      client.tail = { ...last, rest: (parts.at(-1) as Buffer).subarray(length - keeps) };
      all.pop();
    }
    for (const { means } of all) means();
    const whole = Buffer.concat(parts);
    await this.#deliver(line, whole.subarray(0, whole.length - keeps));
  }

  /** As sockets are read: into the buffer that all share, or into one of their own; used again for the next. */
  async #deliver(line: Line, bytes: Buffer): Promise<void> {
    const { home, inputStart } = this.#hub.outbound;
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(
        this.#chance.oneIn(3) ? 1 + this.#chance.below(200) : inputMax,
        inputMax,
        bytes.length - at,
      );
      if (line.copiesBytes) {
        const own = Buffer.from(bytes.subarray(at, at + length));
        line.handler?.onData(own, 0, length);
        own.fill(0xee);
      } else {
        bytes.copy(home, inputStart, at, at + length);
        line.handler?.onData(home, inputStart, inputStart + length);
        home.fill(0xee, inputStart, inputStart + length);
      }
      at += length;
      // The broker reads on when its answers are read.
      while (line.isPaused) {
        line.unblock();
        await Promise.resolve();
      }
    }
  }

  /** The round of the event loop is over. */
  async endTurn(): Promise<void> {
    this.clock.advance(0);
    this.#hub.outbound.flush();
    for (let count = 0; count < 4; count++) await Promise.resolve();
    this.#hub.outbound.flush();
    for (const client of this.clients) this.#look(client);
  }

  #look(client: Client): void {
    for (const entry of [...client.lines]) {
      const { line, session } = entry;
      entry.input = Buffer.concat([entry.input, line.arrived()]);
      for (let length = packetLength(entry.input); length > 0; length = packetLength(entry.input)) {
        const packet = read(entry.input.subarray(0, length), client.version, 'server');
        entry.input = entry.input.subarray(length);
        this.#receive(client, entry, packet);
      }
      if (!line.hasEnded) continue;
      if (entry.input.length > 0 && line.pendingBytes === 0 && client.line === line) {
        throw new Error(`${client.id}: the end cuts a packet`);
      }
      client.lines.splice(client.lines.indexOf(entry), 1);
      line.handler?.onClose(null);
      if (client.line === line) throw new Error(`${client.id} was disconnected, session ${session.clientId}`);
    }
  }

  #receive(client: Client, entry: Client['lines'][number], packet: Received): void {
    const { line, session } = entry;
    const isPresent = client.line === line;
    switch (packet.type) {
      case 'publish':
        this.#receivePublish(client, entry, packet, isPresent);
        return;
      case 'puback':
        if (isPresent) client.exchanges.delete(packet.packetId);
        return;
      case 'pubrec': {
        const exchange = client.exchanges.get(packet.packetId);
        if (exchange !== undefined && isPresent) exchange.isReceived = true;
        return;
      }
      case 'pubcomp':
        if (isPresent) client.exchanges.delete(packet.packetId);
        return;
      case 'pubrel': {
        const last = session.last.get(packet.packetId);
        if (last?.qos !== 2) throw new Error(`${client.id}: PUBREL ${packet.packetId} for nothing`);
        if (isPresent) client.answers.push({ type: 'pubcomp', packetId: packet.packetId });
        return;
      }
      case 'connack':
        if (packet.reasonCode !== 0) throw new Error(`${client.id}: CONNACK ${packet.reasonCode}`);
        return;
      case 'suback':
      case 'unsuback':
        return;
      case 'disconnect':
        if (packet.reasonCode !== 0x8e || isPresent) throw new Error(`${client.id}: DISCONNECT ${packet.reasonCode}`);
        return;
      default:
        throw new Error(`${client.id}: ${packet.type}`);
    }
  }

  #receivePublish(client: Client, entry: Client['lines'][number], packet: ReceivedPublish, isPresent: boolean): void {
    const { line, session, aliases } = entry;
    const alias = packet.properties.find(([name]) => name === 'topicAlias')?.[1] as number | undefined;
    if (alias !== undefined && packet.topic !== '') aliases.set(alias, packet.topic);
    const topic = packet.topic === '' ? aliases.get(alias ?? 0) : packet.topic;
    if (topic === undefined) throw new Error(`${client.id}: Topic Alias ${alias} was never set`);
    const wrong = this.oracle.take(session, line, client.mount + topic, packet, this.nowMs);
    if (wrong !== null) {
      const { qos, packetId, dup, retain, payload } = packet;
      const shown = { topic, payload, qos, retain, order: 0 } as Message;
      throw new Error(`${client.id}: ${wrong}: ${told(shown)} ${JSON.stringify({ qos, packetId, dup, retain })}`);
    }
    if (!isPresent || packet.qos === 0) return;
    client.underWay.add(packet.packetId);
    if (client.underWay.size > client.receiveMaximum) {
      throw new Error(`${client.id}: ${client.underWay.size} under way, ${client.receiveMaximum} allowed`);
    }
    client.answers.push({ type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId });
  }

  /** The next answer that the client owes, as a packet. */
  answer(client: Client): Sent | null {
    const next = client.answers.shift();
    const { session } = client;
    if (next === undefined || session === null) return null;
    const { type, packetId } = next;
    const refuses = type === 'pubrec' && client.version === 5 && this.#chance.oneIn(8);
    if (type !== 'pubrec' || refuses) client.underWay.delete(packetId);
    return {
      bytes: packetsOf(client.version)[type](refuses ? { packetId, reasonCode: 0x80 } : { packetId }),
      means: () => {
        const last = session.last.get(packetId);
        if (last === undefined) return;
        if (type === 'pubrec' && !refuses) last.isReleased = true;
        else last.isDone = true;
      },
    };
  }
}

function newSession(clientId: string, version: Version, packetBytesMax: number, mount: string): Session {
  return {
    ...{ clientId, version, packetBytesMax, mount, line: null, isPersistent: false, hasEnded: false, will: null },
    ...{ subscriptions: new Map(), due: [], replays: [], received: new Map(), last: new Map(), lastOrder: 0 },
    lastQos0: { line: null, order: 0 },
  };
}

export type { Qos };
