/** Plays a random script of packets to one broker over TCP, and writes down what its clients see. */
import type { RawClient } from '../conformance/wire/client.ts';
import { RawClient as Client } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import type { Received, ReceivedPublish } from '../conformance/wire/received.ts';
import { type Action, versions } from '../model/actions.ts';

/** Ids, times and the order of messages within a step are the broker's own business, so they are left out. */
function textOf(packet: Received): string {
  switch (packet.type) {
    case 'publish': {
      const marks = packet.properties.filter(([name]) => name === 'subscriptionIdentifier').map(([, value]) => value);
      return `publish ${packet.topic} "${packet.text}" ${packet.qos}${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''} ${marks}`;
    }
    case 'connack':
      return `connack ${packet.sessionPresent} ${packet.reasonCode}`;
    case 'suback':
    case 'unsuback':
      return `${packet.type} ${packet.reasonCodes}`;
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
    case 'disconnect':
      return `${packet.type} ${packet.reasonCode}`;
    default:
      return packet.type;
  }
}

export class Script {
  readonly #port: number;
  /** Goes into every Topic Name and Client Identifier: scripts do not see each other. */
  readonly #room: string;
  readonly #clients = new Map<number, RawClient>();
  readonly #owed = new Map<number, ReceivedPublish[]>();

  constructor(port: number, room: string) {
    this.#port = port;
    this.#room = room;
  }

  /** @returns what each client saw because of the action, sorted; all of it has arrived. */
  async step(action: Action, payload: string): Promise<string[][]> {
    const seen = versions.map((): string[] => []);
    const { client } = action;
    const before = this.#clients.get(client);
    const hasActed = await this.#act(action, payload);
    if (hasActed) {
      // The one who acted first: what it caused is on its way when its own answer has come.
      await this.#drain(client, seen);
      if (action.kind === 'connect' && before !== undefined) await this.#drain(client, seen, before);
      for (const other of [...this.#clients.keys()]) await this.#drain(other, seen);
    }
    return seen.map((lines) => lines.sort());
  }

  async #act(action: Action, payload: string): Promise<boolean> {
    const { client } = action;
    const version = versions[client] as 3 | 4 | 5;
    const packets = packetsOf(version);
    const isV5 = version === 5;
    if (action.kind === 'connect') {
      // Not retained: that a Will of a connection taken over is published differs, and would be seen much later.
      const opened = await Client.open(this.#port, { version });
      this.#clients.set(client, opened);
      this.#owed.set(client, []);
      const { will } = action;
      opened.send(
        packets.connect({
          ...{ clientId: `${this.#room}c${client}`, cleanStart: action.cleanStart, keepAlive: 0 },
          properties: action.expiry > 0 ? [property.sessionExpiryInterval(600)] : [],
          will:
            will === null
              ? undefined
              : { ...will, retain: false, topic: `${this.#room}/${will.topic}`, payload: `will of ${client}` },
        }),
      );
      return true;
    }
    const connection = this.#clients.get(client);
    if (connection === undefined) return false;
    switch (action.kind) {
      case 'subscribe': {
        const { qos, retainAsPublished, retainHandling, identifier } = action;
        const options = isV5
          ? { noLocal: action.noLocal && !action.filter.startsWith('$share/'), retainAsPublished, retainHandling }
          : {};
        const filters = [{ filter: this.#filter(action.filter), qos, ...options }];
        const properties = identifier > 0 ? [property.subscriptionIdentifier(identifier)] : [];
        connection.send(packets.subscribe({ packetId: 7, filters, properties }));
        return true;
      }
      case 'unsubscribe':
        connection.send(packets.unsubscribe({ packetId: 7, filters: [this.#filter(action.filter)] }));
        return true;
      case 'publish': {
        const { qos, retain, isEmpty, topic } = action;
        const packetId = qos === 2 ? action.packetId : 9;
        const text = isEmpty ? '' : payload;
        connection.send(packets.publish({ topic: `${this.#room}/${topic}`, payload: text, qos, retain, packetId }));
        if (qos === 2) connection.send(packets.pubrel({ packetId }));
        return true;
      }
      case 'release':
        connection.send(packets.pubrel({ packetId: action.packetId }));
        return true;
      case 'acknowledge':
        for (const { qos, packetId } of this.#owed.get(client)?.splice(0) ?? []) {
          if (qos === 1) connection.send(packets.puback({ packetId }));
          if (qos === 2) connection.send(packets.pubrec({ packetId }), packets.pubcomp({ packetId }));
        }
        return true;
      default:
        return false;
    }
  }

  #filter(filter: string): string {
    const [, share = '', plain = ''] = /^(\$share\/[a-z]\/)?(.*)$/.exec(filter) ?? [];
    return `${share}${this.#room}/${plain}`;
  }

  /** Everything up to the answer to a PINGREQ, or up to the end. */
  async #drain(client: number, seen: string[][], old?: RawClient): Promise<void> {
    const connection = old ?? this.#clients.get(client);
    if (connection === undefined) return;
    if (old === undefined) connection.send('C0 00');
    for (;;) {
      let packet: Received;
      try {
        packet = await connection.next();
      } catch (error) {
        seen[client]?.push((error as Error).message.startsWith('the other end closed') ? 'end' : String(error));
        connection.close();
        if (this.#clients.get(client) === connection) this.#clients.delete(client);
        return;
      }
      if (packet.type === 'pingresp') return;
      if (packet.type === 'publish' && packet.qos > 0) this.#owed.get(client)?.push(packet);
      seen[client]?.push(textOf(packet));
    }
  }

  close(): void {
    for (const connection of this.#clients.values()) connection.close();
  }
}
