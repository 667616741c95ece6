// Listeners of all kinds: MQTT with and without TLS, WebSockets with and without TLS.
//
//   npm run build && node examples/websockets-tls.mjs server.crt server.key
//   mosquitto_sub -p 8883 --cafile ca.crt -t '#' -v
//
// A page in a browser connects to wss://localhost:9443. The ports are PORT (8883), PORT + 1 …; PORT=0 takes any free ones.
// A certificate for a try:
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 -subj /CN=localhost \
//     -addext subjectAltName=DNS:localhost -keyout server.key -out server.crt

import { ConfigErrors, createBroker, StartError } from 'moustique';

const [certfile, keyfile] = process.argv.slice(2);
if (keyfile === undefined) throw new Error('usage: node examples/websockets-tls.mjs CERTIFICATE KEY');
const first = Number(process.env.PORT ?? 8883);
const port = (offset) => (first === 0 ? 0 : first + offset);
const host = 'localhost';

try {
  const broker = createBroker({
    allowAnonymous: true,
    listeners: [
      { port: port(0), host, certfile, keyfile },
      { port: port(1), host, certfile, keyfile, protocol: 'websockets' },
      { port: port(2), host: '127.0.0.1' },
      { port: port(3), host: '127.0.0.1', protocol: 'websockets' },
    ],
  });
  for (const { url } of await broker.listen()) console.log(`listening on ${url}`);
  console.log('stop with Ctrl+C');
  process.once('SIGINT', () => void broker.close());
  process.once('SIGTERM', () => void broker.close());
} catch (error) {
  // Both say in `lines` what is wrong, and with which option, file or port; nothing has been opened.
  if (!(error instanceof ConfigErrors || error instanceof StartError)) throw error;
  for (const line of error.lines) console.error(line);
  process.exitCode = error.exitCode;
}
