/** What a message has changed since the one before on its topic, in one line. */

import { diffJson, type JsonChange } from '../inspect/diff.ts';
import { formatJson, type JsonNode } from '../inspect/json.ts';
import { readText } from '../inspect/payload.ts';
import { isGap, type StreamRow } from './stream-model.ts';

/** Rows that are looked through for the message before. */
const backMax = 500;
/** Characters of a payload; longer ones are not compared while they stream by. */
const comparedMax = 20_000;

/** The payload of the message before on the same topic, when it is text and not too far back. */
export function textBefore(rows: readonly StreamRow[], index: number): string | undefined {
  const row = rows[index];
  if (row === undefined || isGap(row)) return undefined;
  for (let at = index - 1; at >= Math.max(0, index - backMax); at--) {
    const before = rows[at];
    if (before === undefined || isGap(before) || before.topic !== row.topic) continue;
    return 'text' in before.payload ? before.payload.text : undefined;
  }
  return undefined;
}

/** What the message of a row has changed; undefined where that cannot be told. */
export function changesAt(rows: readonly StreamRow[], index: number): string | undefined {
  const row = rows[index];
  const before = textBefore(rows, index);
  if (before === undefined || row === undefined || isGap(row) || !('text' in row.payload)) return undefined;
  return changesBetween(before, row.payload.text);
}

/**
 * Such as `t: 12 → 13, pile: + 0.4`; '' when nothing has changed.
 *
 * @returns undefined when the two are too long to be compared
 */
export function changesBetween(before: string, after: string): string | undefined {
  if (before === after) return '';
  if (before.length > comparedMax || after.length > comparedMax) return undefined;
  const was = readText(before);
  const is = readText(after);
  if (was.kind !== 'json' || is.kind !== 'json') return `${before} → ${after}`;
  return diffJson(was.root, is.root).map(changeText).join(', ');
}

function changeText({ path, before, after }: JsonChange): string {
  const name = path.replace(/^\$\.?/, '');
  const label = name === '' ? '' : `${name}: `;
  if (before === undefined) return `${label}+ ${short(after)}`;
  if (after === undefined) return `${label}− ${short(before)}`;
  return `${label}${short(before)} → ${short(after)}`;
}

const short = (node: JsonNode | undefined): string =>
  node === undefined ? '' : formatJson(node).replaceAll(/\s+/g, ' ').slice(0, 200);
