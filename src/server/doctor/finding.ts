/** What `moustique doctor` finds. */
import type { Origin } from '../../config/config.ts';

/**
 * - `error`: the broker does not start, or lets in whom it should not
 * - `warning`: it will go wrong one day, or is weaker than it need be
 * - `difference`: something behaves differently than with Mosquitto
 * - `hint`: there is a better way to write it
 */
export type Severity = 'error' | 'warning' | 'difference' | 'hint';

export const severities: readonly Severity[] = ['error', 'warning', 'difference', 'hint'];

export interface Finding {
  readonly severity: Severity;
  /** For scripts; never changes: `anonymous-public`, `weak-hash` … */
  readonly code: string;
  /** `FILE:LINE`, `FILE`, or '' when it is about no file. */
  readonly place: string;
  /** What it is, one sentence. */
  readonly text: string;
  /** What to write or do instead; '' when there is nothing to do. */
  readonly instead: string;
}

/** `FILE:LINE` of an option, '' where it was not written. */
export function placeOf(origin: Origin | undefined): string {
  if (origin === undefined || origin.line === 0) return '';
  return `${origin.file}:${origin.line}`;
}
