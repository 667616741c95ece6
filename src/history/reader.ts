/** What questions are answered from: an open database and the names in it. */
import { filterFault } from '../topics/topic-filter.ts';
import type { Catalog } from './catalog.ts';
import { invalid } from './history-fault.ts';
import type { Sqlite } from './sqlite.ts';

export interface Reader {
  readonly database: Sqlite;
  readonly catalog: Catalog;
}

/** The wall clock's range that can be asked for: microseconds stay safe integers. */
export const timeMaxMs = 8_000_000_000_000;

/** @throws HistoryFault */
export function checkedFilter(filter: unknown): string {
  if (typeof filter !== 'string' || filterFault(filter) !== null) throw invalid('filter', 'expected a Topic Filter');
  if (filter.startsWith('$share/')) throw invalid('filter', '$share means nothing here');
  return filter;
}

/** A whole number within bounds, or the value that stands for none. @throws HistoryFault */
export function checkedNumber(name: string, value: unknown, absent: number, min: number, max: number): number {
  if (value === undefined) return absent;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw invalid(name, `expected a number ${min}..${max}`);
  }
  return Math.floor(value);
}

/** A span of time in microseconds, the end not included. @throws HistoryFault */
export function checkedSpan(request: {
  readonly fromMs?: number;
  readonly toMs?: number;
}): readonly [from: number, to: number] {
  const fromMs = checkedNumber('fromMs', request.fromMs, 0, 0, timeMaxMs);
  const toMs = checkedNumber('toMs', request.toMs, timeMaxMs, 0, timeMaxMs);
  if (toMs < fromMs) throw invalid('toMs', 'is before fromMs');
  return [fromMs * 1000, toMs * 1000];
}
