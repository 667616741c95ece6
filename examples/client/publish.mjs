// Connect, publish, go.
//
//   npm run build && node examples/client/publish.mjs mqtt://localhost hello/world 'hi there'

import { ClientError, connect } from 'moustique/client';

const [url = 'mqtt://localhost', topic = 'hello/world', text = 'hi'] = process.argv.slice(2);

try {
  const client = await connect(url);
  // QoS 1: resolves when the broker has the message.
  await client.publish(topic, text, { qos: 1, properties: { contentType: 'text/plain' } });
  console.log(`published as ${client.clientId}`);
  await client.disconnect();
} catch (error) {
  if (!(error instanceof ClientError)) throw error;
  // kind: refused, lost, rejected …; see docs/client.md
  console.error(`${error.kind}: ${error.message}`);
  process.exitCode = 1;
}
