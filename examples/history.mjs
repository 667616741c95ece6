// Messages of chosen topics are kept in a database, and a program asks for them: numbers in buckets, messages, exports.
//
//   npm run build && node examples/history.mjs data
//   mosquitto_pub -t maison/salon -m '{"temperature":21.5}'
//
// The file is data/history.db, which any SQLite tool reads; `moustique history` does, too.

import { mkdirSync } from 'node:fs';
import { createBroker } from 'moustique';

const [folder = 'data'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const broker = createBroker({
  allowAnonymous: true,
  listeners: [{ port: Number(process.env.PORT ?? 1883), host: '127.0.0.1' }],
  historyLocation: folder,
  historyTopic: [{ filter: 'maison/#', keepDays: 30, maxBytes: 100_000_000 }],
});
const [listener] = await broker.listen();
const { history } = broker;
if (history === null) throw new Error('no topic is kept');

for (const temperature of [20.5, 21.5, 24]) broker.publish('maison/salon', JSON.stringify({ temperature }));

const toMs = Date.now() + 1000;
const query = { filter: 'maison/salon', field: 'temperature', fromMs: toMs - 3_600_000, toMs, bucketMs: 86_400_000 };
const { series } = await history.query(query);
for (const { topic, field, min, max, avg } of series) console.log(`${topic} ${field}: ${min} to ${max}, mean ${avg}`);

const { messages } = await history.messages({ filter: 'maison/#', limit: 1 });
for (const { topic, payload } of messages) console.log(`last: ${topic} ${Buffer.from(payload)}`);

console.log(`listening on ${listener.url}, stop with Ctrl+C`);

process.once('SIGINT', () => void broker.close());
process.once('SIGTERM', () => void broker.close());
