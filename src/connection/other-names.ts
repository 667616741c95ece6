/** Topics that have other names on a connection than in the broker. */
import { findRoute } from '../broker/route.ts';
import type { FrameContent } from '../codec/publish-frame.ts';
import type { Message } from '../contracts/message.ts';
import type { Subscription } from '../session/subscription.ts';
import type { Route } from '../topics/route-cache.ts';
import type { Hub } from './hub.ts';

export interface OtherNames {
  /** The route of the Topic Name `bytes[start..end)` that the peer gave. */
  routeIn(bytes: Buffer, start: number, end: number): Route<Subscription>;
  /** The message under the name that the peer knows it by, valid until the next call; null when that is too long. */
  contentOut(message: Message): FrameContent | null;
}

/** Names behind a mount point: it stands before what clients give, and is left out of what they get. */
export class MountedNames implements OtherNames {
  readonly #hub: Hub;
  readonly #mountPoint: Buffer;

  constructor(hub: Hub, mountPoint: Buffer) {
    this.#hub = hub;
    this.#mountPoint = mountPoint;
  }

  routeIn(bytes: Buffer, start: number, end: number): Route<Subscription> {
    const hub = this.#hub;
    const prefix = this.#mountPoint.length;
    const length = prefix + end - start;
    if (hub.mountedTopic.length < length) hub.mountedTopic = Buffer.allocUnsafe(length * 2);
    this.#mountPoint.copy(hub.mountedTopic, 0);
    bytes.copy(hub.mountedTopic, prefix, start, end);
    return findRoute(hub.engine, hub.mountedTopic, 0, length);
  }

  contentOut(message: Message): FrameContent {
    const { source, start, length } = message.topic;
    const prefix = this.#mountPoint.length;
    return {
      topic: { source, start: start + prefix, length: length - prefix },
      payloadSource: message.payloadSource,
      payloadStart: message.payloadStart,
      payloadEnd: message.payloadEnd,
      propertiesSource: message.propertiesSource,
      propertiesStart: message.propertiesStart,
      propertiesEnd: message.propertiesEnd,
      expiryOffset: message.expiryOffset,
    };
  }
}
