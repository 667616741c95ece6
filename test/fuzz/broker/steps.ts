/** What clients do, chosen at random, as bytes and as what they mean. */
import { packetsOf } from '../../conformance/wire/packets.ts';
import { type Property, property } from '../../conformance/wire/properties.ts';
import type { Chance } from './chance.ts';
import type { Message, Qos } from './oracle.ts';
import { type Client, type Exchange, inflightMax, type Sent, type World } from './world.ts';

const long = `long/${'é'.repeat(400)}`;
const topics = ['a', 'a/b', 'a/b/c', 'b', '/', 'a//b', '$x/y', 'é/日本', 'x'.repeat(255), long] as const;
const filters = [...topics, '#', '+', 'a/#', '+/b', '+/+', 'a/+/b', '/#', '/+', '$x/#', '+/#', 'm/#', 'm/a', '+/+/+'];

export class Steps {
  readonly #world: World;
  readonly #chance: Chance;
  #lastMessage = 0;
  #lastIdentifier = 0;

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance;
  }

  /** One client does something. */
  async step(): Promise<void> {
    const chance = this.#chance;
    const client = chance.of(this.#world.clients);
    if (client.line === null) {
      await this.connect(client, chance.oneIn(4), chance.below(4) > 0);
      return;
    }
    const kind = chance.below(40);
    if (chance.oneIn(150)) await this.#world.restart();
    else if (kind === 0) this.#world.cut(client);
    else if (kind === 1) await this.#disconnect(client);
    else if (kind === 2) await this.connect(client, chance.oneIn(3), chance.below(4) > 0);
    else if (kind === 3) client.line.block(chance.below(500));
    else if (kind === 4) client.line.unblock();
    else if (kind === 5) this.#world.ledger.commit();
    else if (kind === 6) this.#world.clock.advance(chance.below(3000));
    else await this.#world.send(client, this.#burst(client), true);
  }

  async connect(client: Client, cleanStart: boolean, persists: boolean): Promise<void> {
    const { version, packetBytesMax, takesAliases } = client;
    // In 3.x Clean Session says both.
    const cleans = version === 5 ? cleanStart : !persists;
    const message = this.#chance.oneIn(3) ? this.#message(client, this.#chance.of(topics)) : null;
    const will = message !== null && message.message.payload.length <= 65_535 ? message : null;
    this.#world.connect(client, cleans, persists, will?.message ?? null);
    const receiveMaximum = version === 5 && this.#chance.oneIn(2) ? this.#chance.of([1, 2, 3, 40]) : 0;
    client.receiveMaximum = receiveMaximum || inflightMax;
    const { payload = Buffer.alloc(0), topic = '', qos = 0, retain = false } = will?.message ?? {};
    const connect = packetsOf(version).connect({
      ...{ clientId: client.id, cleanStart: cleans, keepAlive: 0 },
      properties: [
        property.sessionExpiryInterval(persists ? 0xffff_ffff : 0),
        ...(receiveMaximum > 0 ? [property.receiveMaximum(receiveMaximum)] : []),
        ...(packetBytesMax > 0 ? [property.maximumPacketSize(packetBytesMax)] : []),
        ...(takesAliases ? [property.topicAliasMaximum(8)] : []),
      ],
      will:
        will === null
          ? undefined
          : { topic: topic.slice(client.mount.length), payload, qos, retain, properties: will.properties },
    });
    const again = [...client.exchanges].map(([packetId, exchange]): Sent => {
      return exchange.isReceived ? this.#release(client, packetId) : this.#publishAgain(client, packetId, exchange);
    });
    await this.#world.send(client, [{ bytes: connect, means: () => {} }, ...again], false);
    if (this.#chance.oneIn(2)) this.#world.countFrom(client, 65_500 + this.#chance.below(36));
  }

  async #disconnect(client: Client): Promise<void> {
    const { session } = client;
    if (session === null) return;
    const disconnect = packetsOf(client.version).disconnect();
    const means = (): void => {
      session.will = null;
      this.#world.oracle.leave(session, this.#world.nowMs);
    };
    await this.#world.send(client, [{ bytes: disconnect, means }], false);
    this.#world.forget(client);
  }

  /** A few packets in one go, many of them about one topic. */
  #burst(client: Client): Sent[] {
    const chance = this.#chance;
    const topic = chance.of(topics);
    const sent: Sent[] = [];
    for (let count = 1 + chance.below(chance.oneIn(4) ? 30 : 4); count > 0; count--) {
      const one = this.#packet(client, chance.oneIn(3) ? chance.of(topics) : topic);
      if (one !== null) sent.push(one);
    }
    return sent;
  }

  #packet(client: Client, topic: string): Sent | null {
    const chance = this.#chance;
    const kind = chance.below(20);
    if (kind < 3) return this.#subscribe(client);
    if (kind < 4) return this.#unsubscribe(client);
    if (kind < 9) return this.#world.answer(client);
    if (kind < 11) {
      const open = [...client.exchanges].filter(([, { isReceived, isReleased }]) => isReceived && !isReleased);
      return open.length === 0 ? null : this.#release(client, chance.of(open)[0]);
    }
    return this.#publish(client, topic);
  }

  #publish(client: Client, topic: string): Sent | null {
    const chance = this.#chance;
    const { session } = client;
    const { message, properties } = this.#message(client, topic);
    const { payload, qos, retain } = message;
    if (session === null || (qos > 0 && client.exchanges.size >= inflightMax)) return null;
    let name = topic;
    const order = [...properties];
    if (client.version === 5 && chance.oneIn(3)) {
      const known = [...client.aliases].find(([, one]) => one === topic)?.[0];
      const alias = known ?? 1 + chance.below(4);
      if (known !== undefined && chance.oneIn(2)) name = '';
      client.aliases.set(alias, topic);
      order.splice(chance.below(order.length + 1), 0, property.topicAlias(alias));
    }
    let packetId = 0;
    if (qos > 0) {
      do packetId = chance.oneIn(5) ? 65_535 - chance.below(4) : 1 + chance.below(40);
      while (client.exchanges.has(packetId));
      client.exchanges.set(packetId, { message, qos: qos as 1 | 2, properties, isReceived: false, isReleased: false });
    }
    return {
      bytes: packetsOf(client.version).publish({ topic: name, payload, qos, retain, packetId, properties: order }),
      means: () => {
        if (qos < 2) this.#world.oracle.accept(message, this.#world.nowMs);
        else this.#owning(client, packetId, message)();
      },
    };
  }

  #publishAgain(client: Client, packetId: number, { message, properties }: Exchange): Sent {
    const { topic, payload, retain } = message;
    const name = topic.slice(client.mount.length);
    const fields = { topic: name, payload, qos: 2, retain, packetId, dup: true, properties } as const;
    return { bytes: packetsOf(client.version).publish(fields), means: this.#owning(client, packetId, message) };
  }

  /** The broker owns the message, unless it does already. */
  #owning({ session }: Client, packetId: number, message: Message): () => void {
    return () => {
      if (session === null || session.received.has(packetId)) return;
      message.readAtMs = this.#world.nowMs;
      session.received.set(packetId, message);
    };
  }

  #release(client: Client, packetId: number): Sent {
    const { session } = client;
    const exchange = client.exchanges.get(packetId);
    if (exchange !== undefined) exchange.isReleased = true;
    return {
      bytes: packetsOf(client.version).pubrel({ packetId }),
      means: () => {
        const message = session?.received.get(packetId);
        session?.received.delete(packetId);
        if (message !== undefined) this.#world.oracle.accept(message, this.#world.nowMs);
      },
    };
  }

  #subscribe(client: Client): Sent {
    const chance = this.#chance;
    const { session, version, mount } = client;
    const isV5 = version === 5;
    const share = chance.oneIn(4) ? `$share/${isV5 ? chance.of(['g', 'h']) : 'g'}/` : '';
    // Without Subscription Identifiers nobody could tell which of two groups gave a copy.
    const filter = share !== '' && !isV5 ? 'a/#' : chance.of(filters);
    const qos = chance.below(3) as Qos;
    const noLocal = isV5 && share === '' && chance.oneIn(3);
    const retainAsPublished = isV5 && chance.oneIn(2);
    const retainHandling = isV5 ? (chance.below(3) as 0 | 1 | 2) : 0;
    const identifier = isV5 && (share !== '' || chance.below(4) > 0) ? this.#identifier() : 0;
    const request = { filter: share + filter, qos, ...(isV5 ? { noLocal, retainAsPublished, retainHandling } : {}) };
    return {
      bytes: packetsOf(version).subscribe({
        ...{ packetId: 50_000, filters: [request] },
        properties: identifier > 0 ? [property.subscriptionIdentifier(identifier)] : [],
      }),
      means: () => {
        if (session === null) return;
        const internal = share + mount + filter;
        const isNew = !session.subscriptions.has(internal);
        this.#world.oracle.subscribe(
          {
            ...{ session, filter: internal, qos, noLocal, retainAsPublished, identifier },
            identifiers: [identifier],
          },
          share === '' && (retainHandling === 0 || (retainHandling === 1 && isNew)),
        );
      },
    };
  }

  /** Where a Variable Byte Integer becomes longer, too. */
  #identifier(): number {
    this.#lastIdentifier += this.#lastIdentifier === 60 ? 66 : this.#lastIdentifier === 200 ? 16_180 : 1;
    return this.#lastIdentifier;
  }

  #unsubscribe(client: Client): Sent {
    const { session, version, mount } = client;
    const present = session === null ? [] : [...session.subscriptions.keys()];
    const internal = present.length > 0 && this.#chance.below(4) > 0 ? this.#chance.of(present) : `${mount}a`;
    const at = internal.startsWith('$share/') ? internal.indexOf('/', 7) + 1 : 0;
    const filter = internal.slice(0, at) + internal.slice(at + mount.length);
    return {
      bytes: packetsOf(version).unsubscribe({ packetId: 50_001, filters: [filter] }),
      means: () => void (session !== null && this.#world.oracle.unsubscribe(session, internal)),
    };
  }

  #message(client: Client, topic: string): { readonly message: Message; readonly properties: Buffer[] } {
    const chance = this.#chance;
    const retain = chance.oneIn(3);
    const [properties, bytes] = client.version === 5 ? this.#properties() : [[], []];
    const expiry = client.version === 5 && chance.oneIn(4) ? 100_000 + chance.below(1000) : 0;
    const all = [...bytes];
    if (expiry > 0) all.splice(chance.below(all.length + 1), 0, property.messageExpiryInterval(expiry));
    const message: Message = {
      ...{ topic: client.mount + topic, payload: this.#payload(retain), qos: chance.below(3) as Qos, retain },
      ...{ properties, expiry, publisher: client.id, order: 0, readAtMs: 0 },
    };
    return { message, properties: all };
  }

  /** Eight characters that tell which message it is, and more that follow from them. */
  #payload(mayBeEmpty: boolean): Buffer {
    const chance = this.#chance;
    const number = ++this.#lastMessage;
    if (mayBeEmpty && chance.oneIn(5)) return Buffer.alloc(0);
    const kind = chance.below(60);
    const length =
      kind < 40
        ? chance.below(60)
        : kind < 50
          ? 60 + chance.below(90)
          : kind < 56
            ? 400 + chance.below(300)
            : kind < 59
              ? 16_300 + chance.below(120)
              : chance.of([2100, 2100, 65_535, 70_000, chance.oneIn(8) ? 1_200_000 : 4000]);
    const payload = Buffer.alloc(8 + length, `${number}.`.padStart(11, '-'));
    payload.write(`${number}`.padStart(8, '0'), 0);
    return payload;
  }

  #properties(): [Property[], Buffer[]] {
    const chance = this.#chance;
    const all: [Property, Buffer][] = [];
    const text = 'é'.repeat(chance.oneIn(6) ? 70 : chance.below(5));
    if (chance.oneIn(4)) all.push([['contentType', text], property.contentType(text)]);
    if (chance.oneIn(4)) all.push([['payloadFormatIndicator', 0], property.payloadFormatIndicator(0)]);
    if (chance.oneIn(4)) all.push([['responseTopic', `r/${text}`], property.responseTopic(`r/${text}`)]);
    if (chance.oneIn(4)) {
      const data = Buffer.alloc(chance.below(20), chance.below(256));
      all.push([['correlationData', data], property.correlationData(data)]);
    }
    for (let count = chance.below(3); count > 0; count--) {
      const pair = [`name ${count}`, text] as const;
      all.push([['userProperty', pair], property.userProperty(pair)]);
    }
    for (let at = all.length - 1; at > 0; at--) {
      const other = chance.below(at + 1);
      [all[at], all[other]] = [all[other] as [Property, Buffer], all[at] as [Property, Buffer]];
    }
    return [all.map(([one]) => one), all.map(([, bytes]) => bytes)];
  }
}
