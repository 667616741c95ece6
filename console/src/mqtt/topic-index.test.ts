import { expect, test } from 'vitest';
import type { ShownMessage } from '../api/types.ts';
import type { ViewAnswer } from '../live/feed.ts';
import { LocalStream } from './local-stream.ts';
import { LocalTree } from './local-tree.ts';
import { bytesMax, TopicIndex, topicsMax } from './topic-index.ts';

const message = (topic: string, text: string): ShownMessage => ({
  topic,
  payload: { text },
  sizeBytes: text.length,
  isTruncated: false,
  qos: 0,
  isRetained: false,
  properties: {},
  publisherClientId: '',
  publisherUsername: null,
  atMs: 1,
});
const topicsOf = (answer: ViewAnswer | undefined): string[] =>
  answer?.type === 'tree' || answer?.type === 'update' ? answer.rows.map((row) => row.topic) : [];

test('a tree keeps its order and counts what is new until it is refreshed', () => {
  const index = new TopicIndex();
  index.add(message('b/x', '1'));
  index.add(message('a', '1'));
  const request = { type: 'tree' as const, view: 'v', expanded: ['b'], from: 0, to: 10 };
  const tree = new LocalTree(index, request);
  expect(topicsOf(tree.whole())).toEqual(['a', 'b', 'b/x']);

  index.add(message('a0', '1'));
  index.add(message('b/x', '2'));
  const news = tree.news(5);
  expect(topicsOf(news)).toEqual(['b/x']);
  expect(news).toMatchObject({ newTopics: 1 });
  expect(tree.news(6)).toBeUndefined();

  tree.ask({ ...request, refresh: true });
  expect(topicsOf(tree.whole())).toEqual(['a', 'a0', 'b', 'b/x']);
});

test('the index is bounded by topics and by bytes; the longest silent goes', () => {
  const index = new TopicIndex();
  for (let n = 0; n < topicsMax + 10; n++) index.add(message(`t/${n}`, 'x'));
  expect(index.size).toBe(topicsMax);
  expect(index.get('t/0')).toBeUndefined();
  expect(index.root.children.get('t')?.topicsBelow).toBe(topicsMax);

  const heavy = new TopicIndex();
  for (let n = 0; n < 100; n++) heavy.add(message(`t/${n}`, 'x'.repeat(1_000_000)));
  expect(heavy.size * 2_000_000).toBeLessThanOrEqual(bytesMax);
});

test('numbers make a ring of 60', () => {
  const index = new TopicIndex();
  for (let n = 0; n < 70; n++) index.add(message('t', String(n)));
  index.add(message('t', 'no number'));
  expect(index.get('t')?.ring.length).toBe(60);
  expect(index.get('t')?.ring.at(-1)).toBe(69);
});

test('a paused stream keeps what comes, within its bound, and numbers show what it lost', () => {
  const stream = new LocalStream({ type: 'stream', view: 'v', filters: ['a/#'] });
  stream.isPaused = true;
  for (let n = 0; n < 20; n++) stream.add(message(n % 2 === 0 ? 'a/b' : 'other', String(n)));
  expect(stream.news()).toBeUndefined();
  stream.isPaused = false;
  const news = stream.news();
  expect(news?.type === 'messages' ? news.messages.map((one) => one.seq) : []).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});
