/** Why somebody may or may not do something: the answer behind `moustique_ctrl acl explain`. */
import type { AccessRules } from '../contracts/authorizer.ts';
import { isTopicName, parseTopicFilter } from '../topics/topic-filter.ts';

/** What `moustique_ctrl` calls them. */
export const accessActions = ['read', 'write', 'subscribe'] as const;
export type AccessAction = (typeof accessActions)[number];

export interface AccessQuestion {
  readonly clientId: string;
  readonly username: string | null;
  /** Topic Name, for `subscribe` a Topic Filter; with the mount point of the listener in front. */
  readonly topic: string;
  readonly action: AccessAction;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  /** The rule that decided, with file and line, or what else it was. */
  readonly decidedBy: string;
  /** A denial only: the rule that comes closest to allowing it, with what it lacks; null when there is none. */
  readonly nearest: string | null;
}

/**
 * @param rules - of the client's listener; null: none
 * @returns in words what is wrong with the question, when it makes no sense
 */
export function explainAccess(
  rules: AccessRules | null,
  { clientId, username, topic, action }: AccessQuestion,
): AccessAnswer | string {
  if (action === 'subscribe') {
    if (typeof parseTopicFilter(topic) === 'string') return `"${topic}" is not a Topic Filter`;
  } else if (!isTopicName(topic)) {
    return `"${topic}" is not a Topic Name`;
  }
  const own = action === 'write' ? ownRule(topic) : undefined;
  if (own !== undefined) return { allowed: false, decidedBy: own, nearest: null };
  if (rules === null) return { allowed: true, decidedBy: 'the listener has no acl_file', nearest: null };
  const asked = ({ read: 'receive', write: 'publish', subscribe: 'subscribe' } as const)[action];
  const { isAllowed, reason, nearest } = rules.explain({ clientId, username, listenerPort: 0 }, asked, topic);
  return { allowed: isAllowed, decidedBy: reason, nearest };
}

/** What of `$…` no client may publish to, whatever the rules say. */
function ownRule(topic: string): string | undefined {
  if (topic === '$SYS' || topic.startsWith('$SYS/')) {
    if (/^\$SYS\/broker\/connection\/[^/]+\/state$/.test(topic)) return undefined;
    return 'topics below $SYS are for the broker to publish to';
  }
  if (topic === '$share' || topic.startsWith('$share/')) return '$share is for subscriptions only';
  return undefined;
}
