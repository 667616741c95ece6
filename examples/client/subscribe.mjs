// Subscribe, print what comes, and come back after a failure of the network.
//
//   npm run build && node examples/client/subscribe.mjs mqtt://localhost 'hello/#'

import { connect } from 'moustique/client';

const [url = 'mqtt://localhost', filter = 'hello/#'] = process.argv.slice(2);

const client = await connect(url, {
  clientId: `reader-${process.pid}`,
  // The session outlives the connection for an hour: what comes meanwhile waits at the broker.
  connectProperties: { sessionExpiryInterval: 3600 },
  reconnect: { initialDelayMs: 200, maximumDelayMs: 10_000, jitter: 0.3 },
  onDisconnect: (error, willReconnect) => console.log(`${error.kind}${willReconnect ? ', trying again' : ''}`),
});
const { reasonCodes } = await client.subscribe({ filter, qos: 1 });
console.log(`subscribed with QoS ${reasonCodes[0]}, stop with Ctrl+C`);

process.once('SIGINT', () => void client.disconnect());

// Ends when the client is closed. A slow loop slows the broker down; nothing piles up here.
for await (const { topic, payload, retain } of client.messages()) {
  console.log(`${topic}${retain ? ' (retained)' : ''}: ${payload.toString()}`);
}
