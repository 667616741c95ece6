/**
 * Looking through every topic: by text, Topic Filter, regular expression, payload text, or a value inside JSON. Chunk by chunk of
 * {@link TopicNames}, so that a million names are looked through in a moment and nobody waits for it.
 */
import type { Clock } from '../base/clock.ts';
import { inBatches } from '../base/in-batches.ts';
import type { Message, Publisher } from '../contracts/message.ts';
import { previewBytes, rateOf, type TopicIndex } from '../observe/topic-index.ts';
import { filterMatches } from '../topics/topic-filter.ts';
import { parseJsonCondition } from './json-condition.ts';
import { compilePattern, type Pattern, PatternError } from './linear-pattern.ts';
import { HttpProblem } from './problem.ts';
import type { TopicRow } from './schema/topics.ts';
import type { HttpServices } from './services.ts';
import type { NameChunk, TopicNames } from './topic-names.ts';

export type SearchMode = 'substring' | 'wildcard' | 'regex' | 'payload' | 'jsonpath' | 'client';

/** A search that takes longer is ended. */
const patienceMs = 5000;

/** Calls back with the index of each name of a chunk that is looked for, in order; those that are gone may be among them. */
type Look = (chunk: NameChunk, found: (index: number) => void) => void;

/** A search that takes what is gathered waits so long for all of it. */
const gatherMs = 200;

/** @param isPartial - while names are gathered for the first search, look through those there are */
export async function searchTopics(
  services: HttpServices,
  mode: SearchMode,
  q: string,
  limit: number,
  isPartial: boolean,
) {
  const startMs = services.surroundings.clock.monotonicMs();
  const waitMs = isPartial ? gatherMs : undefined;
  const { found, total, searched, isComplete, isGathering } = await findTopics(services, mode, q, limit, waitMs);
  const items = found.map((topic): TopicRow => services.tree.row(topic, false));
  return {
    items,
    total,
    searched,
    isComplete,
    isGathering,
    tookMs: services.surroundings.clock.monotonicMs() - startMs,
  };
}

/**
 * @param limit - topics returned; the others are counted
 * @param waitMs - for the names of all topics; absent: until all are there
 * @throws HttpProblem - 400 for a pattern or condition that is none
 */
export async function findTopics(services: HttpServices, mode: SearchMode, q: string, limit: number, waitMs?: number) {
  const { clock } = services.surroundings;
  const look = lookFor(services.index, mode, q);
  const found: string[] = [];
  let total = 0;
  let kept = 0;
  let searched = 0;
  let ratePerSecond = 0;
  const names = await services.topics.names(waitMs);
  const { isGathering } = services.topics;
  const isComplete = await eachChunk(names, clock, patienceMs, (chunk) => {
    const nowMs = clock.nowMs();
    searched += chunk.count;
    look(chunk, (index) => {
      if (!chunk.has(index)) return;
      total++;
      if (chunk.kept[index] !== null) kept++;
      const record = chunk.seen[index];
      if (record !== null && record !== undefined) ratePerSecond += rateOf(record, nowMs);
      if (found.length < limit) found.push(chunk.name(index));
    });
  });
  return { found, total, retained: kept, searched, isComplete: isComplete && !isGathering, isGathering, ratePerSecond };
}

/**
 * The retained messages whose Topic Name is looked for.
 *
 * @param q - absent: all of them
 */
export async function eachRetained(
  services: HttpServices,
  mode: 'substring' | 'wildcard',
  q: string | undefined,
  work: (message: Message) => void,
): Promise<void> {
  const { surroundings, topics } = services;
  // Few are found faster in their tree than all names are gathered.
  if (mode === 'wildcard' && q !== undefined && !topics.isKept) {
    await inBatches(surroundings.broker.engine.retained.matching(q), surroundings.clock, work);
    return;
  }
  const look = q === undefined ? everyName : lookFor(services.index, mode, q);
  await eachChunk(await topics.names(), surroundings.clock, Number.POSITIVE_INFINITY, (chunk) =>
    look(chunk, (index) => {
      const message = chunk.kept[index] ?? undefined;
      if (message !== undefined) work(message);
    }),
  );
}

/** @returns false when the time was over before the chunks were */
async function eachChunk(
  names: TopicNames,
  clock: Clock,
  timeMs: number,
  work: (chunk: NameChunk) => void,
): Promise<boolean> {
  const endMs = clock.monotonicMs() + timeMs;
  let isComplete = true;
  const chunks = names.beginWalk();
  try {
    await inBatches(
      chunks,
      clock,
      (chunk) => {
        isComplete = clock.monotonicMs() < endMs;
        if (isComplete) work(chunk);
        return isComplete;
      },
      { items: 1 },
    );
  } finally {
    names.endWalk();
  }
  await inBatches(names.tidy(), clock, () => {}, { items: 1 });
  return isComplete;
}

function lookFor(index: TopicIndex, mode: SearchMode, q: string): Look {
  switch (mode) {
    case 'substring':
      return textLook(q.toLowerCase());
    case 'wildcard':
      return filterLook(q);
    case 'payload': {
      const bytes = Buffer.from(q).toString('latin1');
      return payloadLook(index, (payload) => payload.includes(bytes));
    }
    case 'regex':
      try {
        return patternLook(compilePattern(q));
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        throw new HttpProblem(400, 'invalid-field', `query: q: ${error.message}`, 'q');
      }
    case 'jsonpath': {
      const condition = parseJsonCondition(q);
      if (typeof condition === 'string') throw new HttpProblem(400, 'invalid-field', `query: q: ${condition}`, 'q');
      return payloadLook(index, condition);
    }
    case 'client':
      return clientLook(q.toLowerCase());
  }
}

const everyName: Look = ({ count }, found) => {
  for (let index = 0; index < count; index++) found(index);
};

/** @param text - in lower case */
function textLook(text: string): Look {
  return (chunk, found) => {
    const all = chunk.text().toLowerCase();
    if (!chunk.isAscii) {
      eachName(all, (name, index) => {
        if (name.includes(text)) found(index);
      });
      return;
    }
    let index = 0;
    for (let at = all.indexOf(text); at >= 0 && at < all.length; at = all.indexOf(text, chunk.endOf(index++))) {
      while (chunk.endOf(index) <= at) index++;
      // Only what was asked for with a NUL in it reaches into the next name.
      if (at + text.length < chunk.endOf(index)) found(index);
    }
  };
}

function filterLook(filter: string): Look {
  const wildcard = filter.search(/[+#]/);
  // "a/#" matches "a" as well. [MQTT-4.7.1-1]
  const beginning =
    wildcard < 0 ? filter : filter.slice(0, wildcard).replace(filter[wildcard] === '#' ? /\/$/ : '', '');
  return (chunk, found) => {
    const all = chunk.text();
    if (!chunk.isAscii) {
      eachName(all, (name, index) => {
        if (filterMatches(filter, name)) found(index);
      });
      return;
    }
    for (let index = 0; index < chunk.count; index++) {
      const start = chunk.starts[index] as number;
      if (!all.startsWith(beginning, start)) continue;
      if (filterMatches(filter, all.slice(start, chunk.endOf(index) - 1))) found(index);
    }
  };
}

function patternLook(pattern: Pattern): Look {
  return (chunk, found) => {
    const all = chunk.text();
    if (!chunk.isAscii) {
      eachName(all, (name, index) => {
        if (pattern.test(name)) found(index);
      });
      return;
    }
    for (let index = 0; index < chunk.count; index++) {
      if (pattern.test(all, chunk.starts[index], chunk.endOf(index) - 1)) found(index);
    }
  };
}

/** @param isMeant - of the first {@link previewBytes} bytes of a payload, one character each */
function payloadLook(index: TopicIndex, isMeant: (payload: string) => boolean): Look {
  return ({ count, seen, kept }, found) => {
    for (let at = 0; at < count; at++) {
      const record = seen[at];
      const message = kept[at] ?? undefined;
      if (record !== null && record !== undefined) {
        if (isMeant(index.preview(record))) found(at);
      } else if (message !== undefined && isMeant(beginningOf(message))) found(at);
    }
  };
}

/** The client that published the last message. @param text - in lower case, a part of the Client Identifier */
function clientLook(text: string): Look {
  const meant = new Map<Publisher, boolean>();
  return ({ count, seen, kept }, found) => {
    for (let at = 0; at < count; at++) {
      const publisher = seen[at]?.publisher ?? kept[at]?.publisher;
      if (publisher === undefined) continue;
      let isMeant = meant.get(publisher);
      if (isMeant === undefined) {
        isMeant = publisher.clientId.toLowerCase().includes(text);
        meant.set(publisher, isMeant);
      }
      if (isMeant) found(at);
    }
  };
}

function beginningOf({ payloadSource, payloadStart, payloadEnd }: Message): string {
  return payloadSource.toString('latin1', payloadStart, Math.min(payloadEnd, payloadStart + previewBytes));
}

/** @param all - names with a NUL behind each */
function eachName(all: string, work: (name: string, index: number) => void): void {
  const names = all.split('\0');
  for (let index = 0; index < names.length - 1; index++) work(names[index] as string, index);
}
