/**
 * The `topic` lines of one bridge: what is subscribed to on either side, and what a Topic Name of one side is called on the other.
 *
 *   local filter  = local prefix + pattern          remote filter = remote prefix + pattern
 *
 * The first line that matches decides, as in Mosquitto. Prefixes are put in front and taken off as they are, without a `/` of their own.
 */
import { filterMatches, isTopicName, parseTopicFilter, type TopicFilter } from '../topics/topic-filter.ts';

const topicBytesMax = 65_535;

/** One `topic` line. */
export interface TopicLine {
  /** Topic Filter between the prefixes; '' maps the one topic `localPrefix` to the one topic `remotePrefix` */
  readonly pattern: string;
  readonly direction: 'out' | 'in' | 'both';
  readonly qos: 0 | 1 | 2;
  /** '' for none */
  readonly localPrefix: string;
  readonly remotePrefix: string;
}

interface Mapping {
  /** What names of the side they come from must match. */
  readonly filter: string;
  /** Begins those names, and what takes its place. */
  readonly prefix: string;
  readonly replacement: string;
}

export class TopicMap {
  /** Local filters to be subscribed to, each once, with the highest QoS of its lines. */
  readonly local: readonly { readonly topicFilter: TopicFilter; readonly qos: 0 | 1 | 2 }[];
  /** Remote filters, one for each line that comes in; in the order written, with those to be unsubscribed from. */
  readonly remote: readonly { readonly filter: string; readonly qos: 0 | 1 | 2; readonly isWanted: boolean }[];
  readonly #out: readonly Mapping[];
  readonly #in: readonly Mapping[];

  /** @param lines - whose filters the configuration has checked */
  constructor(lines: readonly TopicLine[]) {
    const local = new Map<string, { topicFilter: TopicFilter; qos: 0 | 1 | 2 }>();
    const outgoing = lines.filter(({ direction }) => direction !== 'in');
    const incoming = lines.filter(({ direction }) => direction !== 'out');
    for (const { localPrefix, pattern, qos } of outgoing) {
      const topicFilter = parseTopicFilter(localPrefix + pattern);
      if (typeof topicFilter === 'string') continue;
      const known = local.get(topicFilter.text)?.qos ?? 0;
      local.set(topicFilter.text, { topicFilter, qos: known > qos ? known : qos });
    }
    this.local = [...local.values()];
    const wanted = new Set(incoming.map(({ remotePrefix, pattern }) => remotePrefix + pattern));
    this.remote = lines.flatMap(({ remotePrefix, pattern, direction, qos }) => {
      const filter = remotePrefix + pattern;
      const isWanted = direction !== 'out';
      return isWanted || !wanted.has(filter) ? [{ filter, qos, isWanted }] : [];
    });
    this.#out = outgoing.map(({ localPrefix, remotePrefix, pattern }) => mapping(localPrefix, remotePrefix, pattern));
    this.#in = incoming.map(({ localPrefix, remotePrefix, pattern }) => mapping(remotePrefix, localPrefix, pattern));
  }

  /**
   * What the local topic is called on the other side. Mosquitto: one that no line matches goes under its own name.
   *
   * @returns null when the name would be no legal one
   */
  toRemote(name: string): string | null {
    const translation = translated(this.#out, name);
    return translation === undefined ? name : translation;
  }

  /** What the topic of the other side is called here; null when no line asked for it, or the name would be no legal one. */
  toLocal(name: string): string | null {
    return translated(this.#in, name) ?? null;
  }
}

/** Names come without the `$share/NAME/` of the filter that asked for them. */
function mapping(from: string, to: string, pattern: string): Mapping {
  const parsed = parseTopicFilter(from + pattern);
  if (typeof parsed === 'string' || parsed.shareName === null) {
    return { filter: from + pattern, prefix: from, replacement: to };
  }
  const shareLength = parsed.text.length - parsed.filter.length;
  return { filter: parsed.filter, prefix: from.slice(shareLength), replacement: to };
}

/** @returns undefined when no line matches, null when the name would be no legal one */
function translated(mappings: readonly Mapping[], name: string): string | null | undefined {
  const found = mappings.find(({ filter }) => filterMatches(filter, name));
  if (found === undefined) return undefined;
  // "a/#" matches "a" as well, which then has not the whole prefix "a/".
  const rest = name.startsWith(found.prefix) ? name.slice(found.prefix.length) : '';
  const result = found.replacement + rest;
  return isTopicName(result) && Buffer.byteLength(result) <= topicBytesMax ? result : null;
}
