// The least that a program on node:net can do with MQTT 3.1.1 at QoS 0: packets are copied from socket to socket, one write per
// subscriber for what one read brought. Nothing is checked; only filters without wildcards and those that end with /# are known.
// Usage: node forwarder.mjs PORT
import { createServer } from 'node:net';

/** Filter → sockets, and Topic Name → sockets as far as they were looked for. */
const subscribers = new Map();
const routes = new Map();

function matching(topic) {
  const found = [...(subscribers.get(topic) ?? [])];
  for (let end = topic.indexOf('/'); end >= 0; end = topic.indexOf('/', end + 1)) {
    found.push(...(subscribers.get(`${topic.slice(0, end)}/#`) ?? []));
  }
  return found;
}

function subscribe(socket, body) {
  const codes = [];
  for (let at = 2; at < body.length; ) {
    const length = body.readUInt16BE(at);
    const filter = body.toString('utf8', at + 2, at + 2 + length);
    subscribers.set(filter, [...(subscribers.get(filter) ?? []), socket]);
    at += 3 + length;
    codes.push(0);
  }
  routes.clear();
  socket.write(Buffer.from([0x90, 2 + codes.length, body[0], body[1], ...codes]));
}

function forward(packet, body, outgoing) {
  const topic = body.latin1Slice(2, 2 + body.readUInt16BE(0));
  let sockets = routes.get(topic);
  if (sockets === undefined) routes.set(topic, (sockets = matching(topic)));
  for (const socket of sockets) {
    const packets = outgoing.get(socket);
    if (packets === undefined) outgoing.set(socket, [packet]);
    else packets.push(packet);
  }
}

/** Takes every whole packet; returns what is left. */
function read(socket, bytes) {
  const outgoing = new Map();
  let at = 0;
  for (;;) {
    let [length, shift, end] = [0, 0, at + 1];
    while (end < bytes.length && bytes[end] > 127) {
      length |= (bytes[end++] & 127) << shift;
      shift += 7;
    }
    if (end >= bytes.length) break;
    length |= bytes[end++] << shift;
    if (end + length > bytes.length) break;
    const packet = bytes.subarray(at, end + length);
    const body = bytes.subarray(end, end + length);
    const type = packet[0] >> 4;
    if (type === 1) socket.write(Buffer.from([0x20, 2, 0, 0]));
    else if (type === 8) subscribe(socket, body);
    else if (type === 3) forward(packet, body, outgoing);
    at = end + length;
  }
  for (const [to, packets] of outgoing) to.write(packets.length === 1 ? packets[0] : Buffer.concat(packets));
  return bytes.subarray(at);
}

const server = createServer({ noDelay: true }, (socket) => {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = read(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]));
  });
  socket.on('error', () => {});
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
process.on('SIGTERM', () => process.exit(0));
