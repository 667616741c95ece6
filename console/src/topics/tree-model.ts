/** The visible part of the topic tree, as the live feed tells it. */

import type { TopicRow } from '../api/types.ts';
import type { ViewAnswer } from '../live/feed.ts';

/** Numbers kept for a sparkline. */
const ringMax = 60;

export interface TreeWindow {
  /** Rows of the tree as it is open, also those not loaded. */
  readonly total: number;
  readonly from: number;
  readonly rows: readonly TopicRow[];
  /** Topics that came since, and wait to be let in. */
  readonly newTopics: number;
  readonly isLoaded: boolean;
}

export const emptyWindow: TreeWindow = { total: 0, from: 0, rows: [], newTopics: 0, isLoaded: false };

/** What an answer of the feed makes of the window. Order never changes by an update. */
export function applyAnswer(window: TreeWindow, answer: ViewAnswer): TreeWindow {
  if (answer.type === 'tree') {
    const { total, from, rows, newTopics } = answer;
    return { total, from, rows, newTopics, isLoaded: true };
  }
  if (answer.type !== 'update') return window;
  if (answer.rows.length === 0 && answer.newTopics === window.newTopics) return window;
  const changed = new Map(answer.rows.map((row) => [row.topic, row]));
  const rows = window.rows.map((row) => {
    const change = changed.get(row.topic);
    if (change === undefined) return row;
    const { value, sizeBytes, isRetained, count, ratePerSecond, lastMs, ringAdded } = change;
    const next = { ...row, hasValue: true, value, sizeBytes, isRetained, count, ratePerSecond, lastMs };
    return ringAdded === undefined ? next : { ...next, ring: appendRing(row.ring ?? [], ringAdded) };
  });
  return { ...window, rows, newTopics: answer.newTopics };
}

export const appendRing = (ring: readonly number[], added: readonly number[]): number[] =>
  [...ring, ...added].slice(-ringMax);

/** Opened nodes as one value of the URL: one per line, which no Topic Name of use has in it, escaped where one has. */
export const formatOpen = (open: ReadonlySet<string>): string =>
  [...open].map((topic) => topic.replace(/[\\\n]/g, (mark) => (mark === '\n' ? '\\n' : '\\\\'))).join('\n');

/** The reverse. A node '' is an empty first level; an empty text is no node at all. */
export function parseOpen(text: string): Set<string> {
  if (text === '') return new Set();
  return new Set(text.split('\n').map((line) => line.replace(/\\(.)/g, (_, mark) => (mark === 'n' ? '\n' : '\\'))));
}

/** Nodes that may be open at once, as the feed allows. */
export const openMax = 2000;

/** Rows up to which a tree opens by itself: a small house is seen without a click. */
const openByItselfMax = 30;

/** Nodes to open in a tree that nobody touched yet; none when it would become long. `$SYS` stays closed. */
export function openByItself({ rows, total, from }: TreeWindow, open: ReadonlySet<string>): readonly string[] {
  if (from > 0 || total > openByItselfMax) return [];
  const closed = rows.filter((row) => row.children > 0 && !row.topic.startsWith('$') && !open.has(row.topic));
  const added = closed.reduce((sum, row) => sum + row.children, 0);
  return total + added <= openByItselfMax ? closed.map((row) => row.topic) : [];
}

/** Rows are asked for in whole blocks, so that scrolling does not ask at every row. */
const block = 32;

export function blocksOf(from: number, to: number): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, Math.floor(from / block) * block), to: Math.ceil(Math.max(1, to) / block) * block };
}
