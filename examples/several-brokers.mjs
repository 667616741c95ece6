// Several brokers in one process share nothing but the process. Here each room of a house has its own, and what a room calls
// out is carried to the hall.
//
//   npm run build && node examples/several-brokers.mjs
//   mosquitto_sub -p 1883 -t 'rooms/#' -v     (the hall)
//   mosquitto_pub -p 1884 -t out/temp -m 21   (the kitchen)
//
// The ports are PORT (1883), PORT + 1, PORT + 2; PORT=0 takes any free ones.

import { createBroker } from 'moustique';

const first = Number(process.env.PORT ?? 1883);
const brokerAt = (offset) =>
  createBroker({
    allowAnonymous: true,
    listeners: [{ port: first === 0 ? 0 : first + offset, host: '127.0.0.1' }],
  });

const hall = brokerAt(0);
const rooms = new Map([
  ['kitchen', brokerAt(1)],
  ['bath', brokerAt(2)],
]);

for (const [name, room] of rooms) {
  room.subscribe('out/#', ({ topic, payload, qos, retain, properties }) => {
    hall.publish(`rooms/${name}/${topic.slice('out/'.length)}`, payload, { qos, retain, properties });
  });
}

for (const [name, broker] of new Map([['hall', hall], ...rooms])) {
  const [listener] = await broker.listen();
  console.log(`${name} listens on ${listener.url}`);
}
console.log('stop with Ctrl+C');

const close = () => {
  for (const broker of [hall, ...rooms.values()]) void broker.close();
};
process.once('SIGINT', close);
process.once('SIGTERM', close);
