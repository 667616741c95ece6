/** What differs between two payloads: JSON by structure, text by line, bytes by position. */

import { itemPath, type JsonNode, memberPath } from './json.ts';

export interface JsonChange {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: JsonNode;
  readonly after?: JsonNode;
}

const sameLeaf = (a: JsonNode, b: JsonNode): boolean =>
  a.kind === b.kind && (a.kind === 'literal' || a.kind === 'string') && (b as { text: string }).text === a.text;

/** Every path whose value was added, removed or changed, in document order. */
export function diffJson(before: JsonNode, after: JsonNode): readonly JsonChange[] {
  const changes: JsonChange[] = [];
  const walk = (a: JsonNode, b: JsonNode, path: string): void => {
    if (a.kind === 'object' && b.kind === 'object') {
      const was = new Map(a.members.map(({ key, value }) => [key, value]));
      const is = new Map(b.members.map(({ key, value }) => [key, value]));
      for (const [key, value] of was) step(value, is.get(key), memberPath(path, key));
      for (const [key, value] of is) if (!was.has(key)) step(undefined, value, memberPath(path, key));
    } else if (a.kind === 'array' && b.kind === 'array') {
      const length = Math.max(a.items.length, b.items.length);
      for (let index = 0; index < length; index++) step(a.items[index], b.items[index], itemPath(path, index));
    } else if (!sameLeaf(a, b)) {
      changes.push({ path, kind: 'changed', before: a, after: b });
    }
  };
  const step = (a: JsonNode | undefined, b: JsonNode | undefined, path: string): void => {
    if (a !== undefined && b !== undefined) walk(a, b, path);
    else if (a !== undefined) changes.push({ path, kind: 'removed', before: a });
    else if (b !== undefined) changes.push({ path, kind: 'added', after: b });
  };
  walk(before, after, '$');
  return changes;
}

export interface LineChange {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
}

/** Lines compared for a smallest difference; longer texts are compared as two blocks. */
const linesMax = 1000;

/** A smallest set of lines removed and added (longest common subsequence). */
export function diffLines(before: string, after: string): readonly LineChange[] {
  const a = before.split('\n');
  const b = after.split('\n');
  if (a.length > linesMax || b.length > linesMax) {
    return [
      ...a.map((text): LineChange => ({ kind: 'removed', text })),
      ...b.map((text): LineChange => ({ kind: 'added', text })),
    ];
  }
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: LineChange[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left === right) {
      changes.push({ kind: 'same', text: left });
      i += 1;
      j += 1;
    } else if (right !== undefined && (left === undefined || at(i, j + 1) > at(i + 1, j))) {
      changes.push({ kind: 'added', text: right });
      j += 1;
    } else {
      changes.push({ kind: 'removed', text: left ?? '' });
      i += 1;
    }
  }
  return changes;
}

/** Offsets at which two byte strings differ, as a test; what one does not have differs. */
export const bytesDiffer =
  (a: Uint8Array, b: Uint8Array) =>
  (offset: number): boolean =>
    a[offset] !== b[offset];
