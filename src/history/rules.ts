/** `history_topic` lines: which messages are kept, and how long. */
import { filterMatches } from '../topics/topic-filter.ts';

export interface HistoryRule {
  readonly filter: string;
  readonly keepDays: number | null;
  /** null: only the limit of the whole database counts; 0: not kept, only sent to the sinks. */
  readonly maxBytes: number | null;
}

/** The first rule that matches decides. @returns its index, −1 for none */
export function ruleOf(rules: readonly HistoryRule[], topicName: string): number {
  return rules.findIndex(({ filter }) => filterMatches(filter, topicName));
}
