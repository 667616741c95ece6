// What a search finds, beside looking at every topic in the plainest way. `npx tsx bench/search-cost.ts` does it with a million.
import { expect, test } from 'vitest';
import { filterMatches } from '../../src/topics/topic-filter.ts';
import { connect } from '../access/clients.ts';
import { useResources } from '../harness/resources.ts';
import { type ConsoleClient, loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();
const tcp = { transport: 'tcp', version: 5 } as const;

type Found = { total: number; isComplete: boolean; items: { topic: string }[] };

const substrings = ['sensor7', 'SENSOR7', 'é', 'É', 'hall1/', '/', 'nowhere', 'x\u0000y'];
const filters = ['#', 'hall1/#', 'hall1', '+/+', 'hall1/+/t', '+/été/+', '/#', '+/sensor7/#', '$SYS/none/#'];
const patterns = ['^hall1/.*7/t$', 'sensor(7|8)', 'é', 't$', '^$'];
const payloads = ['21.7', '{"t"', 'never'];
const conditions: readonly (readonly [text: string, isMeant: (t: number) => boolean])[] = [
  ['$.t > 28', (t) => t > 28],
  ['$.t == 21', (t) => t === 21],
];

/** Asks everything, and expects of each answer what the map of topic → payload says. */
async function expectAll(user: ConsoleClient, topics: ReadonlyMap<string, string>): Promise<void> {
  const ask = async (mode: string, q: string, isMeant: (topic: string, payload: string) => boolean): Promise<void> => {
    const answer = await user.get<Found>(`/topics/search?limit=1000&mode=${mode}&q=${encodeURIComponent(q)}`);
    const wanted = [...topics].filter(([topic, payload]) => isMeant(topic, payload)).map(([topic]) => topic);
    const own = answer.items.map(({ topic }) => topic).filter((topic) => !topic.startsWith('$'));
    const title = `${mode} ${q}`;
    expect([title, answer.isComplete]).toEqual([title, true]);
    if (answer.total <= 1000) expect([title, own.toSorted()]).toEqual([title, wanted.toSorted()]);
    else expect([title, own.every((topic) => wanted.includes(topic))]).toEqual([title, true]);
    // Text also stands in topics below $SYS, which change by themselves.
    if (mode === 'wildcard') expect([title, answer.total]).toEqual([title, wanted.length]);
  };
  for (const q of substrings) await ask('substring', q, (topic) => topic.toLowerCase().includes(q.toLowerCase()));
  for (const q of filters) await ask('wildcard', q, (topic) => filterMatches(q, topic));
  for (const q of patterns) await ask('regex', q, (topic) => new RegExp(q).test(topic));
  for (const q of payloads) await ask('payload', q, (_, payload) => payload.includes(q));
  await ask('client', 'DEVICE', () => true);
  await ask('client', 'nobody', () => false);
  for (const [q, isMeant] of conditions) {
    await ask(
      'jsonpath',
      q,
      (_, payload) => payload.startsWith('{') && isMeant((JSON.parse(payload) as { t: number }).t),
    );
  }
}

test('every kind of search finds what is there, also after topics came and went', async () => {
  const broker = await startWithUsers(resources, ['http_index_memory 1', 'sys_interval 0']);
  const otto = await loggedIn(broker, 'otto');
  const device = await connect(resources, broker, tcp, { id: 'device', inflightMaximum: 1000 });
  const topics = new Map<string, string>();
  const publish = async (topic: string, payload: string): Promise<void> => {
    await device.publish(topic, payload, { qos: 1, retain: true });
    if (payload === '') topics.delete(topic);
    else topics.set(topic, payload);
  };
  const nameOf = (number: number): string =>
    number % 10 === 0 ? `hall1/été/sensor${number}` : `hall${number % 3}/sensor${number}/t`;
  const payloadOf = (number: number): string =>
    number % 2 === 0 ? `{"t":${20 + (number % 10)}}` : String(20 + (number % 100) / 10);
  await publish('hall1', 'here');
  await publish('/', '21.7');
  for (let first = 0; first < 5000; first += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, offset) => publish(nameOf(first + offset), payloadOf(first + offset))),
    );
  }
  await expectAll(otto, topics);
  expect(await otto.get('/subscriptions/matches?filter=hall2/%23')).toMatchObject({
    retained: [...topics.keys()].filter((topic) => filterMatches('hall2/#', topic)).length,
    isComplete: true,
  });

  // Deleted ones were seen, until what the console knows of them is forgotten: the index has 1 MiB.
  const gone = await otto.post<{ count: number }>('/retained/delete', { filter: 'hall0/#', dryRun: false });
  for (const topic of [...topics.keys()]) if (filterMatches('hall0/#', topic)) topics.delete(topic);
  expect(gone.count).toBeGreaterThan(1000);
  await publish('hall1', '');
  for (let first = 5000; first < 9000; first += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, offset) => publish(nameOf(first + offset), payloadOf(first + offset))),
    );
  }
  for (const topic of [...topics.keys()]) if (filterMatches('hall0/#', topic)) await publish(topic, payloadOf(4));
  await expectAll(otto, topics);
  expect(await otto.get('/retained?limit=1')).toMatchObject({ total: topics.size });
  expect(await otto.get('/retained?limit=1&search=SENSOR77')).toMatchObject({
    total: [...topics.keys()].filter((topic) => topic.includes('sensor77')).length,
  });
});
