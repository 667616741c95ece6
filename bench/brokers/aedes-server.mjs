// aedes as the benchmark starts it: in memory, nothing logged, one listener.
// Usage: node aedes-server.mjs PORT tcp|tls|websocket [CERTFILE KEYFILE]
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';

const [port, transport, certFile, keyFile] = process.argv.slice(2);
// The limits that would drop messages or connections under a benchmark's load are raised, as for every other broker.
const broker = await Aedes.createBroker({ queueLimit: 1_000_000, maxInflightInbound: 0, drainTimeout: 0 });

if (transport === 'websocket') {
  const { WebSocketServer, createWebSocketStream } = await import('ws');
  const server = createHttpServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));
  server.listen(Number(port), '127.0.0.1');
} else if (transport === 'tls') {
  const options = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  createTlsServer(options, broker.handle).listen(Number(port), '127.0.0.1');
} else {
  createTcpServer(broker.handle).listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
}
process.on('SIGTERM', () => process.exit(0));
