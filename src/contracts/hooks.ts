/**
 * Events of the engine for those who watch it. `after…` functions are called once the thing has happened, in the order of
 * registration, and are not awaited; what they throw is logged and changes nothing.
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
  /** The message is valid during the call only unless `message.keep()` is taken. */
  afterPublish?(message: Message): void;
}
