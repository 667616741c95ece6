/** What clients do: 50 numbers are 50 actions, so that a sequence is short to print, to shrink and to play again. */

export const clientsCount = 4;
/** Two clients of MQTT 5.0, one of 3.1.1 and one of 3.1. */
export const versions = [5, 5, 4, 3] as const;

/** Topic Names; one that wildcards do not see, and one below another. */
export const topics = ['a', 'a/b', 'a/c', 'b', '$s/x'] as const;
/** Topic Filters, in the order in which the broker looks for them: without wildcards first. */
export const filters = ['a', 'a/b', 'b', '$s/x', '#', 'a/#', '$s/#', 'a/+', '+/b', '+'] as const;

export type Qos = 0 | 1 | 2;

export type Action = { readonly client: number } & (
  | {
      readonly kind: 'connect';
      readonly cleanStart: boolean;
      /** seconds, MQTT 5.0 */
      readonly expiry: number;
      /** 0: none is stated */
      readonly receiveMaximum: number;
      readonly will: null | {
        readonly qos: Qos;
        readonly retain: boolean;
        readonly delay: number;
        readonly topic: string;
      };
    }
  | { readonly kind: 'cut' }
  | { readonly kind: 'disconnect'; readonly withWill: boolean }
  | {
      readonly kind: 'subscribe';
      readonly filter: string;
      readonly qos: Qos;
      readonly noLocal: boolean;
      readonly retainAsPublished: boolean;
      readonly retainHandling: 0 | 1 | 2;
      readonly identifier: number;
    }
  | { readonly kind: 'unsubscribe'; readonly filter: string }
  | {
      readonly kind: 'publish';
      readonly topic: string;
      readonly qos: Qos;
      readonly retain: boolean;
      /** an empty payload clears what is retained */
      readonly isEmpty: boolean;
      /** seconds, 0: none */
      readonly expiry: number;
      /** for QoS 2; the same one may be under way already */
      readonly packetId: number;
    }
  | { readonly kind: 'release'; readonly packetId: number }
  /** The client acknowledges what it has: the n-th that is under way. */
  | { readonly kind: 'acknowledge'; readonly which: number; readonly refuses: boolean }
  | { readonly kind: 'wait'; readonly seconds: number }
);

/** Reads digits off a number: each asks for one of so many. */
class Digits {
  #rest: number;

  constructor(number: number) {
    this.#rest = number;
  }

  below(count: number): number {
    const digit = this.#rest % count;
    this.#rest = Math.floor(this.#rest / count);
    return digit;
  }

  is(): boolean {
    return this.below(2) === 1;
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/** A share of the client's own filters is shared, by two names. */
function filterOf(digits: Digits): string {
  const filter = digits.of(filters);
  const share = digits.below(6);
  return share === 0 ? `$share/g/${filter}` : share === 1 ? `$share/h/${filter}` : filter;
}

/**
 * The action that a number stands for.
 *
 * Times are chosen so that nothing falls due while anybody looks, nor two things of different clients at once: clients look at
 * multiples of 10 s, sessions and Wills of client n end n + 1 s after one, and messages expire 9 s after one.
 *
 * @param number - 0 to 2⁴⁸ − 1
 */
export function actionOf(number: number): Action {
  const digits = new Digits(number);
  const kind = digits.below(32);
  const client = digits.below(clientsCount);
  if (kind < 5) {
    const expiry = digits.of([0, 10, 30, 0xffff_ffff]);
    const delay = digits.of([0, 10, 20]);
    return {
      ...{ kind: 'connect', client, cleanStart: digits.below(4) === 0 },
      expiry: expiry > 0 && expiry < 1000 ? expiry + client + 1 : expiry,
      receiveMaximum: digits.of([0, 1, 2]),
      will: digits.is()
        ? {
            ...{ qos: digits.of([0, 1, 2] as const), retain: digits.below(4) === 0, topic: digits.of(topics) },
            delay: delay > 0 ? delay + client + 1 : 0,
          }
        : null,
    };
  }
  if (kind < 6) return { kind: 'cut', client };
  if (kind < 7) return { kind: 'disconnect', client, withWill: digits.is() };
  if (kind < 13) {
    return {
      ...{ kind: 'subscribe', client, filter: filterOf(digits), qos: digits.of([0, 1, 2] as const) },
      ...{ noLocal: digits.is(), retainAsPublished: digits.is(), retainHandling: digits.of([0, 1, 2] as const) },
      identifier: digits.below(3),
    };
  }
  if (kind < 14) return { kind: 'unsubscribe', client, filter: filterOf(digits) };
  if (kind < 23) {
    const expiry = digits.of([0, 0, 10, 30]);
    return {
      ...{ kind: 'publish', client, topic: digits.of(topics), qos: digits.of([0, 1, 2] as const) },
      ...{ retain: digits.below(3) === 0, isEmpty: digits.below(5) === 0, expiry: expiry > 0 ? expiry + 9 : 0 },
      packetId: 1 + digits.below(3),
    };
  }
  if (kind < 25) return { kind: 'release', client, packetId: 1 + digits.below(3) };
  if (kind < 31) return { kind: 'acknowledge', client, which: digits.below(3), refuses: digits.below(8) === 0 };
  return { kind: 'wait', client, seconds: digits.of([10, 20, 40]) };
}
