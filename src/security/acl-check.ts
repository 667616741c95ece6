/**
 * The rights that an ACL file gives one client, as Mosquitto decides:
 *
 * 1. The rules of the user (of clients without a user name, when there is none): a `deny` that matches denies, the last of them
 *    decides; else the first that matches and has the wanted access allows.
 * 2. The patterns in the same way. They see nobody whose user name or Client Identifier has a wildcard in it.
 * 3. What nothing allows is denied.
 *
 * SUBSCRIBE is never denied by a file: what a subscription delivers is decided message by message.
 *
 * The rules of a user are compiled into a tree, shared by all clients of that name: a decision costs the levels of the topic, not
 * the number of rules. Patterns are compared one by one.
 */
import type { AccessReason, AccessRules, Action, Rights, Verdict } from '../contracts/authorizer.ts';
import type { Publisher } from '../contracts/message.ts';
import { SubscriptionTree } from '../topics/subscription-tree.ts';
import { filterMatches } from '../topics/topic-filter.ts';
import type { AclFile, AclRule } from './acl-file.ts';

/** Verdicts that no line of the file gave. */
const neverRefused: Verdict = (1 << 30) - 1;
const nothingToRead: Verdict = -(1 << 30) + 1;
const nothingToWrite: Verdict = -(1 << 30) + 2;
const dangerousUsername: Verdict = -(1 << 30) + 3;
const dangerousClientId: Verdict = -(1 << 30) + 4;

/** A rule with what it stands for here: for patterns, the names of one client put in. */
interface Applied {
  readonly rule: AclRule;
  readonly filter: string;
}

/** An answer with its reasons, for people. */
export interface AclExplanation {
  readonly isAllowed: boolean;
  /** The line that decided; null when no line did. */
  readonly decidedBy: AclRule | null;
  /** What decided, in words. */
  readonly reason: string;
  /** A denial only: the line that comes closest to allowing it, null when none is anywhere near. */
  readonly nearest: AclRule | null;
  /** What `nearest` lacks, in words; empty when there is none. */
  readonly nearestLacks: string;
}

export class AclRules implements AccessRules {
  readonly file: AclFile;
  /** User name (null: none) → rules as a tree, made when the first client of that name asks. Bounded by the file. */
  readonly #trees = new Map<string | null, SubscriptionTree<AclRule>>();

  /** @param file - without problems */
  constructor(file: AclFile) {
    this.file = file;
  }

  rightsOf(client: Publisher): AclRights {
    return new AclRights(this.file, this.#treeOf(client.username), client);
  }

  explain(client: Publisher, action: Action, topic: string): AccessReason {
    const { isAllowed, reason, nearest, nearestLacks } = this.rightsOf(client).explain(action, topic);
    const near = nearest === null ? null : `${describeRule(this.file.fileName, nearest)} (${nearestLacks})`;
    return { isAllowed, reason, nearest: near };
  }

  #treeOf(username: string | null): SubscriptionTree<AclRule> | null {
    const rules = username === null ? this.file.anonymous : this.file.users.get(username);
    if (rules === undefined || rules.length === 0) return null;
    let tree = this.#trees.get(username);
    if (tree === undefined) {
      tree = new SubscriptionTree();
      for (const rule of rules) tree.add(rule.filter, rule);
      this.#trees.set(username, tree);
    }
    return tree;
  }
}

export class AclRights implements Rights {
  readonly #file: AclFile;
  readonly #own: SubscriptionTree<AclRule> | null;
  readonly #client: Publisher;
  /** The patterns with this client's names, made with the first question that reaches them. */
  #patterns: readonly Applied[] | null = null;

  constructor(file: AclFile, own: SubscriptionTree<AclRule> | null, client: Publisher) {
    this.#file = file;
    this.#own = own;
    this.#client = client;
  }

  decide(action: Action, topic: string): Verdict {
    if (action === 'subscribe' || action === 'unsubscribe') return neverRefused;
    if (this.#own !== null) {
      const verdict = judge(this.#own.matchName(topic), action);
      if (verdict !== 0) return verdict;
    }
    if (this.#file.patterns.length > 0) {
      const { username, clientId } = this.#client;
      // As a part of a filter these would match the topics of others.
      if (username !== null && hasWildcardCharacter(username)) return dangerousUsername;
      if (hasWildcardCharacter(clientId)) return dangerousClientId;
      const verdict = judge(this.#matchingPatterns(topic), action);
      if (verdict !== 0) return verdict;
    }
    return action === 'publish' ? nothingToWrite : nothingToRead;
  }

  describe(verdict: Verdict): string {
    const { fileName, rules } = this.#file;
    switch (verdict) {
      case neverRefused:
        return `${fileName} refuses no subscription, what it delivers is checked message by message`;
      case nothingToRead:
      case nothingToWrite:
        return `no line of ${fileName} allows it`;
      case dangerousUsername:
        return `ACL denying access to client with dangerous username "${this.#client.username}"`;
      case dangerousClientId:
        return `ACL denying access to client with dangerous client id "${this.#client.clientId}"`;
    }
    const rule = rules[Math.abs(verdict) - 1];
    return rule === undefined ? '' : describeRule(fileName, rule);
  }

  explain(action: Action, topic: string): AclExplanation {
    const verdict = this.decide(action, topic);
    const decidedBy = this.#file.rules[Math.abs(verdict) - 1] ?? null;
    const reason = this.describe(verdict);
    if (verdict > 0) return { isAllowed: true, decidedBy, reason, nearest: null, nearestLacks: '' };
    return { isAllowed: false, decidedBy, reason, ...this.#nearest(action, topic) };
  }

  #matchingPatterns(topic: string): AclRule[] {
    this.#patterns ??= this.#file.patterns.flatMap((rule) => applyPattern(rule, this.#client));
    const matching: AclRule[] = [];
    for (const { rule, filter } of this.#patterns) {
      if (seesTopic(rule, topic) && filterMatches(filter, topic)) matching.push(rule);
    }
    return matching;
  }

  /**
   * The line that comes closest to allowing what was denied: one of this client's that matches but was overruled or gives the
   * other access; else one that would allow it to somebody else; else one of this client's whose topic begins alike.
   */
  #nearest(action: Action, topic: string): { nearest: AclRule | null; nearestLacks: string } {
    const { username } = this.#client;
    const granting = this.#file.rules.filter(({ access }) => access !== 'deny');
    const isOwn = ({ keyword, user }: AclRule): boolean => keyword === 'pattern' || user === username;
    const matches = (rule: AclRule): boolean =>
      seesTopic(rule, topic) && applyPattern(rule, this.#client).some(({ filter }) => filterMatches(filter, topic));
    const own = granting.filter((rule) => isOwn(rule) && matches(rule));
    const overruled = own.find((rule) => grants(rule, action));
    if (overruled !== undefined) return { nearest: overruled, nearestLacks: 'another line denies it' };
    const [otherAccess] = own;
    if (otherAccess !== undefined) {
      return { nearest: otherAccess, nearestLacks: `it gives ${otherAccess.access} only` };
    }
    const others = granting.find((rule) => !isOwn(rule) && grants(rule, action) && matches(rule));
    if (others !== undefined) {
      const whose = others.user === null ? 'clients without a user name' : `user ${others.user}`;
      return { nearest: others, nearestLacks: `it is for ${whose}` };
    }
    let nearest: AclRule | null = null;
    let most = 0;
    for (const rule of granting) {
      if (!isOwn(rule) || !grants(rule, action)) continue;
      for (const { filter } of applyPattern(rule, this.#client)) {
        const alike = levelsAlike(filter, topic);
        if (alike > most) [nearest, most] = [rule, alike];
      }
    }
    return { nearest, nearestLacks: nearest === null ? '' : 'its topic is another one' };
  }
}

/** A rule in words: `acl.conf:12: topic deny a/#`. */
export function describeRule(fileName: string, { line, keyword, access, filter }: AclRule): string {
  return `${fileName}:${line}: ${keyword} ${access} ${filter}`;
}

/** @param matching - rules whose filter matches; @returns 0 when they say nothing */
function judge(matching: readonly AclRule[], action: 'publish' | 'receive'): Verdict {
  let denied = 0;
  let allowed = 0;
  for (const rule of matching) {
    if (rule.access === 'deny') {
      if (rule.id > denied) denied = rule.id;
    } else if (grants(rule, action) && (allowed === 0 || rule.id < allowed)) {
      allowed = rule.id;
    }
  }
  return denied > 0 ? -denied : allowed;
}

function grants({ access }: AclRule, action: Action): boolean {
  return access === 'readwrite' || access === (action === 'publish' ? 'write' : 'read');
}

/** The pattern for one client; nothing when it needs a user name and there is none. A `topic` rule as it is. */
function applyPattern(rule: AclRule, { clientId, username }: Publisher): readonly Applied[] {
  const { filter } = rule;
  if (rule.keyword === 'topic') return [{ rule, filter }];
  if (username === null && filter.includes('%u')) return [];
  // In one pass: what stands in a name is not replaced again.
  return [{ rule, filter: filter.replace(/%[cu]/g, (name) => (name === '%c' ? clientId : (username ?? ''))) }];
}

/** A name put into a pattern opens no topic below `$`: the pattern itself has to begin with it. */
function seesTopic({ filter }: AclRule, topic: string): boolean {
  return topic.charCodeAt(0) !== 0x24 || filter.charCodeAt(0) === 0x24;
}

function hasWildcardCharacter(name: string): boolean {
  return name.includes('+') || name.includes('#');
}

/** How many levels of the topic the filter has from the beginning on. */
function levelsAlike(filter: string, topic: string): number {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  let alike = 0;
  while (alike < levels.length && (wanted[alike] === levels[alike] || wanted[alike] === '+')) alike++;
  return alike;
}
