/** Brokers behind slow lines: everything arrives, however long it takes, and a tool that could not deliver does not say that it did. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main as pub } from '../../src/cli/pub.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runInProcess } from './in-process.ts';
import { ScriptedBroker } from './scripted-broker.ts';

const resources = useResources();
const CONNACK = Buffer.from([0x20, 0x02, 0x00, 0x00]);
const DISCONNECT = Buffer.from([0xe0, 0x00]);

/** Answers CONNECT, then reads nothing for longer than a tool waits for the end of a connection, then everything. */
function startSlowBroker(quietMs: number, then: (socket: Socket) => void = (socket) => void socket.resume()) {
  return ScriptedBroker.start((socket) => {
    socket.once('data', () => {
      socket.write(CONNACK);
      socket.pause();
      setTimeout(() => then(socket), quietMs);
    });
  });
}

/** Bytes behind CONNECT; its length is in its second byte. */
function behindConnect(broker: ScriptedBroker): Buffer {
  const bytes = Buffer.concat(broker.received);
  return bytes.subarray(2 + (bytes[1] ?? 0));
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('a broker that is slow to read', () => {
  test('gets a large message of QoS 0 whole, and DISCONNECT behind it', async () => {
    const payload = Buffer.alloc(20_000_000, 'slow');
    const file = join(tempDir(resources), 'payload');
    writeFileSync(file, payload);
    const broker = resources.add(await startSlowBroker(2500));
    const outcome = await runInProcess(pub, ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-f', file]);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const sent = behindConnect(broker);
    // 30, Remaining Length 20,000,003 in four bytes, topic "a"
    expect(sent.subarray(0, 8).toString('hex')).toBe('3083dac409000161');
    expect(sha256(sent.subarray(8, -2))).toBe(sha256(payload));
    expect(sent.subarray(-2).equals(DISCONNECT)).toBe(true);
  });

  test('gets every line', async () => {
    const line = 'x'.repeat(199);
    const broker = resources.add(await startSlowBroker(2500));
    const outcome = await runInProcess(pub, ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-l'], {
      input: `${line}\n`.repeat(60_000),
    });
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    // 30, Remaining Length 202 in two bytes, topic "a" and the payload: 205 bytes each
    expect(behindConnect(broker).length).toBe(60_000 * 205 + DISCONNECT.length);
  });

  test('that goes away before it has everything: pub says so', async () => {
    const file = join(tempDir(resources), 'payload');
    writeFileSync(file, Buffer.alloc(20_000_000));
    const broker = resources.add(await startSlowBroker(1500, (socket) => socket.resetAndDestroy()));
    const outcome = await runInProcess(pub, ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-f', file]);
    expect(outcome).toMatchObject({ status: 7, stderr: 'Error: The connection was lost\n' });
  });

  test('and never reads: the keep alive ends it', async () => {
    const file = join(tempDir(resources), 'payload');
    writeFileSync(file, Buffer.alloc(20_000_000));
    const broker = resources.add(await startSlowBroker(100, () => {}));
    const place = ['-h', '127.0.0.1', '-p', String(broker.port), '-k', '5'];
    const outcome = await runInProcess(pub, [...place, '-t', 'a', '-f', file]);
    expect(outcome).toMatchObject({ status: 19 });
  });
});

test('lines that are larger than what may wait are read one after the other', async () => {
  // QoS 1 to a broker that acknowledges only when it has seen the third message: 20 messages of a megabyte are under way, more wait.
  const broker = resources.add(
    await ScriptedBroker.start((socket) => {
      let held = Buffer.alloc(0);
      let count = 0;
      socket.once('data', () => {
        socket.write(CONNACK);
        socket.on('data', (chunk) => {
          held = Buffer.concat([held, chunk]);
          // 32, Remaining Length 1,000,005 in three bytes, topic "a", Packet Identifier, payload
          for (; held.length >= 1_000_009; held = held.subarray(1_000_009)) {
            const ack = Buffer.from([0x40, 0x02, held[7] ?? 0, held[8] ?? 0]);
            count++;
            if (count > 3) socket.write(ack);
            else setTimeout(() => socket.write(ack), 300);
          }
        });
      });
    }),
  );
  const outcome = await runInProcess(
    pub,
    ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'a', '-q', '1', '-M', '1', '-l'],
    { input: `${'y'.repeat(1_000_000)}\n`.repeat(40) },
  );
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  expect(behindConnect(broker).length).toBe(40 * 1_000_009 + DISCONNECT.length);
}, 60_000);
