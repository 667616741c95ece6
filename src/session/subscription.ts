/** One Topic Filter that one client asked for. */
import type { SharedGroup } from '../topics/shared-group.ts';
import type { TopicFilter } from '../topics/topic-filter.ts';
import type { Session } from './session.ts';

const noLocalBit = 1 << 2;
const retainAsPublishedBit = 1 << 3;
const retainHandlingShift = 4;
const placeShift = 6;

/**
 * A subscription of a session; or, with a `group` and no session, the entry of a shared group in the tree.
 *
 * There may be a million: what is small shares a number, and the filter's text is in the tree alone.
 */
export class Subscription {
  readonly session: Session | null;
  readonly group: SharedGroup<Subscription> | null;
  /** Its filter's number in the tree, valid while it is there; of a shared one what the filter consists of. */
  filter: number | TopicFilter;
  /** The Subscription Identifier as deliveries carry it, null for none. */
  ids: readonly number[] | null = null;
  /** QoS, options, and the place in the session's list. */
  #bits = 0;

  constructor(session: Session | null, group: SharedGroup<Subscription> | null, filter: number | TopicFilter) {
    this.session = session;
    this.group = group;
    this.filter = filter;
  }

  get qos(): 0 | 1 | 2 {
    return (this.#bits & 3) as 0 | 1 | 2;
  }

  get noLocal(): boolean {
    return (this.#bits & noLocalBit) !== 0;
  }

  get retainAsPublished(): boolean {
    return (this.#bits & retainAsPublishedBit) !== 0;
  }

  get retainHandling(): 0 | 1 | 2 {
    return ((this.#bits >>> retainHandlingShift) & 3) as 0 | 1 | 2;
  }

  setOptions(qos: 0 | 1 | 2, noLocal: boolean, retainAsPublished: boolean, retainHandling: 0 | 1 | 2): void {
    const flags = (noLocal ? noLocalBit : 0) | (retainAsPublished ? retainAsPublishedBit : 0);
    this.#bits = (this.place << placeShift) | (retainHandling << retainHandlingShift) | flags | qos;
  }

  /** Where it is in the session's list, below 2²⁵. */
  get place(): number {
    return this.#bits >>> placeShift;
  }

  set place(place: number) {
    this.#bits = (place << placeShift) | (this.#bits & ((1 << placeShift) - 1));
  }

  /** Instead of this one for what its own client publishes, when that has No Local; null: nothing. */
  get ofOwn(): Subscription | null {
    return null;
  }
}

/** What several subscriptions of one client amount to where it gets one copy of each message. */
export class JoinedSubscription extends Subscription {
  readonly #ofOwn: Subscription | null;

  constructor(first: Subscription, ofOwn: Subscription | null) {
    super(first.session, first.group, first.filter);
    this.#ofOwn = ofOwn;
  }

  override get ofOwn(): Subscription | null {
    return this.#ofOwn;
  }
}
