/** Counting what was given up, by reason. */
import type { DropRow } from '../contracts/drop-reason.ts';

/** A counter for each reason of one of the tables. */
export function dropCounters<Reason extends string>(rows: Readonly<Record<Reason, DropRow>>): Record<Reason, number> {
  // Every key of the table, and no other.
  return Object.fromEntries(Object.keys(rows).map((reason) => [reason, 0])) as Record<Reason, number>;
}

/** The total of a set of counters. */
export function dropTotal(counters: Readonly<Record<string, number>>): number {
  let total = 0;
  for (const count of Object.values(counters)) total += count;
  return total;
}
