/**
 * A window on the tree with some nodes open. The order of the rows is that of the last look at each open node, so that nothing
 * moves by itself; `refresh` looks again.
 */
import type { LiveAnswer, LiveRequest } from '../schema/live.ts';
import type { HttpServices } from '../services.ts';
import type { TreeSort } from '../topic-tree.ts';
import type { View } from './view.ts';
import { VisibleTopics } from './visible-topics.ts';

type Request = Extract<LiveRequest, { readonly type: 'tree' }>;

/** Rows of one window; more are not sent. */
export const rowsMax = 500;

/** How often new topics are counted: every open node is looked at. */
const newTopicsMs = 1000;

/** What was below an open node when it was looked at. */
interface Look {
  readonly levels: readonly string[];
  /** Number of children then, to tell how many came since. */
  readonly count: number;
  /** Level → its index, for those that are open. */
  readonly places: Map<string, number>;
}

export class TreeView implements View {
  readonly #services: HttpServices;
  readonly #view: string;
  #request: Request;
  /** Path of an open node (null: the top) → what is below it. */
  readonly #looks = new Map<string | null, Look>();
  #visible: VisibleTopics | null = null;
  #isDue = true;
  #isPaused = false;
  /** As last told, as last counted, and when. */
  #newTopics = 0;
  #latestNew = 0;
  #countedMs = 0;

  constructor(services: HttpServices, request: Request) {
    this.#services = services;
    this.#view = request.view;
    this.#request = request;
    services.topics.hold();
  }

  /** Another window, or other nodes open. */
  change(request: Request): void {
    const { sort, parent } = this.#request;
    if (request.refresh === true || request.sort !== sort || request.parent !== parent) this.#looks.clear();
    this.#request = request;
    this.#isDue = true;
  }

  frame(nowMs: number): LiveAnswer | null {
    if (this.#isDue) {
      this.#isDue = false;
      return this.#whole();
    }
    if (this.#isPaused || this.#visible === null) return null;
    const rows = this.#visible.changes();
    if (nowMs - this.#countedMs >= newTopicsMs) {
      this.#countedMs = nowMs;
      this.#latestNew = this.#countNew();
    }
    const newTopics = this.#latestNew;
    if (rows.length === 0 && newTopics === this.#newTopics) return null;
    this.#newTopics = newTopics;
    return { type: 'update', view: this.#view, atMs: nowMs, rows, newTopics };
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  close(): void {
    this.#services.topics.release();
    this.#looks.clear();
  }

  #whole(): LiveAnswer {
    const { parent = null, expanded, from, to, rings = false } = this.#request;
    const open = new Set<string | null>([parent, ...expanded]);
    for (const path of this.#looks.keys()) if (!open.has(path)) this.#looks.delete(path);
    /** open node → its open children */
    const openBelow = new Map<string | null, string[]>();
    for (const path of expanded) {
      const slash = path.lastIndexOf('/');
      const above = slash < 0 ? null : path.slice(0, slash);
      const siblings = openBelow.get(above);
      if (siblings === undefined) openBelow.set(above, [path]);
      else siblings.push(path);
    }
    const end = Math.min(to, from + rowsMax);
    const paths: string[] = [];
    let at = 0;
    const take = (above: string | null, levels: readonly string[], first: number, behind: number): void => {
      const start = Math.max(first, first + from - at);
      const stop = Math.min(behind, first + end - at);
      for (let index = start; index < stop; index++) paths.push(join(above, levels[index] as string));
      at += behind - first;
    };
    const walk = (above: string | null): void => {
      const look = this.#lookAt(above);
      const places = (openBelow.get(above) ?? [])
        .map((path) => ({ path, index: placeOf(look, path) }))
        .filter(({ index }) => index >= 0)
        .sort((one, other) => one.index - other.index);
      let next = 0;
      for (const { path, index } of places) {
        take(above, look.levels, next, index + 1);
        next = index + 1;
        walk(path);
      }
      take(above, look.levels, next, look.levels.length);
    };
    walk(parent);
    const { tree, index } = this.#services;
    const rows = paths.map((path) => ({ ...tree.row(path, rings), isExpanded: open.has(path) }));
    this.#visible = new VisibleTopics(index, tree, paths, { rings, whole: false }, true);
    this.#newTopics = this.#latestNew = this.#countNew();
    return { type: 'tree', view: this.#view, total: at, from, rows, newTopics: this.#newTopics };
  }

  #lookAt(path: string | null): Look {
    const known = this.#looks.get(path);
    if (known !== undefined) return known;
    const { tree } = this.#services;
    const sort: TreeSort = this.#request.sort ?? 'name';
    const look = { levels: tree.children(path, sort), count: tree.childCount(path), places: new Map<string, number>() };
    this.#looks.set(path, look);
    return look;
  }

  #countNew(): number {
    let count = 0;
    for (const [path, look] of this.#looks) count += Math.max(0, this.#services.tree.childCount(path) - look.count);
    return count;
  }
}

function placeOf({ levels, places }: Look, path: string): number {
  const level = path.slice(path.lastIndexOf('/') + 1);
  let place = places.get(level);
  if (place === undefined) {
    place = levels.indexOf(level);
    places.set(level, place);
  }
  return place;
}

function join(above: string | null, level: string): string {
  return above === null ? level : `${above}/${level}`;
}
