/**
 * Events of the engine for those who watch it, and the seam for plugins.
 *
 * `after…` functions are called once the thing has happened, in the order of registration, and are not awaited; what they throw
 * is logged and changes nothing. They are called from inside the engine's work, between two steps of it: who wants to publish,
 * subscribe or disconnect takes what it needs and does that later, as `server/library/call-queue.ts` does for the handlers of a
 * program. An engine that nobody watches pays one look at the length of an array per event; a message that nobody watches pays
 * one look at its route.
 *
 * Functions that are asked beforehand, and may change or refuse, will be called `on…` and stand beside these: same argument
 * first, `MaybePromise` of a `Refusal` or nothing as result, awaited by the one connection they are about. Who may come in and
 * what a client may do are questions of their own: `authenticator.ts`, `authorizer.ts`.
 */
import type { Message, Publisher } from './message.ts';

/** A client with an open Network Connection. */
export interface ConnectedClient extends Publisher {
  readonly address: string;
  readonly port: number;
  readonly protocolVersion: 3 | 4 | 5;
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
}

export interface Hooks {
  afterConnect?(client: ConnectedClient): void;
  /** @param reason - in words, as in the log: "connection closed by client" */
  afterDisconnect?(client: ConnectedClient, reason: string): void;
  afterSubscribe?(client: Publisher, filter: string, qos: 0 | 1 | 2): void;
  afterUnsubscribe?(client: Publisher, filter: string): void;
  /**
   * Which topics `afterPublish` is about; absent: all of them. Asked once per route, not per message, and again after
   * `Broker.watchAgain()`. Messages of other topics may come all the same, when somebody else watches those.
   */
  watches?(topicName: string): boolean;
  /** The message is valid during the call only unless `message.keep()` is taken. */
  afterPublish?(message: Message): void;
}
