/**
 * What a client may do. Two kinds of answers, of which either may say no.
 *
 * *Rules* (access control files) belong to a listener and answer at once: for every PUBLISH, every SUBSCRIBE and every delivery.
 * A reload replaces all of them in one step. An *authorizer* is the program that embeds the broker; it may take its time and
 * is asked about PUBLISH and SUBSCRIBE only.
 */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Publisher } from './message.ts';

/** Publish to a Topic Name, subscribe to a Topic Filter and end that, or be given a message with a Topic Name. */
export type Action = 'publish' | 'subscribe' | 'unsubscribe' | 'receive';

export interface Authorizer {
  /**
   * @param topic - Topic Name for `publish`, Topic Filter (with `$share/group/`) for `subscribe`
   * @returns whether it is allowed; a rejected promise counts as no
   */
  authorize(client: Publisher, action: 'publish' | 'subscribe', topic: string): MaybePromise<boolean>;
}

/**
 * The answer of a rule: positive, allowed; negative, denied. Never 0, so that 0 can stand for "not asked yet". The number stands
 * for the rule that decided and means something to the {@link Rights} that gave it alone; it is above −2³⁰ and below 2³⁰.
 */
export type Verdict = number;

/**
 * What one client may do under one set of rules.
 *
 * The same question always has the same answer, so that verdicts can be kept; a reload makes new rights for everybody.
 */
export interface Rights {
  /** @param topic - with the mount point in front; a Topic Filter with `$share/group/` for `subscribe` and `unsubscribe` */
  decide(action: Action, topic: string): Verdict;
  /** The rule behind a verdict in words for the operator, such as `acl.conf:12: topic deny a/#`. */
  describe(verdict: Verdict): string;
}

/** Why something is allowed or not, for people. */
export interface AccessReason {
  readonly isAllowed: boolean;
  /** The rule that decided, with its file, or what else it was. */
  readonly reason: string;
  /** A denial only: the rule that comes closest to allowing it, with what it lacks; null when there is none. */
  readonly nearest: string | null;
}

/** A set of rules. When it changes, whoever changed it tells the engine whose rights are others. */
export interface AccessRules {
  rightsOf(client: Publisher): Rights;
  explain(client: Publisher, action: Action, topic: string): AccessReason;
}

/** The rules of one listener; the object stays for the life of the broker, a reload changes what it holds. */
export interface ListenerAccess {
  /** null: everything is allowed. */
  rules: AccessRules | null;
}
