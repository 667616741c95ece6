/** Topics that are on somebody's screen: which of them have changed since they were last told. */
import type { TopicIndex, TopicRecord } from '../../observe/topic-index.ts';
import { wholeBytesMax } from '../../observe/topic-index.ts';
import type { LiveAnswer } from '../schema/live.ts';
import { shownMessage } from '../shown-message.ts';
import type { TopicTree } from '../topic-tree.ts';

type UpdateRow = Extract<LiveAnswer, { readonly type: 'update' }>['rows'][number];

interface Visible {
  readonly topic: string;
  record: TopicRecord | null;
  /** Messages when it was last told. */
  count: number;
  /** Numbers of its ring when it was last told. */
  numbers: number;
}

export interface VisibleOptions {
  readonly rings: boolean;
  /** Whether whole payloads are wanted. */
  readonly whole: boolean;
}

export class VisibleTopics {
  readonly #index: TopicIndex;
  readonly #tree: TopicTree;
  readonly #options: VisibleOptions;
  readonly #visible: Visible[];

  /** @param isTold - whether what is known now was told already */
  constructor(index: TopicIndex, tree: TopicTree, topics: readonly string[], options: VisibleOptions, isTold: boolean) {
    this.#index = index;
    this.#tree = tree;
    this.#options = options;
    this.#visible = topics.map((topic) => {
      const record = this.#recordOf(topic);
      const isNew = !isTold || record === null;
      return {
        ...{ topic, record },
        count: isNew ? -1 : record.count,
        numbers: isNew || record.ring < 0 ? 0 : index.rings.added(record.ring),
      };
    });
    if (!isTold) return;
    // A topic without messages is not told as changed.
    for (const one of this.#visible) if (one.record === null) one.count = 0;
  }

  changes(): UpdateRow[] {
    const rows: UpdateRow[] = [];
    for (const one of this.#visible) {
      if (one.record === null || one.record.isGone) this.#findAgain(one);
      const { record } = one;
      const count = record?.count ?? 0;
      if (count === one.count) continue;
      one.count = count;
      rows.push(this.#row(one));
    }
    return rows;
  }

  close(): void {
    if (!this.#options.whole) return;
    for (const { record } of this.#visible) if (record !== null && !record.isGone) this.#index.unwatch(record);
  }

  #row(one: Visible): UpdateRow {
    const { record } = one;
    const { hasValue: _, ...value } = this.#tree.value(one.topic, record?.node);
    const row: UpdateRow = { topic: one.topic, ...value };
    if (record === null) return row;
    if (this.#options.rings && record.ring >= 0) {
      row.ringAdded = this.#index.numbers(record, one.numbers);
      one.numbers = this.#index.rings.added(record.ring);
    }
    if (this.#options.whole && record.whole !== null) {
      row.message = shownMessage(record.whole, record.lastMs, wholeBytesMax);
    }
    return row;
  }

  #findAgain(one: Visible): void {
    const wasKnown = one.record !== null;
    one.record = this.#recordOf(one.topic);
    if (wasKnown) one.count = -1;
    one.numbers = 0;
  }

  #recordOf(topic: string): TopicRecord | null {
    const record = this.#index.find(topic) ?? null;
    if (record !== null && this.#options.whole) this.#index.watch(record);
    return record;
  }
}
