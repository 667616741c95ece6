import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SocketTransport } from './socket-transport.ts';

/** A socket that writes down what is asked of it. */
class Recorder extends EventEmitter {
  readonly asked: string[] = [];
  readonly writable = true;
  readonly writableLength = 0;

  write(bytes: Buffer): void {
    this.asked.push(bytes.toString());
  }

  setNoDelay(isOn: boolean): void {
    this.asked.push(isOn ? 'at once' : 'Nagle');
  }
}

function open(hasNoDelay: boolean) {
  const socket = new Recorder();
  const transport = new SocketTransport({ address: 'a', port: 1, tls: null }, new VirtualClock(), hasNoDelay);
  // Nothing but what the recorder has is used.
  transport.attach(socket as unknown as Socket);
  return { socket, transport };
}

test('an answer is left to Nagle’s algorithm, what follows is sent at once again', () => {
  const { socket, transport } = open(true);
  transport.write(Buffer.from('first'));
  transport.write(Buffer.from('questionanswer'), 8);
  transport.write(Buffer.from('questionanswer'), 8);
  transport.write(Buffer.from('next'));
  transport.write(Buffer.from('last'));
  expect(socket.asked).toEqual([
    ...['first', 'question', 'at once', 'Nagle', 'answer', 'question', 'answer'],
    ...['at once', 'next', 'last'],
  ]);
});

test('with set_tcp_nodelay false it is on all the time', () => {
  const { socket, transport } = open(false);
  transport.write(Buffer.from('questionanswer'), 8);
  transport.write(Buffer.from('next'));
  expect(socket.asked).toEqual(['question', 'answer', 'next']);
});
