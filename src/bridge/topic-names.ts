/**
 * Topic Names as messages pass: bytes of one side → topic of the other, through two small caches, so that a message costs no look through
 * the lines. Full caches are emptied; nothing is wrong when they are.
 */

import type { Engine } from '../broker/engine.ts';
import { routeOf, routeOfTopic } from '../broker/route.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { topicNameFault } from '../codec/topic-name-bytes.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import { Topic } from '../topics/topic.ts';
import type { TopicMap } from './topic-map.ts';

/** Names each cache holds at most. */
const cachedNamesMax = 1000;
/** Longer names are looked up each time: at most half a megabyte of names in a cache. */
const cachedLengthMax = 255;
/** A topic that no client may publish to. */
const nobodysTopic = '$SYS/broker/bridge/unasked';

export class TopicNames {
  readonly #engine: Engine;
  readonly #map: TopicMap;
  /** Remote Topic Name as Latin-1 text of its bytes → local topic, null for one that was not asked for. */
  readonly #in = new Map<string, Topic | null>();
  /** Local Topic Name → remote topic, null for one that is too long. */
  readonly #out = new Map<string, Topic | null>();
  /** The name before; most messages of a turn are of few topics. */
  #lastIn: { readonly name: Topic; readonly route: Route<Subscription> } | null = null;
  #lastOut: { readonly topic: Topic; readonly remote: Topic | null } | null = null;

  constructor(engine: Engine, map: TopicMap) {
    this.#engine = engine;
    this.#map = map;
  }

  /**
   * The local route of the remote name `bytes[start..end)`; for one that was not asked for, a route that is refused.
   *
   * @throws ProtocolError - 0x81 when it is no legal Topic Name
   */
  routeIn(bytes: Buffer, start: number, end: number): Route<Subscription> {
    const last = this.#lastIn;
    const engine = this.#engine;
    if (last !== null && last.route.generation === engine.tree.generation && last.name.is(bytes, start, end)) {
      return last.route;
    }
    const local = this.#localOf(bytes, start, end);
    const route = local === null ? routeOf(engine, nobodysTopic) : routeOfTopic(engine, local);
    const name = Buffer.from(bytes.subarray(start, end));
    this.#lastIn = { name: new Topic(name, 0, name.length), route };
    return route;
  }

  #localOf(bytes: Buffer, start: number, end: number): Topic | null {
    const key = bytes.toString('latin1', start, end);
    const known = this.#in.get(key);
    if (known !== undefined) return known;
    const fault = topicNameFault(bytes, start, end);
    if (fault !== undefined) throw new ProtocolError(ReasonCode.MalformedPacket, fault.statement, fault.message);
    const name = this.#map.toLocal(bytes.toString('utf8', start, end));
    const local = name === null ? null : Topic.of(name);
    put(this.#in, key, local);
    return local;
  }

  /** The topic under its remote name; null when that is too long. */
  remoteOf(topic: Topic): Topic | null {
    const last = this.#lastOut;
    if (last !== null && last.topic === topic) return last.remote;
    const { name } = topic;
    let remote = this.#out.get(name);
    if (remote === undefined) {
      const translation = this.#map.toRemote(name);
      remote = translation === null ? null : Topic.of(translation);
      put(this.#out, name, remote);
    }
    this.#lastOut = { topic, remote };
    return remote;
  }
}

function put(cache: Map<string, Topic | null>, key: string, topic: Topic | null): void {
  if (key.length > cachedLengthMax) return;
  if (cache.size >= cachedNamesMax) cache.clear();
  cache.set(key, topic);
}
