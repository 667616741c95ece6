// The program takes part: it answers questions, counts, and reacts to what is retained. No network is needed for that, so
// this broker has no listener; with some, clients would see the same messages.
//
//   npm run build && node examples/publish-subscribe.mjs

import { createBroker } from 'moustique';

const broker = createBroker({ listeners: [] });

// Subscriptions made before `listen` miss nothing.
broker.subscribe('questions/+', ({ topic, payload, properties }) => {
  const answer = `${topic} has ${payload.length} bytes`;
  if (properties.responseTopic === undefined) return;
  // The asker finds its question again by the correlation data.
  broker.publish(properties.responseTopic, answer, { properties: { correlationData: properties.correlationData } });
});

await broker.listen();

// Messages may be kept; they do not change.
const enough = new Promise((resolve) => {
  const answers = [];
  const unsubscribe = broker.subscribe('answers', (message) => {
    if (answers.push(message) < 2) return;
    unsubscribe();
    resolve(answers);
  });
});

broker.publish('questions/short', 'why?', {
  properties: { responseTopic: 'answers', correlationData: Buffer.from('1') },
});
broker.publish('questions/long', Buffer.alloc(1000), {
  qos: 1,
  properties: { responseTopic: 'answers', correlationData: Buffer.from('2') },
});
for (const message of await enough) console.log(`answer ${message.properties.correlationData}: ${message.text()}`);

// A retained message waits for whoever subscribes later.
broker.publish('status', 'ready', { retain: true });
const status = await new Promise((resolve) => broker.subscribe('status', resolve));
console.log(`${status.isRetained ? 'retained' : 'new'}: ${status.text()}`);

await broker.close();
