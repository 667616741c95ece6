/** MQTT over WebSocket on an outgoing connection (MQTT 5.0 §6). */

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { DialTarget } from './dial.ts';
import { DialError } from './dial-error.ts';

/** Two of the largest packets; a frame is gathered whole. */
const FRAME_BYTES_MAX = 536_870_912;

/**
 * Upgrades a connected stream.
 *
 * Sends no Origin header, as Mosquitto does not.
 *
 * @returns a byte stream: frame borders mean nothing [MQTT-6.0.0-2]
 */
export function startWebSocket(stream: Socket, host: string, target: DialTarget): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const { path, subprotocol } = target.websocket ?? { path: '/mqtt', subprotocol: 'mqtt' };
    const scheme = target.tls === undefined ? 'ws' : 'wss';
    const port = 'port' in target.address ? `:${target.address.port}` : '';
    const name = host.includes(':') ? `[${host}]` : host;
    const socket = new WebSocket(`${scheme}://${name}${port}${path}`, [subprotocol], {
      perMessageDeflate: false,
      maxPayload: FRAME_BYTES_MAX,
      createConnection: () => stream,
      followRedirects: false,
    });
    socket.binaryType = 'nodebuffer';
    socket.once('error', (error) => reject(new DialError('websocket', error.message, undefined, error)));
    socket.once('open', () => resolve(asStream(socket)));
  });
}

function asStream(socket: WebSocket): Duplex {
  const stream = new Duplex({
    // One frame's worth of bytes; the socket below has its own limit.
    writableHighWaterMark: 65_536,
    read: () => {
      if (socket.isPaused) socket.resume();
    },
    write: (bytes: Buffer, _encoding, done) => socket.send(bytes, { binary: true }, done),
    writev: (chunks, done) =>
      socket.send(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), { binary: true }, done),
    final: (done) => {
      socket.close(1000);
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.removeAllListeners('error');
  socket.on('error', (error) => stream.destroy(error));
  socket.on('message', (bytes: Buffer, isBinary) => {
    // MQTT travels in binary frames only. [MQTT-6.0.0-1]
    if (!isBinary) {
      socket.close(1003);
      stream.destroy(new DialError('established', 'the broker sent a text frame'));
    } else if (!stream.push(bytes)) {
      socket.pause();
    }
  });
  socket.on('close', () => stream.push(null));
  return stream;
}
