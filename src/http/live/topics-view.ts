/** Some topics, wherever they stand. */
import type { LiveAnswer, LiveRequest } from '../schema/live.ts';
import type { HttpServices } from '../services.ts';
import type { View } from './view.ts';
import { VisibleTopics } from './visible-topics.ts';

type Request = Extract<LiveRequest, { readonly type: 'topics' }>;

export class TopicsView implements View {
  readonly #view: string;
  readonly #visible: VisibleTopics;
  #isPaused = false;

  constructor({ index, tree }: HttpServices, { view, topics, rings = false, whole = false }: Request) {
    this.#view = view;
    this.#visible = new VisibleTopics(index, tree, topics, { rings, whole }, false);
  }

  frame(nowMs: number): LiveAnswer | null {
    if (this.#isPaused) return null;
    const rows = this.#visible.changes();
    return rows.length === 0 ? null : { type: 'update', view: this.#view, atMs: nowMs, rows, newTopics: 0 };
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  close(): void {
    this.#visible.close();
  }
}
