/** What all connections of one broker share: the engine, the arena, and objects that are reused for every packet. */

import type { Engine } from '../broker/engine.ts';
import { PublishView } from '../codec/publish.ts';
import { Message } from '../contracts/message.ts';
import { sendCommitted } from '../session/send-waiting.ts';
import { Topic } from '../topics/topic.ts';
import type { Connection } from './connection.ts';
import { inputBytes, Outbound } from './outbound.ts';

const noPublisher = { clientId: '', username: null, listenerPort: 0 };
const noTopic = Topic.of('');

/** Frames of the message that is being distributed, one per layout, as ranges of the arena. */
export class SharedFrames {
  message: Message | null = null;
  serial = -1;
  epoch = -1;
  /** By layout: bit 0 MQTT 5.0, bit 1 has a Packet Identifier. −1: not written yet. */
  readonly starts = [-1, -1, -1, -1];
  readonly ends = [0, 0, 0, 0];
  readonly firstBytes = [0, 0, 0, 0];
}

export class Hub {
  readonly engine: Engine;
  readonly outbound: Outbound;
  readonly frames = new SharedFrames();
  /** The PUBLISH being read, and the message made of it. */
  readonly view = new PublishView();
  readonly message = new Message(noTopic, noPublisher);
  /** Number of the PUBLISH read last, on any connection. */
  lastSerial = 0;
  /** Topic Name behind a mount point. */
  mountedTopic: Buffer = Buffer.allocUnsafe(256);
  /** Whether packets are worth a debug line; asked of the logger again after a reload. */
  isTracing: boolean;
  /** Connections with acknowledgements that wait for the store. */
  readonly awaitingCommit = new Set<Connection>();
  /** Open connections, with or without a session. */
  readonly connections = new Set<Connection>();

  /** Whose packets are handled, the turn in which they came, and how many more of them in it before others get theirs. */
  reader: Connection | null = null;
  readerTurn = 0;
  packetsLeft = 0;

  constructor(engine: Engine) {
    this.engine = engine;
    this.outbound = new Outbound(engine, inputBytes);
    this.isTracing = engine.logger.enabled('debug');
    engine.store.onCommitted = () => this.#committed();
    engine.store.onTrouble = () => this.#troubled();
  }

  /** The connection's packets are handled from now on. */
  beginReading(connection: Connection): void {
    this.reader = connection;
    this.readerTurn = this.outbound.turn;
    this.packetsLeft = this.engine.limits.packetsPerTurn;
  }

  /** The store cannot make anything safe any more, or can again. */
  #troubled(): void {
    if (this.engine.store.trouble === null) return;
    for (const connection of [...this.awaitingCommit]) {
      connection.acks.giveUp((type, packetId) => connection.refuseUnsafe(type, packetId));
    }
  }

  #committed(): void {
    const { engine } = this;
    for (const connection of this.awaitingCommit) connection.acks.release(engine.store.committed);
    if (engine.awaitingCommit.size === 0) return;
    engine.nowMs = engine.clock.nowMs();
    for (const session of [...engine.awaitingCommit]) sendCommitted(engine, session);
  }
}
