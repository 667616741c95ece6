/** The bridge on this side: a Session like that of any other client, to which no access rules apply. */

import type { Engine } from '../broker/engine.ts';
import { sendRetained } from '../broker/retain.ts';
import { leaveSession, openSession } from '../broker/sessions.ts';
import { subscribe, topicFilterOf, unsubscribe } from '../broker/subscribe.ts';
import type { Outlet } from '../contracts/outlet.ts';
import { finish } from '../session/deliver.ts';
import { Outgoing, Step } from '../session/outgoing.ts';
import { sendWaiting } from '../session/send-waiting.ts';
import { neverExpires, type Session } from '../session/session.ts';
import type { BridgeSettings } from './settings.ts';
import type { TopicMap } from './topic-map.ts';

/** Serves the session for the moment in which it is found or made. */
const nobody: Outlet = {
  isCongested: true,
  isFull: true,
  receiveMaximum: 65_535,
  sendPublish: () => false,
  sendPubrel: () => {},
  disconnect: () => {},
};

export class LocalSession {
  readonly #engine: Engine;
  readonly #settings: BridgeSettings;
  readonly #map: TopicMap;
  /** Whether what is there when the bridge begins belongs to an earlier life. */
  #isFirst = true;
  /** Number of the last delivery or request, which a new session goes on counting from. */
  #lastSequence = 0;

  constructor(engine: Engine, settings: BridgeSettings, map: TopicMap) {
    this.#engine = engine;
    this.#settings = settings;
    this.#map = map;
  }

  /** Whether messages wait while there is no connection. A lazy bridge would never connect otherwise. */
  get isKept(): boolean {
    return !this.#settings.localCleanSession || this.#settings.startType === 'lazy';
  }

  /** Messages that wait. */
  get waiting(): number {
    const session = this.#engine.sessions.get(this.#settings.localClientId);
    return (session?.outgoing?.queued ?? 0) + (session?.queuedQos0?.length ?? 0);
  }

  /** Makes the session, so that messages wait in it from now on. */
  prepare(): void {
    if (!this.isKept) return;
    const session = this.open(nobody, 2);
    leaveSession(this.#engine, session, 'normal');
  }

  /**
   * Opens the session, with exactly the subscriptions of the topic lines.
   *
   * @param qosMax - what the other broker takes
   */
  open(outlet: Outlet, qosMax: 0 | 1 | 2): Session {
    const { localClientId: clientId, localUsername: username, localCleanSession, startType } = this.#settings;
    const engine = this.#engine;
    const { session } = openSession(engine, {
      publisher: { clientId, username, listenerPort: 0 },
      cleanStart: localCleanSession && this.#isFirst,
      expiryIntervalSeconds: this.isKept ? neverExpires : 0,
      will: null,
      outlet,
    });
    this.#isFirst = false;
    session.queuesQos0 = startType === 'lazy';
    if (session.outgoing === null && this.#lastSequence > 0) session.outgoing = new Outgoing(this.#lastSequence);
    this.#subscribe(session, qosMax);
    return session;
  }

  /** The session is about to be left by its connection. */
  leaving(session: Session): void {
    this.#lastSequence = session.outgoing?.lastSequence ?? this.#lastSequence;
  }

  /** What waits for a broker that takes less goes with what it takes. [MQTT-3.2.2-11] */
  lower(session: Session, qosMax: 0 | 1 | 2): void {
    if (qosMax < 2) lowerQueuedQos(this.#engine, session, qosMax === 1 ? 1 : 0);
  }

  /** Sends what is retained under the topics that go out. */
  sendRetained(session: Session): void {
    for (const subscription of session.subscriptions) {
      // Shared subscriptions never get retained messages (§4.8.2).
      if (topicFilterOf(this.#engine, subscription).shareName !== null) continue;
      sendRetained(this.#engine, session, subscription);
    }
    sendWaiting(this.#engine, session);
  }

  #subscribe(session: Session, qosMax: 0 | 1 | 2): void {
    const engine = this.#engine;
    const wanted = new Set(this.#map.local.map(({ topicFilter }) => topicFilter.text));
    for (const subscription of [...session.subscriptions]) {
      const { text } = topicFilterOf(engine, subscription);
      if (!wanted.has(text)) unsubscribe(engine, session, text);
    }
    for (const { topicFilter, qos } of this.#map.local) {
      subscribe(engine, session, topicFilter, {
        qos: qos > qosMax ? qosMax : qos,
        noLocal: topicFilter.shareName === null,
        retainAsPublished: true,
        retainHandling: 0,
        identifier: 0,
      });
    }
  }
}

function lowerQueuedQos(engine: Engine, session: Session, qosMax: 0 | 1): void {
  const { outgoing, outlet } = session;
  if (outgoing === null) return;
  if (qosMax === 1) {
    outgoing.lowerQueuedQos();
    return;
  }
  for (let sequence = outgoing.sendAt; sequence < outgoing.end; sequence++) {
    if (outgoing.step(sequence) !== Step.queued) continue;
    const message = outgoing.message(sequence);
    if (message !== null) outlet?.sendPublish(message, 0, outgoing.retain(sequence), false, 0, null);
    engine.stats.deliveriesSent++;
    finish(engine, session, sequence);
  }
}
