// The smallest broker inside a program: who comes and goes is printed.
//
//   npm run build && node examples/embed.mjs
//   mosquitto_sub -t 'hello/#' -v        (in another terminal)
//   mosquitto_pub -t hello/world -m hi   (and in a third)
//
// PORT chooses another port than 1883; 0 is any free one.

import { createBroker } from 'moustique';

const broker = createBroker({
  // As in mosquitto.conf: with a listener of your own, clients without a name are refused unless you say this.
  allowAnonymous: true,
  listeners: [{ port: Number(process.env.PORT ?? 1883), host: '127.0.0.1' }],
});

broker.on('connect', ({ clientId, address }) => console.log(`${clientId} came from ${address}`));
broker.on('subscribe', ({ clientId }, filter) => console.log(`${clientId} wants ${filter}`));
broker.on('disconnect', ({ clientId }, reason) => console.log(`${clientId} went: ${reason}`));

const [listener] = await broker.listen();
console.log(`listening on ${listener.url}, stop with Ctrl+C`);

// Clients are told, Wills go out; nothing is left that would keep the process alive.
process.once('SIGINT', () => void broker.close());
process.once('SIGTERM', () => void broker.close());
