/** Turns a pattern into Topic Names and Topic Filters. */
import type { Pattern } from '../job.ts';

export interface Layout {
  /** Topic Names of each publisher, all of one length. */
  readonly publishers: readonly (readonly string[])[];
  /** Topic Filters of each subscriber. */
  readonly subscribers: readonly (readonly string[])[];
  /** Deliveries that one message causes. */
  readonly copies: number;
  /**
   * Whether a subscriber must get every message of a publisher; undefined when each message goes to one subscriber that
   * is not known beforehand.
   */
  readonly isPair: ((subscriber: number, publisher: number) => boolean) | undefined;
}

const digits = (value: number): string => String(value).padStart(6, '0');
const range = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

export function layOut(pattern: Pattern): Layout {
  switch (pattern.shape) {
    case 'fan-in': {
      const groupOf = (publisher: number): number => publisher % pattern.subscribers;
      return {
        publishers: range(pattern.publishers, (p) => [`bench/site${digits(groupOf(p))}/device${digits(p)}/value`]),
        subscribers: range(pattern.subscribers, (s) => [`bench/site${digits(s)}/#`]),
        copies: 1,
        isPair: (subscriber, publisher) => groupOf(publisher) === subscriber,
      };
    }
    case 'fan-out':
      return {
        publishers: [['bench/announcements/all']],
        subscribers: range(pattern.subscribers, () => ['bench/announcements/all']),
        copies: pattern.subscribers,
        isPair: () => true,
      };
    case 'pairs':
      return {
        publishers: range(pattern.pairs, (p) => [`bench/pair${digits(p)}/value`]),
        subscribers: range(pattern.pairs, (s) => [`bench/pair${digits(s)}/value`]),
        copies: 1,
        isPair: (subscriber, publisher) => subscriber === publisher,
      };
    case 'shared':
      return {
        publishers: range(pattern.publishers, (p) => [`bench/jobs/device${digits(p)}/value`]),
        subscribers: range(pattern.subscribers, () => ['$share/workers/bench/jobs/#']),
        copies: 1,
        isPair: undefined,
      };
    case 'filters':
      return layOutFilters(pattern);
  }
}

function layOutFilters(pattern: Extract<Pattern, { shape: 'filters' }>): Layout {
  const wildcardEvery = pattern.wildcardShare > 0 ? Math.round(1 / pattern.wildcardShare) : 0;
  const hasWildcard = (index: number): boolean => wildcardEvery > 0 && index % wildcardEvery === 0;
  const publishers: string[][] = range(pattern.publishers, () => []);
  const subscribers: string[][] = range(pattern.subscribers, () => []);
  // A multiplicative walk visits every index once in an order without locality. 48271 is prime, so it is a permutation
  // for every count that is not its multiple.
  for (let i = 0; i < pattern.filters; i++) {
    const index = (i * 48_271) % pattern.filters;
    publishers[i % pattern.publishers]?.push(`bench/room${digits(index)}/sensor/value`);
    const filter = hasWildcard(index)
      ? `bench/room${digits(index)}/+/value`
      : `bench/room${digits(index)}/sensor/value`;
    subscribers[index % pattern.subscribers]?.push(filter);
  }
  return { publishers, subscribers, copies: 1, isPair: undefined };
}
