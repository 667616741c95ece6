/** What two starts found, held against each other: which facts one of them has and the other has not. */
import { createHash } from 'node:crypto';
import type { Message } from '../../src/contracts/message.ts';
import type { DeliveryFact, Fact } from '../../src/contracts/store.ts';
import { contentOf } from './ledger.ts';

/** A fact as a line, with the client and the message it is about. */
export interface Line {
  readonly text: string;
  readonly client: string;
  /** What tells the message from others; its time of expiry, which lies apart from it, does not. */
  readonly message: string;
  /** Topic Name of a retained message. */
  readonly topic: string;
}

/** How far a fact may be from its place before it counts as gone and come. */
const reach = 40;

/** The lines that only one side has. Both have nearly the same facts in nearly the same order, or this takes long. */
export function differences(before: readonly Fact[], after: readonly Fact[]): Line[] {
  const gone: Fact[] = [];
  const come: Fact[] = [];
  /** Store ids of messages that differ, so that what refers to them does too. */
  const differing = new Set<number>();
  const take = (fact: Fact, from: Fact[]): void => {
    from.push(fact);
    if (fact.kind === 'message') differing.add(fact.message.storeId);
  };
  let at = 0;
  let other = 0;
  while (at < before.length || other < after.length) {
    const one = before[at];
    const two = after[other];
    if (one === undefined || two === undefined) {
      if (one !== undefined) take(one, gone);
      if (two !== undefined) take(two, come);
      at++;
      other++;
      continue;
    }
    if (isSame(one, two, differing)) {
      at++;
      other++;
      continue;
    }
    let skip = 1;
    const isFound = (): boolean => {
      const ahead = before[at + skip];
      const otherAhead = after[other + skip];
      return (
        (ahead !== undefined && isSame(ahead, two, differing)) ||
        (otherAhead !== undefined && isSame(one, otherAhead, differing))
      );
    };
    while (skip < reach && !isFound()) skip++;
    if (skip === reach) {
      take(one, gone);
      take(two, come);
      at++;
      other++;
      continue;
    }
    const ahead = before[at + skip];
    if (ahead !== undefined && isSame(ahead, two, differing)) while (skip-- > 0) take(before[at++] as Fact, gone);
    else while (skip-- > 0) take(after[other++] as Fact, come);
  }
  if (gone.length + come.length === 0) return [];
  const were = linesOf(gone, before);
  const are = linesOf(come, after);
  return [
    ...[...were.values()].filter(({ text }) => !are.has(text)),
    ...[...are.values()].filter(({ text }) => !were.has(text)),
  ];
}

function isSame(one: Fact, two: Fact, differing: ReadonlySet<number>): boolean {
  if (one.kind !== two.kind) return false;
  switch (one.kind) {
    case 'message':
      return isSameMessage(one.message, (two as typeof one).message);
    case 'delivery':
      return isSameDelivery(one, two as typeof one) && !differing.has(one.storeId);
    case 'retained':
      return one.storeId === (two as typeof one).storeId && !differing.has(one.storeId);
    case 'session':
    case 'subscription':
      return JSON.stringify(one) === JSON.stringify(two);
    case 'will': {
      const will = two as typeof one;
      const isAlike = one.clientId === will.clientId && one.delaySeconds === will.delaySeconds;
      return isAlike && one.dueAtMs === will.dueAtMs && isSameMessage(one.message, will.message);
    }
  }
}

function isSameDelivery(one: DeliveryFact, two: DeliveryFact): boolean {
  return (
    one.storeId === two.storeId &&
    one.sequence === two.sequence &&
    one.clientId === two.clientId &&
    one.direction === two.direction &&
    one.qos === two.qos &&
    one.retain === two.retain &&
    one.subscriptionIds.length === two.subscriptionIds.length &&
    one.subscriptionIds.every((id, index) => id === two.subscriptionIds[index])
  );
}

function isSameMessage(one: Message, two: Message): boolean {
  return (
    one.storeId === two.storeId &&
    one.topic.name === two.topic.name &&
    one.qos === two.qos &&
    one.retain === two.retain &&
    one.expiresAtMs === two.expiresAtMs &&
    one.publisherPacketId === two.publisherPacketId &&
    one.publisher.clientId === two.publisher.clientId &&
    one.publisher.username === two.publisher.username &&
    one.publisher.listenerPort === two.publisher.listenerPort &&
    one.propertiesEnd - one.propertiesStart === two.propertiesEnd - two.propertiesStart &&
    one.payload.equals(two.payload)
  );
}

/** @param all - where the messages are that the facts refer to */
function linesOf(facts: readonly Fact[], all: readonly Fact[]): Map<string, Line> {
  const messages = new Map<number, Message>();
  for (const fact of all) if (fact.kind === 'message') messages.set(fact.message.storeId, fact.message);
  const lines = new Map<string, Line>();
  const add = (text: string, client: string, message: string, topic: string): void => {
    lines.set(text, { text, client, message, topic });
  };
  for (const fact of facts) {
    switch (fact.kind) {
      case 'message':
        // What refers to it tells.
        break;
      case 'session':
      case 'subscription':
        add(JSON.stringify(fact), fact.clientId, '', '');
        break;
      case 'delivery': {
        const { clientId, direction, sequence, qos, retain, subscriptionIds } = fact;
        const message = messages.get(fact.storeId) ?? null;
        const facts = [clientId, direction, sequence, qos, retain, subscriptionIds.join(',')].join('|');
        add(`delivery|${facts}|${message === null ? '' : wholeOf(message)}`, clientId, identityOf(message), '');
        break;
      }
      case 'retained': {
        const message = messages.get(fact.storeId) ?? null;
        const text = `retained|${message === null ? '' : wholeOf(message)}`;
        add(text, '', identityOf(message), message?.topic.name ?? '');
        break;
      }
      case 'will': {
        const text = `will|${fact.clientId}|${fact.delaySeconds}|${fact.dueAtMs}|${wholeOf(fact.message)}`;
        add(text, fact.clientId, identityOf(fact.message), '');
        break;
      }
    }
  }
  return lines;
}

function identityOf(message: Message | null): string {
  if (message === null) return '';
  const { topic, publisher, payloadLength, payload } = message;
  return [topic.name, publisher.clientId, payloadLength, payload[0] ?? 0].join('~');
}

function wholeOf(message: Message): string {
  return `${contentOf(message)}~${createHash('sha1').update(message.payload).digest('hex')}`;
}
