import { itemPath, type JsonNode, memberPath } from './json.ts';

/** One line of an opened JSON document. */
export interface JsonRow {
  /** JSON path; the key in the set of opened nodes. */
  readonly path: string;
  /** Member name, item index, or '' at the root. */
  readonly name: string;
  readonly depth: number;
  readonly node: JsonNode;
  /** Members or items; 0 for a leaf. */
  readonly size: number;
  readonly isOpen: boolean;
}

export function sizeOf(node: JsonNode): number {
  if (node.kind === 'object') return node.members.length;
  return node.kind === 'array' ? node.items.length : 0;
}

/** The lines to show. Costs as much as what is open, not as the document. */
export function jsonRows(root: JsonNode, open: ReadonlySet<string>): readonly JsonRow[] {
  const rows: JsonRow[] = [];
  const walk = (node: JsonNode, path: string, name: string, depth: number): void => {
    const size = sizeOf(node);
    const isOpen = size > 0 && open.has(path);
    rows.push({ path, name, depth, node, size, isOpen });
    if (!isOpen) return;
    if (node.kind === 'object') {
      for (const { key, value } of node.members) walk(value, memberPath(path, key), key, depth + 1);
    } else if (node.kind === 'array') {
      node.items.forEach((item, index) => walk(item, itemPath(path, index), String(index), depth + 1));
    }
  };
  walk(root, '$', '', 0);
  return rows;
}

/** What is open at first: the root, and small members near it. */
export function openAtFirst(root: JsonNode): Set<string> {
  const open = new Set(['$']);
  let room = 60;
  const walk = (node: JsonNode, path: string, depth: number): void => {
    const size = sizeOf(node);
    if (size === 0 || depth > 3 || size > room) return;
    room -= size;
    open.add(path);
    if (node.kind === 'object')
      for (const { key, value } of node.members) walk(value, memberPath(path, key), depth + 1);
    else if (node.kind === 'array') node.items.forEach((item, index) => walk(item, itemPath(path, index), depth + 1));
  };
  walk(root, '$', 0);
  return open;
}
