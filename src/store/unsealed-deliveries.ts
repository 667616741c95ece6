/**
 * QoS 1 deliveries that were told and are not in the journal yet: they are written when their group is sealed.
 *
 * Under load most of them are acknowledged before that, while the group ahead is on its way to the disk. Of such a delivery, and
 * of a message that nothing else needs, the journal has to know nothing but that its number was used. So the last number of
 * each client is written as removed, in place of three records for every message, and what a start finds is the same.
 */
import type { Message } from '../contracts/message.ts';

/** Whom the deliveries are told to that have to be written after all. */
export interface DeliverySink {
  deliveryPut(
    clientId: string,
    sequence: number,
    message: Message,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
  ): void;
  deliveryRemoved(clientId: string, sequence: number): void;
}

/** Beyond these the deliveries are written: they hold on to messages. */
const countMax = 8192;
const bytesMax = 1 << 22;
/** Lists kept for the next group. */
const sparesMax = 1024;

/** Deliveries of one client, with consecutive numbers; a removed one has no message. */
interface ClientDeliveries {
  clientId: string;
  first: number;
  /** Highest number removed, 0 = none. */
  removed: number;
  readonly messages: (Message | null)[];
  readonly retain: boolean[];
  readonly subscriptionIds: (readonly number[] | null)[];
}

export class UnsealedDeliveries {
  /** Client Identifier → deliveries, none of them empty. */
  readonly #clients = new Map<string, ClientDeliveries>();
  readonly #spares: ClientDeliveries[] = [];
  readonly #sink: DeliverySink;
  #count = 0;
  #bytes = 0;

  constructor(sink: DeliverySink) {
    this.#sink = sink;
  }

  /** @param sequence - from 1 */
  put(
    clientId: string,
    sequence: number,
    message: Message,
    retain: boolean,
    subscriptionIds: readonly number[] | null,
  ): void {
    if (this.#count >= countMax || this.#bytes >= bytesMax) this.drain();
    let client = this.#clients.get(clientId);
    if (client !== undefined && sequence !== client.first + client.messages.length) {
      this.drain();
      client = undefined;
    }
    if (client === undefined) {
      client = this.#spares.pop() ?? newClient();
      client.clientId = clientId;
      client.first = sequence;
      this.#clients.set(clientId, client);
    }
    client.messages.push(message);
    client.retain.push(retain);
    client.subscriptionIds.push(subscriptionIds);
    this.#count++;
    this.#bytes += message.payloadEnd - message.payloadStart + message.propertiesEnd - message.propertiesStart;
  }

  /** @returns whether the delivery was here, so that no record of it is needed */
  removed(clientId: string, sequence: number): boolean {
    const client = this.#clients.get(clientId);
    if (client === undefined) return false;
    const index = sequence - client.first;
    if (index < 0 || index >= client.messages.length) return false;
    client.messages[index] = null;
    if (sequence > client.removed) client.removed = sequence;
    return true;
  }

  /** Tells everything that is left, and forgets it. */
  drain(): void {
    if (this.#count === 0) return;
    const sink = this.#sink;
    for (const client of this.#clients.values()) {
      const { clientId, first, messages, retain, subscriptionIds, removed } = client;
      for (let index = 0; index < messages.length; index++) {
        const message = messages[index] ?? null;
        if (message === null) continue;
        sink.deliveryPut(clientId, first + index, message, retain[index] === true, subscriptionIds[index] ?? null);
      }
      if (removed > 0) sink.deliveryRemoved(clientId, removed);
    }
    this.clear();
  }

  clear(): void {
    for (const client of this.#clients.values()) {
      if (this.#spares.length >= sparesMax) break;
      client.removed = 0;
      client.messages.length = client.retain.length = client.subscriptionIds.length = 0;
      this.#spares.push(client);
    }
    this.#clients.clear();
    this.#count = this.#bytes = 0;
  }
}

function newClient(): ClientDeliveries {
  return { clientId: '', first: 0, removed: 0, messages: [], retain: [], subscriptionIds: [] };
}
