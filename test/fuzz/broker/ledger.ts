/**
 * A store that writes down what it is told as plain maps, and makes it safe when the test says so. What it has must be what the
 * engine says it holds, byte by byte, at any time.
 */
import { createMessage, type Message } from '../../../src/contracts/message.ts';
import { DeliveryState, type Fact, type Store } from '../../../src/contracts/store.ts';
import { createMemoryStore } from '../../../src/store/memory-store.ts';
import { Topic } from '../../../src/topics/topic.ts';

export class Ledger {
  readonly store: Store;
  /** Whether what is told is safe only when `commit` is called. */
  readonly #isSlow: boolean;
  #position = 0;
  #committed = 0;
  readonly #sessions = new Set<string>();
  /** What belongs to a session: its Client Identifier in front. */
  readonly #facts = new Map<string, string>();
  #source: () => Iterable<Fact> = () => [];

  constructor(isSlow: boolean) {
    this.#isSlow = isSlow;
    this.store = Object.defineProperties(
      { ...createMemoryStore(), ...this.#told() },
      { position: { get: () => this.#position }, committed: { get: () => this.#committed } },
    );
  }

  commit(): void {
    if (this.#committed === this.#position) return;
    this.#committed = this.#position;
    this.store.onCommitted?.();
  }

  /** The process ends and another begins: what the engine holds is what it is given back, in messages of their own. */
  restart(): void {
    const facts = [...this.#source()].map((fact) =>
      'message' in fact ? { ...fact, message: copyOf(fact.message) } : fact,
    );
    this.store.restore = () => facts;
  }

  /** What is written down and what the engine holds. */
  compare(): { readonly written: readonly string[]; readonly held: readonly string[] } {
    const messages = new Map<number, string>();
    const held: string[] = [];
    for (const fact of this.#source()) {
      switch (fact.kind) {
        case 'message':
          messages.set(fact.message.storeId, contentOf(fact.message));
          break;
        case 'session':
          held.push(`${fact.clientId} session`);
          break;
        case 'subscription':
          held.push(`${fact.clientId} subscription ${fact.filter} = ${optionsOf(fact)}`);
          break;
        case 'retained':
          held.push(`retained = ${messages.get(fact.storeId)}`);
          break;
        case 'will':
          held.push(`${fact.clientId} will = ${contentOf(fact.message)}`);
          break;
        case 'delivery': {
          const content = fact.storeId === 0 ? '' : messages.get(fact.storeId);
          const isSent = fact.direction === 'out' && fact.state === DeliveryState.awaitingPubcomp;
          const ids = fact.subscriptionIds.join();
          if (fact.direction === 'in') held.push(`${fact.clientId} in ${fact.sequence} = ${content}`);
          else if (isSent) held.push(`${fact.clientId} out ${fact.sequence} = released`);
          else if (fact.sequence === 0) held.push(`${fact.clientId} out 0 = 0 ${fact.retain} ${ids} ${content}`);
          else held.push(`${fact.clientId} out ${fact.sequence} = ${fact.qos} ${fact.retain} ${ids} ${content}`);
        }
      }
    }
    const written = [...this.#facts].map(([key, value]) => {
      const name = key.startsWith('retained ') ? 'retained' : key.replace(/^(\S+ out 0) \d+$/, '$1');
      return value === '' ? name : `${name} = ${value}`;
    });
    // QoS 0 messages on their way out are not the store's any more.
    const isLetGo = (line: string): boolean => / out 0 = /.test(line) && !written.includes(line);
    return { written: written.sort(), held: held.filter((line) => !isLetGo(line)).sort() };
  }

  #put(key: string, value: string): void {
    this.#tell();
    this.#facts.set(key, value);
  }

  #remove(key: string): void {
    this.#tell();
    if (!this.#facts.delete(key)) throw new Error(`the store is told that ${key} is gone, which it does not have`);
  }

  #tell(): void {
    this.#position++;
    if (!this.#isSlow) this.#committed = this.#position;
  }

  #know(clientId: string): void {
    if (!this.#sessions.has(clientId)) throw new Error(`the store does not know the session ${clientId}`);
  }

  #told(): Partial<Store> {
    let qos0 = 0;
    return {
      sessionPut: ({ clientId }) => {
        this.#sessions.add(clientId);
        this.#put(`${clientId} session`, '');
      },
      sessionRemoved: (clientId) => {
        this.#know(clientId);
        this.#sessions.delete(clientId);
        this.#tell();
        for (const key of this.#facts.keys()) if (key.startsWith(`${clientId} `)) this.#facts.delete(key);
      },
      subscriptionPut: (fact) => {
        this.#know(fact.clientId);
        this.#put(`${fact.clientId} subscription ${fact.filter}`, optionsOf(fact));
      },
      subscriptionRemoved: (clientId, filter) => this.#remove(`${clientId} subscription ${filter}`),
      deliveryPut: (clientId, sequence, message, qos, retain, ids) => {
        this.#know(clientId);
        const key = sequence === 0 ? `${clientId} out 0 ${++qos0}` : `${clientId} out ${sequence}`;
        this.#put(key, `${qos} ${retain} ${(ids ?? []).join()} ${contentOf(message)}`);
      },
      deliveryReleased: (clientId, sequence) => {
        this.#remove(`${clientId} out ${sequence}`);
        this.#facts.set(`${clientId} out ${sequence}`, 'released');
      },
      deliveryRemoved: (clientId, sequence) => {
        if (sequence > 0) this.#remove(`${clientId} out ${sequence}`);
        else for (const key of this.#facts.keys()) if (key.startsWith(`${clientId} out 0 `)) this.#facts.delete(key);
      },
      receivedPut: (clientId, packetId, message) => {
        this.#know(clientId);
        this.#put(`${clientId} in ${packetId}`, contentOf(message));
      },
      receivedRemoved: (clientId, packetId) => this.#remove(`${clientId} in ${packetId}`),
      retainedPut: (message) => this.#put(`retained ${message.topic.name}`, contentOf(message)),
      retainedRemoved: (topicName) => this.#remove(`retained ${topicName}`),
      willPut: (clientId, message) => this.#put(`${clientId} will`, contentOf(message)),
      willRemoved: (clientId) => this.#remove(`${clientId} will`),
      attach: (source) => {
        this.#source = source;
      },
    };
  }
}

function copyOf(message: Message): Message {
  const { topic, publisher, payload, qos, retain, expiresAtMs, storeId } = message;
  const { propertiesSource, propertiesStart, propertiesEnd, expiryOffset } = message;
  const copy = createMessage(Topic.of(topic.name), publisher, {
    ...{ payload: Buffer.from(payload), qos, retain, expiresAtMs },
    properties: Buffer.from(propertiesSource.subarray(propertiesStart, propertiesEnd)),
    expiryOffset: expiryOffset < 0 ? -1 : expiryOffset - propertiesStart,
  });
  copy.storeId = storeId;
  return copy;
}

function optionsOf(fact: Parameters<Store['subscriptionPut']>[0]): string {
  return `${fact.qos} ${fact.noLocal} ${fact.retainAsPublished} ${fact.retainHandling} ${fact.identifier}`;
}

/** Topic, properties and payload as text; the beginning of long ones and a sum of the rest. */
function contentOf(message: Message): string {
  const { payload, propertiesSource, propertiesStart, propertiesEnd } = message;
  const properties = propertiesSource.toString('hex', propertiesStart, propertiesEnd);
  let sum = payload.length;
  for (const byte of payload) sum = (Math.imul(sum, 31) + byte) | 0;
  return `${message.topic.name} ${message.qos} ${properties} ${payload.toString('hex', 0, 16)} ${payload.length} ${sum}`;
}
