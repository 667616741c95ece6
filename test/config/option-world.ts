/** What the cases of options look at: files, handshakes, answers, and the calls of a broker's process. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { connect as dialTls } from 'node:tls';
import type { Place } from '../behaviour/either-broker.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { valueOf } from '../conformance/wire/properties.ts';
import type { TestBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { runToEnd } from '../harness/running-process.ts';
import { waitFor } from '../harness/wait.ts';

const v5 = packetsOf(5);

/** A broker with the lines of a case, then without them. */
export interface Observed {
  /** What makes the difference; `{port}` is a listener that lets everybody in. */
  readonly lines: readonly string[];
  /** Lines of both brokers. */
  readonly common?: readonly string[];
  /** Below the listener instead of above it. */
  readonly isBelow?: true;
  readonly env?: Readonly<Record<string, string>>;
  readonly prepare?: (broker: TestBroker) => Promise<void>;
  readonly observe: (place: Place) => Promise<unknown>;
  readonly is: unknown;
  /** Without the lines. */
  readonly otherwise: unknown;
}

/** Code that runs in the broker's process before it: `tell` writes a line into the file `probe`. */
export function probe(code: string): (broker: TestBroker) => Promise<void> {
  return async (broker) => {
    broker.write(
      'probe.cjs',
      `const { appendFileSync, existsSync } = require('node:fs');
      const tell = (line) => appendFileSync(${JSON.stringify(join(broker.dir, 'probe'))}, line + '\\n');
      const isReady = () => existsSync(${JSON.stringify(join(broker.dir, 'ready'))});
      ${code}
      require('node:module').syncBuiltinESMExports();\n`,
    );
  };
}

export function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The first characters of the answer; '' when the connection is closed without one. */
export function answerTo(port: number, request: string, length: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => socket.write(request));
    socket.on('error', () => {});
    socket.once('data', (answer: Buffer) => {
      resolve(answer.toString('latin1', 0, length));
      socket.destroy();
    });
    socket.on('close', () => resolve(''));
  });
}

/** Whether a TCP connection can be made. */
export function canReach(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export async function refusalOf(place: Place, fields: object, port = 'port'): Promise<number> {
  const client = await place.open(5, port);
  client.send(v5.connect(fields));
  return (await client.expectPacket('connack')).reasonCode;
}

export async function assignedPrefix(place: Place): Promise<string> {
  const { connack } = await place.connect({ version: 5, clientId: '' });
  return String(valueOf(connack, 'assignedClientIdentifier')).slice(0, 5);
}

/** Whether the database is there after a clean stop. */
export async function saved({ broker }: Place, file: string): Promise<boolean> {
  await broker.stop();
  return existsSync(join(broker.dir, file)) && statSync(join(broker.dir, file)).size > 0;
}

export async function savedByItself(place: Place): Promise<boolean> {
  const client = await place.connect();
  await client.publish({ topic: 'saved/1', payload: 'x', retain: true, qos: 1 });
  return isInDatabase(place, 'saved/1');
}

/** Whether a text comes to stand in the database within three seconds, while the broker runs. */
export async function isInDatabase({ broker }: Place, text: string): Promise<boolean> {
  const file = join(broker.dir, 'mosquitto.db');
  try {
    return await waitFor('the database', () => existsSync(file) && readFileSync(file).includes(text), 3000);
  } catch {
    return false;
  }
}

/** Whether the log has such a line after something has happened; the end of the log is waited for. */
export async function logOf(place: Place, act: () => Promise<unknown>, wanted: RegExp): Promise<boolean> {
  await act();
  await place.broker.stop();
  return wanted.test(place.log);
}

/** A listener `{tls}` with a certificate; what is tried of it comes below. */
export function tlsListener(more: readonly string[] = []): readonly string[] {
  return [
    ...['listener {port} 127.0.0.1', 'listener {tls} 127.0.0.1'],
    ...['certfile {dir}/localhost.crt', 'keyfile {dir}/localhost.key', ...more],
  ];
}

/** Certificates for {@link tlsListener}, and an authority in a folder as `openssl rehash` makes it. */
export function secured(lines: readonly string[]): Pick<Observed, 'lines' | 'prepare'> {
  return {
    lines,
    prepare: async ({ dir }) => {
      const authority = await CertificateAuthority.create(dir);
      await authority.issue('server', 'localhost');
      await authority.issue('client', 'anne');
      const { stdout } = await runToEnd(['openssl', 'x509', '-hash', '-noout', '-in', authority.certFile]);
      const folder = join(dir, 'authorities');
      await runToEnd(['mkdir', folder]);
      writeFileSync(join(folder, `${stdout.trim()}.0`), readFileSync(authority.certFile));
    },
  };
}

/** The version of TLS that is agreed on, or `refused`; with `isClient` a CONNECT is sent and answered. */
export function handshake(place: Place, options: object, isClient = false): Promise<string> {
  const { broker } = place;
  const read = (name: string): Buffer => readFileSync(join(broker.dir, name));
  const own = isClient ? { cert: read('anne.crt'), key: read('anne.key') } : {};
  return new Promise((resolve) => {
    const socket = dialTls(
      { port: broker.port('tls'), host: '127.0.0.1', ca: read('ca.crt'), servername: 'localhost', ...own, ...options },
      () => {
        if (!isClient) {
          resolve(socket.getProtocol() ?? '');
          socket.destroy();
        } else socket.write(packetsOf(4).connect({ clientId: 'c' }));
      },
    );
    socket.once('data', () => resolve('answered'));
    socket.on('error', () => resolve('refused'));
    socket.on('close', () => resolve('refused'));
  });
}

/** The user name by which the broker knows a client with the certificate of anne; undefined where it is not let in. */
export async function userOf(place: Place): Promise<string | undefined> {
  if ((await handshake(place, {}, true)) === 'refused') return undefined;
  const line = await waitFor('the line of the client', () => /New client connected from .*/.exec(place.log)?.[0]);
  return /u'(.*)'\)/.exec(line)?.[1];
}
