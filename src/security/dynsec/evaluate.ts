/**
 * What the roles of a client allow.
 *
 * Roles are looked at in order: the client's own, then those of its groups, higher priorities first. In a role, higher priorities
 * first. The first rule that matches decides; where none does, the default of that kind may allow, and else others are asked.
 *
 * The rules of a list of roles are compiled once into trees, shared by all clients with that list: a decision costs the levels of
 * the topic. Rules with `%c` or `%u` are compared one by one.
 */
import type { Action, Rights, Verdict } from '../../contracts/authorizer.ts';
import type { Publisher } from '../../contracts/message.ts';
import { filterCovers } from '../../topics/filter-covers.ts';
import { SubscriptionTree } from '../../topics/subscription-tree.ts';
import { filterFault, filterMatches } from '../../topics/topic-filter.ts';
import type { Account, Acl, AclType, DefaultAccess, Role, SecurityState } from './state.ts';

/** Verdicts of dynamic security are ± this and more, away from those of files, which number lines and count from the ends. */
const verdictBase = 1 << 29;
const byDefault: Verdict = verdictBase;
const nothingAllows: Verdict = -verdictBase;

/** A rule at its place in the order of a list of roles. */
interface Placed {
  /** From 1. */
  readonly place: number;
  readonly role: Role;
  /** null: the role itself decides, because it lets nobody subscribe with wildcards. */
  readonly acl: Acl | null;
}

type TopicType = 'publishClientSend' | 'publishClientReceive';

/** Rules about Topic Names of one type. */
interface TopicRules {
  /** Those that are the same for everybody; null when there are none. */
  readonly tree: SubscriptionTree<Placed> | null;
  /** Those with `%c` or `%u`. */
  readonly patterns: readonly Placed[];
}

/** Roles in the order in which they are looked at, compiled. */
export class RoleChain {
  readonly roles: readonly Role[];
  readonly #placed: Placed[] = [];
  readonly #topicRules: { [Type in TopicType]: TopicRules | null } = {
    publishClientSend: null,
    publishClientReceive: null,
  };

  constructor(roles: readonly Role[]) {
    this.roles = roles;
    for (const role of roles) {
      this.#add(role, null);
      for (const acl of role.acls) this.#add(role, acl);
    }
  }

  /** By place, from 1. */
  at(place: number): Placed | undefined {
    return this.#placed[place - 1];
  }

  rulesOf(type: TopicType): TopicRules {
    return (this.#topicRules[type] ??= this.#compile(type));
  }

  /** Rules about Topic Filters, in their order: literal ones before patterns, role by role. */
  get placed(): readonly Placed[] {
    return this.#placed;
  }

  #add(role: Role, acl: Acl | null): void {
    this.#placed.push({ place: this.#placed.length + 1, role, acl });
  }

  #compile(type: TopicType): TopicRules {
    const patterns: Placed[] = [];
    let tree: SubscriptionTree<Placed> | null = null;
    for (const placed of this.#placed) {
      const { acl } = placed;
      // What is no Topic Filter matches nothing.
      if (acl?.type !== type || filterFault(acl.topic) !== null) continue;
      if (hasPlaceholder(acl.topic)) {
        patterns.push(placed);
      } else {
        tree ??= new SubscriptionTree<Placed>();
        tree.add(acl.topic, placed);
      }
    }
    return { tree, patterns };
  }
}

/** Compiled lists of roles, for as long as none of the roles changes. */
export class RoleChains {
  /** Names of the roles → chain. Bounded by {@link chainsMax}. */
  readonly #chains = new Map<string, RoleChain>();
  #roles: SecurityState['roles'] | null = null;

  /** @param account - null: a client without a user name */
  of(state: SecurityState, account: Account | null): RoleChain {
    if (this.#roles !== state.roles || this.#chains.size > chainsMax) {
      this.#chains.clear();
      this.#roles = state.roles;
    }
    const names = roleNames(state, account);
    const key = JSON.stringify(names);
    let chain = this.#chains.get(key);
    if (chain === undefined) {
      chain = new RoleChain(names.flatMap((name) => state.roles.get(name) ?? []));
      this.#chains.set(key, chain);
    }
    return chain;
  }
}

const chainsMax = 10_000;

/** Roles in the order in which they are looked at. */
function roleNames(state: SecurityState, account: Account | null): string[] {
  const groupNames =
    account === null
      ? state.anonymousGroup === null
        ? []
        : [state.anonymousGroup]
      : account.groups.map(({ groupName }) => groupName);
  const links = [account?.roles ?? [], ...groupNames.map((name) => state.groups.get(name)?.roles ?? [])];
  return links.flatMap((list) => list.map(({ roleName }) => roleName));
}

/** What one client may do; the roles it had when this was made are those that count. */
export class DynsecRights implements Rights {
  readonly #chain: RoleChain;
  readonly #defaults: DefaultAccess;
  readonly #client: Publisher;
  readonly #next: Rights | null;
  readonly #fileName: string;
  /** Rules about topics with the client's names put in, made with the first question that reaches them. */
  readonly #filters: { [Type in TopicType]: readonly Filled[] | null } = {
    publishClientSend: null,
    publishClientReceive: null,
  };

  /** @param next - who is asked where nothing here decides; null: then it is denied */
  constructor(
    { chain, defaults, fileName }: { chain: RoleChain; defaults: DefaultAccess; fileName: string },
    client: Publisher,
    next: Rights | null,
  ) {
    this.#chain = chain;
    this.#defaults = defaults;
    this.#fileName = fileName;
    this.#client = client;
    this.#next = next;
  }

  decide(action: Action, topic: string): Verdict {
    const place =
      action === 'publish'
        ? this.#topicPlace('publishClientSend', topic)
        : action === 'receive'
          ? this.#topicPlace('publishClientReceive', topic)
          : this.#filterPlace(action, topic);
    if (place !== 0) return place > 0 ? verdictBase + place : place - verdictBase;
    if (this.#isDefault(action) && !isControl(topic)) return byDefault;
    return this.#next?.decide(action, topic) ?? nothingAllows;
  }

  describe(verdict: Verdict): string {
    if (!isOwn(verdict)) return this.#next?.describe(verdict) ?? '';
    if (verdict === byDefault) return `${this.#fileName}: the default ACL access`;
    if (verdict === nothingAllows) return `no role in ${this.#fileName} allows it`;
    const placed = this.#chain.at(Math.abs(verdict) - verdictBase);
    if (placed === undefined) return '';
    const { role, acl } = placed;
    const where = `${this.#fileName}: role ${role.roleName}`;
    if (acl === null) return `${where}: allowwildcardsubs false`;
    // A name with a wildcard turns a rule that allows into one that denies.
    if (acl.allow && verdict < 0) return `${where}: ${acl.type} ${acl.topic}: the client's name has a wildcard in it`;
    return `${where}: ${acl.type} ${acl.allow ? 'allow' : 'deny'} ${acl.topic}`;
  }

  #isDefault(action: Action): boolean {
    switch (action) {
      case 'publish':
        return this.#defaults.publishClientSend;
      case 'receive':
        return this.#defaults.publishClientReceive;
      case 'subscribe':
        return this.#defaults.subscribe;
      case 'unsubscribe':
        return this.#defaults.unsubscribe;
    }
  }

  /** The place of the rule that decides about a Topic Name, negative when it denies; 0 when there is none. */
  #topicPlace(type: TopicType, topic: string): number {
    const { tree, patterns } = this.#chain.rulesOf(type);
    let first: Placed | null = null;
    if (tree !== null) {
      for (const placed of tree.matchName(topic)) if (first === null || placed.place < first.place) first = placed;
    }
    if (patterns.length > 0) {
      this.#filters[type] ??= patterns.map((placed) => this.#fill(placed));
      for (const filled of this.#filters[type]) {
        if (first !== null && filled.placed.place > first.place) break;
        if (filled.isDangerous) return -filled.placed.place;
        if (filled.filter === null || !seesTopic(filled.placed, topic)) continue;
        if (filterMatches(filled.filter, topic)) {
          first = filled.placed;
          break;
        }
      }
    }
    if (first === null) return 0;
    return first.acl?.allow === true ? first.place : -first.place;
  }

  /** The same for a Topic Filter; seldom asked. */
  #filterPlace(action: 'subscribe' | 'unsubscribe', filter: string): number {
    const literal: AclType = `${action}Literal`;
    const pattern: AclType = `${action}Pattern`;
    for (const placed of this.#chain.placed) {
      const { place, role, acl } = placed;
      if (acl === null) {
        if (action === 'subscribe' && !role.allowWildcardSubs && /[+#]/.test(filter)) return -place;
        continue;
      }
      if (acl.type === literal) {
        if (acl.topic === filter) return acl.allow ? place : -place;
      } else if (acl.type === pattern) {
        const filled = this.#fill(placed);
        if (filled.isDangerous) return -place;
        if (filled.filter === null || !seesTopic(placed, filter)) continue;
        if (filterCovers(filled.filter, filter)) return acl.allow ? place : -place;
      }
    }
    return 0;
  }

  /** A rule for this client: in one pass, what stands in a name is not replaced again. */
  #fill(placed: Placed): Filled {
    const topic = placed.acl?.topic ?? '';
    if (!hasPlaceholder(topic)) return { placed, filter: topic, isDangerous: false };
    const { clientId, username } = this.#client;
    const namesUsed = [topic.includes('%c') ? clientId : '', topic.includes('%u') ? (username ?? '') : ''];
    // As a part of a filter such a name would match the topics of others: this rule denies.
    if (namesUsed.some((name) => /[+#]/.test(name))) return { placed, filter: null, isDangerous: true };
    if (username === null && topic.includes('%u')) return { placed, filter: null, isDangerous: false };
    const filter = topic.replace(/%[cu]/g, (name) => (name === '%c' ? clientId : (username ?? '')));
    return { placed, filter, isDangerous: false };
  }
}

/** A rule for one client. */
interface Filled {
  readonly placed: Placed;
  /** null: it needs a user name, and there is none. */
  readonly filter: string | null;
  /** Whether a name in it has a wildcard. */
  readonly isDangerous: boolean;
}

/** Whether the verdict was found here and not by whoever is asked next. */
function isOwn(verdict: Verdict): boolean {
  const size = Math.abs(verdict);
  return size >= verdictBase && size < verdictBase + (verdictBase >> 1);
}

function hasPlaceholder(topic: string): boolean {
  return topic.includes('%c') || topic.includes('%u');
}

/** A name put into a rule opens no topic below `$`: the rule itself has to begin with it. */
function seesTopic({ acl }: Placed, topic: string): boolean {
  return topic.charCodeAt(0) !== 0x24 || acl?.topic.charCodeAt(0) === 0x24;
}

/** Topics that no default opens, behind `$share/group/` as well. */
function isControl(topic: string): boolean {
  return topic.startsWith('$CONTROL') || /^\$share\/[^/]*\/\$CONTROL/.test(topic);
}
