/**
 * One bridge: when it connects, to which address, what it does with a connection that was accepted, and what comes after one that is
 * over. See `link.ts` for the connection, `local-session.ts` for what waits for it.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../base/clock.ts';
import { InvariantViolation } from '../base/invariant.ts';
import type { Broker } from '../broker/broker.ts';
import { systemErrorText } from '../broker/log-lines.ts';
import { endSession } from '../broker/sessions.ts';
import type { ServerLimits } from '../client/server-limits.ts';
import type { ConnackPacket } from '../codec/packet.ts';
import { ReasonCode, reasonCodeName, returnCodeOf } from '../codec/reason-code.ts';
import type { Hub } from '../connection/hub.ts';
import { resume } from '../session/send-waiting.ts';
import type { Session } from '../session/session.ts';
import { dialErrorOf } from '../transport/dial-error.ts';
import { Addresses } from './addresses.ts';
import { bridgeLines, returnCodeText } from './bridge-lines.ts';
import { type Belief, connectPacket, firstBelief, lowered, notificationTopic } from './connect-packet.ts';
import { Attempt } from './dial-remote.ts';
import { Link, type LinkOwner } from './link.ts';
import { LocalSession } from './local-session.ts';
import { RestartDelay } from './restart-delay.ts';
import type { BridgeSettings } from './settings.ts';
import { TopicMap } from './topic-map.ts';
import { TopicNames } from './topic-names.ts';

/** How often the first address is tried while the bridge is connected to another one. */
const probeMs = 5000;
/** How often a lazy bridge looks whether there is something to do. */
const lookMs = 500;

/** What a bridge is part of. */
export interface BridgeSurroundings {
  readonly hub: Hub;
  readonly broker: Broker;
}

export class Bridge implements LinkOwner {
  readonly #hub: Hub;
  readonly #broker: Broker;
  readonly #clock: Clock;
  #settings: BridgeSettings;
  /** Settings to be taken at the next connection. */
  #next: BridgeSettings | null = null;
  #map: TopicMap;
  #local: LocalSession;
  #addresses: Addresses;
  #delay: RestartDelay;
  #belief: Belief;
  #attempt: Attempt | null = null;
  #probe: Attempt | null = null;
  #link: Link | null = null;
  /** To the next attempt. */
  #restart: Timer | null = null;
  /** While connected: looks for the first address. */
  #probes: Timer | null = null;
  /** Of a lazy bridge. */
  #looks: Timer | null = null;
  #seenMessages = 0;
  #idleSinceMs = 0;
  #acceptedAtMs: number | null = null;
  /** What to do when the present connection is over, where that is not to wait and try again. */
  #after: 'connect' | 'wait-for-messages' | null = null;
  #isStopped = false;

  constructor({ hub, broker }: BridgeSurroundings, settings: BridgeSettings) {
    this.#hub = hub;
    this.#broker = broker;
    this.#clock = broker.engine.clock;
    this.#settings = settings;
    this.#map = new TopicMap(settings.topics);
    this.#local = new LocalSession(broker.engine, settings, this.#map);
    this.#addresses = new Addresses(settings.addresses, settings.roundRobin);
    this.#delay = new RestartDelay(settings.restart, this.#clock);
    this.#belief = firstBelief(settings);
  }

  get settings(): BridgeSettings {
    return this.#next ?? this.#settings;
  }

  /** Makes the local session and says that the bridge is down; before anybody can publish. */
  prepare(): void {
    const { engine } = this.#broker;
    const { name, localClientId, notificationTopic: topic } = this.#settings;
    engine.nowMs = engine.clock.nowMs();
    engine.ownClientIds.add(localClientId);
    this.#local.prepare();
    if (topic !== null && notificationTopic(this.#settings) === null) {
      this.#log('warning', bridgeLines.noNotifications(name, topic));
    }
    this.#notifyHere('0');
  }

  start(): void {
    if (this.#settings.startType === 'lazy') this.#looks = this.#clock.every(lookMs, () => this.#look());
    this.#connect();
  }

  /** Takes other settings, for the same name: at once or at the next connection, as they say. */
  change(settings: BridgeSettings): void {
    this.#next = settings;
    if (settings.changesAtOnce) this.#reconnect();
    else if (this.#attempt === null && this.#link === null && this.#restart === null) this.#take();
  }

  /** Connects no more; a connection that is open is for the broker to end, with all others. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of [this.#restart, this.#probes, this.#looks]) timer?.cancel();
    this.#attempt?.cancel();
    this.#probe?.cancel();
  }

  /** Ends it and its local session: the configuration has it no more. */
  remove(): void {
    this.stop();
    this.#link?.end();
    this.#forgetLocal();
  }

  #forgetLocal(): void {
    const { engine } = this.#broker;
    const { localClientId } = this.#settings;
    engine.ownClientIds.delete(localClientId);
    const session = engine.sessions.get(localClientId);
    if (session !== undefined) endSession(engine, session);
  }

  #reconnect(): void {
    if (this.#link !== null) {
      this.#after = 'connect';
      this.#link.end();
      return;
    }
    this.#attempt?.cancel();
    this.#connect();
  }

  /** The changed settings are in force from here on. */
  #take(): void {
    const next = this.#next;
    if (next === null) return;
    this.#next = null;
    const { engine } = this.#broker;
    if (next.localClientId !== this.#settings.localClientId) this.#forgetLocal();
    this.#settings = next;
    this.#map = new TopicMap(next.topics);
    this.#local = new LocalSession(engine, next, this.#map);
    this.#addresses = new Addresses(next.addresses, next.roundRobin);
    this.#delay = new RestartDelay(next.restart, this.#clock);
    this.#belief = firstBelief(next);
    this.#looks?.cancel();
    this.#looks = next.startType === 'lazy' ? this.#clock.every(lookMs, () => this.#look()) : null;
    this.prepare();
  }

  #connect(): void {
    this.#restart?.cancel();
    this.#restart = null;
    this.#after = null;
    if (this.#isStopped) return;
    this.#take();
    const address = this.#addresses.current;
    this.#log('notice', bridgeLines.connecting(this.#settings.name, address.host, address.port));
    const attempt = new Attempt(address, this.#settings, this.#clock);
    this.#attempt = attempt;
    attempt.socket.then(
      (socket) => this.#dialled(attempt, socket),
      (error: unknown) => this.#unreachable(attempt, error),
    );
  }

  #dialled(attempt: Attempt, socket: Socket): void {
    if (attempt !== this.#attempt || this.#isStopped) {
      socket.destroy();
      return;
    }
    this.#attempt = null;
    if (socket.destroyed) {
      this.#connectLater();
      return;
    }
    const settings = this.#settings;
    const { tcpKeepaliveSeconds } = settings;
    if (tcpKeepaliveSeconds !== null) socket.setKeepAlive(true, tcpKeepaliveSeconds * 1000);
    const { engine } = this.#broker;
    engine.nowMs = engine.clock.nowMs();
    const names = new TopicNames(engine, this.#map);
    const connect = connectPacket(settings, this.#belief);
    this.#link = new Link(this.#hub, socket, this.#addresses.current, settings, connect, names, this);
  }

  #unreachable(attempt: Attempt, error: unknown): void {
    if (error instanceof InvariantViolation) throw error;
    if (attempt !== this.#attempt) return;
    this.#attempt = null;
    if (this.#isStopped) return;
    this.#log('error', bridgeLines.unreachable(reasonOf(error)));
    this.#connectLater();
  }

  // What the connection tells.

  onAccepted(link: Link, limits: ServerLimits): void {
    const settings = this.#settings;
    const { name } = settings;
    const { engine } = this.#broker;
    const session = this.#local.open(link.connection, limits.maximumQos);
    link.open(session, limits);
    this.#acceptedAtMs = this.#idleSinceMs = this.#clock.monotonicMs();
    const address = this.#addresses.current;
    this.#log('notice', bridgeLines.connected(name, address.host, address.port));
    // The order is Mosquitto's: state, subscriptions, what waited, what is retained.
    const topic = settings.isNotificationLocalOnly ? null : notificationTopic(settings);
    if (topic !== null) link.notify(topic, '1', limits);
    this.#notifyHere('1');
    for (const { filter, qos, isWanted } of this.#map.remote) {
      if (isWanted) link.subscribe(filter, qos > limits.maximumQos ? limits.maximumQos : qos);
      else if (settings.attemptUnsubscribe) link.unsubscribe(filter);
    }
    this.#local.lower(session, limits.maximumQos);
    resume(engine, session);
    this.#local.sendRetained(session);
    if (this.#addresses.primary !== null) {
      this.#probes = this.#clock.every(probeMs, () => this.#probePrimary());
    }
  }

  onRefused(packet: ConnackPacket): void {
    const { reasonCode } = packet;
    const belief = this.#belief;
    const next = lowered(belief, packet);
    if (next !== null) {
      this.#belief = next;
      this.#after = 'connect';
    }
    if (next !== null && belief.version === 5 && next.version === 4) {
      this.#log('warning', bridgeLines.withoutVersion5(this.#settings.name));
    } else if (next !== null && reasonCode === ReasonCode.QosNotSupported) {
      this.#log('error', bridgeLines.refused('QoS not supported (will retry)'));
    } else if (next !== null && reasonCode === ReasonCode.RetainNotSupported) {
      this.#log('error', bridgeLines.refused('retain not available (will retry)'));
    } else if (belief.version === 5) {
      this.#log('error', bridgeLines.refused(reasonCodeName(reasonCode, 'connack')));
    } else {
      this.#log('error', bridgeLines.refused(returnCodeText(returnCodeOf(reasonCode))));
    }
  }

  onSubscriptionRefused(filter: string): void {
    this.#log('warning', bridgeLines.subscriptionRefused(this.#settings.name, filter));
  }

  onLeaving(session: Session): void {
    this.#local.leaving(session);
  }

  onEnded(): void {
    this.#link = null;
    this.#probes?.cancel();
    this.#probe?.cancel();
    this.#probes = this.#probe = null;
    const acceptedAtMs = this.#acceptedAtMs;
    this.#acceptedAtMs = null;
    if (acceptedAtMs !== null) {
      this.#notifyHere('0');
      if (this.#delay.ended(this.#clock.monotonicMs() - acceptedAtMs)) {
        this.#log('information', bridgeLines.stable(this.#settings.name));
      }
    }
    if (this.#isStopped) return;
    switch (this.#after) {
      case 'connect':
        // Not from inside the end of the other one.
        this.#restart = this.#clock.after(0, () => this.#connect());
        return;
      case 'wait-for-messages':
        this.#after = null;
        return;
      case null:
        this.#connectLater();
    }
  }

  #connectLater(): void {
    if (this.#settings.startType === 'once') return;
    this.#addresses.next();
    const delayMs = this.#delay.nextMs();
    if (!this.#delay.isConstant) this.#log('information', bridgeLines.backoff(this.#settings.name, delayMs));
    this.#restart = this.#clock.after(delayMs, () => this.#connect());
  }

  /** Goes back to the first address when that answers. */
  #probePrimary(): void {
    const primary = this.#addresses.primary;
    if (primary === null || this.#probe !== null) return;
    const probe = new Attempt(primary, { bindAddress: this.#settings.bindAddress, tls: null }, this.#clock);
    this.#probe = probe;
    probe.socket.then(
      (socket) => {
        socket.destroy();
        if (this.#probe !== probe || this.#link === null) return;
        this.#log('notice', bridgeLines.goingBack(this.#settings.name, primary.host, primary.port));
        this.#addresses.goBack();
        this.#reconnect();
      },
      () => {
        if (this.#probe === probe) this.#probe = null;
      },
    );
  }

  /** A lazy bridge leaves when nothing passes, and connects when enough waits. */
  #look(): void {
    const { name, idleSeconds, threshold } = this.#settings;
    const link = this.#link;
    const nowMs = this.#clock.monotonicMs();
    if (link === null) {
      const isBusy = this.#attempt !== null || this.#restart !== null;
      if (!isBusy && this.#local.waiting >= threshold) this.#connect();
      return;
    }
    if (this.#acceptedAtMs === null) return;
    if (link.messages !== this.#seenMessages) {
      this.#seenMessages = link.messages;
      this.#idleSinceMs = nowMs;
    }
    if (nowMs - this.#idleSinceMs < idleSeconds * 1000) return;
    this.#log('notice', bridgeLines.idle(name));
    this.#after = 'wait-for-messages';
    link.end();
  }

  #notifyHere(payload: string): void {
    const topic = notificationTopic(this.#settings);
    if (topic !== null) this.#broker.publish(topic, Buffer.from(payload), { qos: 1, retain: true });
  }

  #log(type: 'error' | 'warning' | 'notice' | 'information', line: string): void {
    this.#broker.engine.logger.log(type, line);
  }
}

/** Why there is no connection, in the words of the C library where it has some. */
function reasonOf(cause: unknown): string {
  const { code, message } = dialErrorOf('connect', cause);
  const text = code === undefined ? code : systemErrorText(code);
  return text === undefined || text === code ? message.replace(/\.$/, '') : text;
}
