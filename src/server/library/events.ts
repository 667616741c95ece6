/** Events of an embedded broker: what handlers get, and from which hook of the engine each comes. */
import type { ConnectedClient, Hooks } from '../../contracts/hooks.ts';
import type { Publisher } from '../../contracts/message.ts';
import { KeptMessage, type ReceivedMessage } from './received-message.ts';

/**
 * What a program can watch with `on`.
 *
 * Handlers are called once the thing has happened, from the event loop, in order, those of one event in the order in which
 * they were registered. They can change nothing about it: what they throw, or what the promise they return is rejected with,
 * goes to the log.
 */
export interface BrokerEvents {
  /** A client was let in and got its CONNACK. */
  readonly connect: (client: ConnectedClient) => unknown;
  /** The connection of a client is over. @param reason - in words, as in the log: `connection closed by client` */
  readonly disconnect: (client: ConnectedClient, reason: string) => unknown;
  /** A client subscribed, or changed a subscription. @param filter - with mount point and `$share/NAME/` @param qos - granted */
  readonly subscribe: (client: Publisher, filter: string, qos: 0 | 1 | 2) => unknown;
  /** A client ended a subscription with UNSUBSCRIBE; subscriptions that end with their session do so silently. */
  readonly unsubscribe: (client: Publisher, filter: string) => unknown;
  /** A message was accepted: of clients, of the program, of the broker itself (`$SYS`), Wills. QoS 2 when it is released. */
  readonly publish: (message: ReceivedMessage) => unknown;
}

/** Makes a call later, from the event loop. */
export type Later = (run: () => unknown) => void;

type Sources = {
  readonly [Name in keyof BrokerEvents]: (handler: BrokerEvents[Name], later: Later, nowMs: () => number) => Hooks;
};

/** By event: the hook that hands it on. */
export const eventSources: Sources = {
  connect: (handler, later) => ({ afterConnect: (client) => later(() => handler(client)) }),
  disconnect: (handler, later) => ({
    afterDisconnect: (client, reason) => later(() => handler(client, reason)),
  }),
  subscribe: (handler, later) => ({
    afterSubscribe: (client, filter, qos) => later(() => handler(client, filter, qos)),
  }),
  unsubscribe: (handler, later) => ({
    afterUnsubscribe: (client, filter) => later(() => handler(client, filter)),
  }),
  publish: (handler, later, nowMs) => ({
    afterPublish: (message) => {
      const kept = new KeptMessage(message, false, nowMs());
      later(() => handler(kept));
    },
  }),
};
