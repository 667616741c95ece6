/** The broker at work on connections that are arrays of bytes: no socket, no real time, everything within one call. */
import { VirtualClock } from '../../src/base/clock.ts';
import { Broker } from '../../src/broker/broker.ts';
import { defaultLimits } from '../../src/broker/limits.ts';
import { Connection } from '../../src/connection/connection.ts';
import { Hub } from '../../src/connection/hub.ts';
import type { ListenerPolicy } from '../../src/connection/policy.ts';
import type { Logger } from '../../src/contracts/logger.ts';
import type { Transport, TransportHandler } from '../../src/contracts/transport.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { packetLength, type Received, read } from '../conformance/wire/received.ts';
import { versions } from './actions.ts';
import { inflightMax, queuedMax } from './model.ts';

const policy: ListenerPolicy = {
  ...{ port: 1883, authenticator: { authenticate: () => 'accepted' }, protocolVersions: new Set([3, 4, 5] as const) },
  ...{ maxQos: 2, maxTopicAlias: 0, maxTopicAliasBroker: 0, allowZeroLengthClientId: true, autoIdPrefix: '' },
  ...{ clientIdPrefix: '', useUsernameAsClientId: false, useCertificateIdentity: false, mountPoint: Buffer.alloc(0) },
};
const logger: Logger = { enabled: () => false, log: () => {} };
const limits = {
  ...defaultLimits,
  ...{ maxInflightMessages: inflightMax, maxQueuedMessages: queuedMax, connectionMessages: false },
};

class Line implements Transport {
  readonly peer = { address: 'model', port: 1, tls: null };
  handler: TransportHandler | null = null;
  readonly pendingBytes = 0;
  hasEnded = false;
  input: Buffer = Buffer.alloc(0);

  write(bytes: Buffer): void {
    this.input = Buffer.concat([this.input, bytes]);
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.hasEnded = true;
  }
}

export class Bench {
  readonly #clock = new VirtualClock();
  readonly #broker: Broker;
  readonly #hub: Hub;
  /** Connections of each client that have something to show, the present one last. */
  readonly #lines: Line[][] = versions.map(() => []);

  /** @param sliceDeliveries - deliveries that a session is sent in one turn */
  constructor(sliceDeliveries: number) {
    this.#broker = new Broker(this.#clock, logger, createMemoryStore(), { ...limits, sliceDeliveries });
    this.#hub = new Hub(this.#broker.engine);
    this.#broker.start();
  }

  open(client: number): void {
    const line = new Line();
    new Connection(this.#hub, line, policy);
    this.#lines[client]?.push(line);
  }

  send(client: number, packet: Buffer): void {
    // A socket's buffer is used again for what comes next.
    const bytes = Buffer.from(packet);
    this.#lines[client]?.at(-1)?.handler?.onData(bytes, 0, bytes.length);
    bytes.fill(0xee);
    this.#flush();
  }

  cut(client: number): void {
    const line = this.#lines[client]?.pop();
    line?.handler?.onClose(null);
    this.#flush();
  }

  advance(seconds: number): void {
    this.#clock.advance(seconds * 1000);
    this.#flush();
  }

  /** What the client has seen since it was asked last, as the model says it. */
  seen(client: number): string[] {
    const version = versions[client] as 3 | 4 | 5;
    const lines = this.#lines[client] as Line[];
    const seen: string[] = [];
    for (const line of [...lines]) {
      for (let length = packetLength(line.input); length > 0; length = packetLength(line.input)) {
        seen.push(textOf(read(line.input.subarray(0, length), version, 'server')));
        line.input = line.input.subarray(length);
      }
      if (!line.hasEnded) continue;
      seen.push('end');
      lines.splice(lines.indexOf(line), 1);
    }
    return seen;
  }

  close(): Promise<void> {
    return this.#broker.close();
  }

  #flush(): void {
    this.#clock.advance(0);
    this.#hub.outbound.flush();
  }
}

function textOf(packet: Received): string {
  switch (packet.type) {
    case 'connack':
      return packet.reasonCode === 0 ? `connack ${packet.sessionPresent}` : `connack refused ${packet.reasonCode}`;
    case 'publish': {
      const found = new Map(packet.properties);
      const left = found.has('messageExpiryInterval') ? ` expires in ${found.get('messageExpiryInterval')}` : '';
      const mark = found.has('subscriptionIdentifier') ? ` of ${found.get('subscriptionIdentifier')}` : '';
      return `${packet.topic} "${packet.text}" ${packet.qos} ${packet.packetId}${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''}${left}${mark}`;
    }
    case 'puback':
    case 'pubrec':
    case 'pubcomp':
      return `${packet.type} ${packet.packetId} ${packet.reasonCode}`;
    case 'pubrel':
      return `pubrel ${packet.packetId}`;
    case 'suback':
    case 'unsuback':
      return [packet.type, ...packet.reasonCodes].join(' ');
    case 'disconnect':
      return `E ${packet.reasonCode.toString(16)}`;
    default:
      return packet.type;
  }
}
