// Sessions, queued messages and retained messages survive the process. Start it, stop it, start it again: the broker remembers.
//
//   npm run build && node examples/persistence.mjs data
//   mosquitto_sub -i desk -c -q 1 -t news -v   (stop it with Ctrl+C: its session stays)
//   mosquitto_pub -q 1 -t news -m 'while you were away'
//   (stop the broker, start it again, start the subscriber again)
//
// The file is a mosquitto.db: Mosquitto reads it too.

import { mkdirSync } from 'node:fs';
import { createBroker } from 'moustique';

const [folder = 'data'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const broker = createBroker({
  allowAnonymous: true,
  listeners: [{ port: Number(process.env.PORT ?? 1883), host: '127.0.0.1' }],
  persistence: true,
  persistenceLocation: folder,
  // Every five minutes, and always when the broker is closed; `broker.save()` does it in between.
  autosaveInterval: 300,
});

// What was retained comes back: the number of starts so far.
let before = 0;
const unsubscribe = broker.subscribe('starts', (message) => {
  before = Number(message.text());
});
const [listener] = await broker.listen();
await new Promise(setImmediate); // handlers are called from the event loop
unsubscribe();
broker.publish('starts', String(before + 1), { retain: true });
await broker.save();

console.log(`start ${before + 1}, ${broker.stats.clientsTotal} sessions were kept`);
console.log(`listening on ${listener.url}, stop with Ctrl+C`);

process.once('SIGINT', () => void broker.close());
process.once('SIGTERM', () => void broker.close());
