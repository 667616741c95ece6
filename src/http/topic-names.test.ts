// Names of topics come, go and are searched in random order, beside a plain Map that knows the truth.
import { expect, test } from 'vitest';
import { createMessage } from '../contracts/message.ts';
import { TopicNode, TopicRecord } from '../observe/topic-index.ts';
import { Topic } from '../topics/topic.ts';
import { TopicNames } from './topic-names.ts';

const seed = 0x1234_5678;
const publisher = { clientId: 'c', username: null, listenerPort: 1883 };

const messageOf = (name: string) => createMessage(Topic.of(name), publisher, { payload: Buffer.from('1') });

const recordOf = (name: string): TopicRecord => new TopicRecord(name, new TopicNode('', null));

/** Every name that is there, sorted, with whether it is retained and seen. */
function all(names: TopicNames): [name: string, kept: boolean, seen: boolean][] {
  const found: [string, boolean, boolean][] = [];
  for (const chunk of names.beginWalk()) {
    for (let index = 0; index < chunk.count; index++) {
      if (chunk.has(index)) {
        found.push([chunk.name(index), chunk.kept[index] !== null, chunk.seen[index] !== null]);
      }
    }
  }
  names.endWalk();
  return found.sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Random numbers from 0 to below 1, the same every time. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test.each([1, 2, 3])('what comes and goes in random order is there or not (seed %i)', (start) => {
  const random = randomOf(start);
  const names = new TopicNames(seed);
  const truth = new Map<string, { kept: boolean; seen: boolean }>();
  const nameOf = (number: number): string =>
    number % 97 === 0 ? `maison/été/${number}` : number % 1009 === 0 ? `${number}/`.repeat(2000) : `hall/${number}/x`;
  for (let step = 0; step < 60_000; step++) {
    // Small numbers come and go again and again; the range moves on, so that chunks die.
    const name = nameOf(Math.floor(random() * 3000) + Math.floor(step / 10));
    const known = truth.get(name) ?? { kept: false, seen: false };
    const choice = Math.floor(random() * 5);
    if (choice === 0) names.stored(name, messageOf(name));
    else if (choice === 1) names.removed(name);
    else if (choice === 2) names.entered(recordOf(name));
    else names.forgotten(recordOf(name));
    if (choice < 2) known.kept = choice === 0;
    else known.seen = choice === 2;
    if (known.kept || known.seen) truth.set(name, known);
    else truth.delete(name);
  }
  const expected = [...truth].map(([name, { kept, seen }]) => [name, kept, seen]);
  expect(all(names)).toEqual(expected.sort(([one], [other]) => ((one as string) < (other as string) ? -1 : 1)));
  expect(names.count).toBe(truth.size);
  // Of all that went, at most as much is kept as is there, and the chunk that is being filled.
  const bytes = [...truth.keys()].reduce((sum, name) => sum + Buffer.byteLength(name) + 1, 0);
  expect(names.beginWalk().length).toBeLessThanOrEqual(Math.ceil((2 * bytes) / (65_536 - 12_000)) + 2);
  names.endWalk();
});

test('nothing moves during a walk, and what went meanwhile is not there any more', () => {
  const names = new TopicNames(seed);
  for (let number = 0; number < 20_000; number++) names.stored(`hall/${number}`, messageOf(`hall/${number}`));
  const chunks = names.beginWalk();
  for (let number = 0; number < 19_000; number++) names.removed(`hall/${number}`);
  const left = chunks.flatMap((chunk) =>
    chunk.starts.flatMap((_, index) => (chunk.has(index) ? [chunk.name(index)] : [])),
  );
  expect(left).toHaveLength(1000);
  names.endWalk();
  // One chunk for each step, and none while somebody walks.
  const steps = names.tidy();
  expect(steps.next().done).toBe(false);
  const again = names.beginWalk();
  expect(again.length).toBe(chunks.length - 1);
  expect(steps.next().done).toBe(true);
  names.endWalk();
  expect([...names.tidy()].length).toBeGreaterThan(1);
  expect(all(names).map(([name]) => name)).toEqual(left.toSorted());
  expect(names.beginWalk().length).toBeLessThan(chunks.length);
});

test('the longest Topic Name and the shortest', () => {
  const names = new TopicNames(seed);
  const longest = 'x'.repeat(65_535);
  for (const name of [longest, 'a', '/']) names.stored(name, messageOf(name));
  expect(all(names).map(([name]) => name)).toEqual(['/', 'a', longest]);
  names.removed(longest);
  expect(all(names).map(([name]) => name)).toEqual(['/', 'a']);
});
