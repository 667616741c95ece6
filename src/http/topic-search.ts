/**
 * Looking through every topic: by text, Topic Filter, regular expression, payload text, or a value inside JSON. In slices, so that
 * a million topics are looked through in a moment and nobody waits for it.
 */
import type { Message } from '../contracts/message.ts';
import { previewBytes, rateOf, type TopicRecord } from '../observe/topic-index.ts';
import { filterMatches } from '../topics/topic-filter.ts';
import { inBatches } from './in-batches.ts';
import { parseJsonCondition } from './json-condition.ts';
import { compilePattern, PatternError } from './linear-pattern.ts';
import { HttpProblem } from './problem.ts';
import type { TopicRow } from './schema/topics.ts';
import type { HttpServices } from './services.ts';

export type SearchMode = 'substring' | 'wildcard' | 'regex' | 'payload' | 'jsonpath';

/** A search that takes longer is ended. */
const patienceMs = 5000;

/** Whether a topic is one of those looked for. @param payload - at most its first {@link previewBytes} bytes, one character each */
type Test = (topic: string, payload: () => string) => boolean;

export async function searchTopics(services: HttpServices, mode: SearchMode, q: string, limit: number) {
  const startMs = services.surroundings.clock.monotonicMs();
  const { found, total, searched, isComplete } = await findTopics(services, mode, q, limit);
  const items = found.map((topic): TopicRow => services.tree.row(topic, false));
  return { items, total, searched, isComplete, tookMs: services.surroundings.clock.monotonicMs() - startMs };
}

/**
 * @param limit - topics returned; the others are counted
 * @throws HttpProblem - 400 for a pattern or condition that is none
 */
export async function findTopics(services: HttpServices, mode: SearchMode, q: string, limit: number) {
  const { surroundings, index } = services;
  const { clock, broker } = surroundings;
  const { retained } = broker.engine;
  const isFound = testOf(mode, q);
  const endMs = clock.monotonicMs() + patienceMs;
  const nowMs = clock.nowMs();
  const found: string[] = [];
  let total = 0;
  let kept = 0;
  let searched = 0;
  let ratePerSecond = 0;
  let isComplete = true;
  const take = (topic: string, record: TopicRecord | undefined): void => {
    total++;
    if (found.length < limit) found.push(topic);
    if (record !== undefined) ratePerSecond += rateOf(record, nowMs);
  };
  const isLate = (): boolean => {
    if (++searched % 4096 !== 0 || clock.monotonicMs() < endMs) return false;
    isComplete = false;
    return true;
  };
  const messages = mode === 'wildcard' ? retained.matching(q) : retained.values();
  // One function for all of them: it is asked by few.
  let current: Message | null = null;
  const payload = (): string => {
    if (current === null) return '';
    return index.find(current.topic.name)?.preview ?? current.payload.toString('latin1', 0, previewBytes);
  };
  await inBatches(messages, clock, (message: Message) => {
    const { name } = message.topic;
    current = message;
    if (isFound(name, payload)) {
      kept++;
      take(name, index.find(name));
    }
    return !isLate();
  });
  // As an array: what is forgotten meanwhile would end the walk.
  let preview = '';
  const ofRecord = (): string => preview;
  await inBatches(index.all(), clock, (record: TopicRecord) => {
    ({ preview } = record);
    const isNew = !record.isGone && isFound(record.name, ofRecord);
    if (isNew && retained.get(record.name) === undefined) take(record.name, record);
    return !isLate();
  });
  return { found, total, retained: kept, searched, isComplete, ratePerSecond };
}

function testOf(mode: SearchMode, q: string): Test {
  switch (mode) {
    case 'substring': {
      const text = q.toLowerCase();
      return (topic) => topic.toLowerCase().includes(text);
    }
    case 'wildcard':
      return (topic) => filterMatches(q, topic);
    case 'payload': {
      const bytes = Buffer.from(q).toString('latin1');
      return (_topic, payload) => payload().includes(bytes);
    }
    case 'regex':
      try {
        const pattern = compilePattern(q);
        return (topic) => pattern.test(topic);
      } catch (error) {
        if (!(error instanceof PatternError)) throw error;
        throw new HttpProblem(400, 'invalid-field', `query: q: ${error.message}`, 'q');
      }
    case 'jsonpath': {
      const condition = parseJsonCondition(q);
      if (typeof condition === 'string') throw new HttpProblem(400, 'invalid-field', `query: q: ${condition}`, 'q');
      return (_topic, payload) => condition(payload());
    }
  }
}
