/** The largest messages there can be, through programs and a broker that takes them. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { runToEnd } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runTool } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';

describe('the largest payload', () => {
  const resources = useResources('end of file');
  let dir: string;
  let broker: TestBroker;

  beforeAll(async () => {
    dir = tempDir(resources);
    broker = await startBroker(resources, 'moustique', {
      config: [
        ...['listener {tcp}', 'listener {ws}', 'protocol websockets', 'allow_anonymous true'],
        'max_packet_size 268435455',
      ],
    });
  });

  /** A file with a beginning and an end, and nothing between that takes room on the disk. */
  function sparseFile(bytes: number): string {
    const path = join(dir, `payload-${bytes}`);
    writeFileSync(path, 'beginning');
    truncateSync(path, bytes - 3);
    writeFileSync(path, 'end', { flag: 'a' });
    return path;
  }

  async function sha256(path: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  }

  // 268,435,455 bytes is what the broker takes of a whole packet: 5 of them are the fixed header, 3 the topic. Over WebSocket it is one
  // above 100 MiB, from where on the library that we use for it wants to be told.
  test.each([
    ['TCP, MQTT 3.1.1', 268_435_447, () => ['-p', String(broker.port('tcp')), '-V', '311']],
    ['WebSocket, MQTT 5.0', 110_000_000, () => ['-p', String(broker.port('ws')), '--ws', '-V', '5']],
  ])(
    'goes out and comes in over %s',
    async (_, bytes, place) => {
      const input = sparseFile(bytes);
      const output = join(dir, `out-${bytes}`);
      const [program = '', ...args] = moustiqueCommand('moustique_sub');
      const words = [...place(), '-t', 'a', '-t', 'probe', '-T', 'probe', '-C', '1', '-N'];
      const sub = spawn(program, [...args, ...words], { stdio: ['ignore', openSync(output, 'w'), 'inherit'] });
      resources.add({ close: () => void sub.kill('SIGKILL') });
      const ended = new Promise<number | null>((resolve) => sub.once('close', resolve));
      await waitFor('the subscriber', async () => {
        const probe = ['-p', String(broker.port('tcp')), '-V', '5', '-t', 'probe', '-q', '1', '-m', 'x', '-d'];
        return (await runTool('moustique', 'pub', probe)).stdout.includes('RC:0)'); // 0x10: nobody is subscribed yet
      });
      const sent = await runToEnd([...moustiqueCommand('moustique_pub'), ...place(), '-t', 'a', '-f', input]);
      expect(sent).toMatchObject({ status: 0, stderr: '' });
      expect(await ended).toBe(0);
      expect(await sha256(output)).toBe(await sha256(input));
    },
    120_000,
  );

  test('plus one byte is a message and a status', async () => {
    const place = ['-p', String(broker.port('tcp')), '-t', 'a', '-f'];
    // With the topic and no properties: a Remaining Length of 268,435,456.
    const packet = await runTool('moustique', 'pub', [...place, sparseFile(268_435_453)]);
    expect(packet).toMatchObject({
      status: 9,
      stderr:
        'Error: Message payload is too large.\n' +
        '       (a packet cannot be longer than 268435455 bytes, this one has 268435456)\n',
    });
    const file = await runTool('moustique', 'pub', [...place, sparseFile(268_435_456)]);
    expect(file.status).toBe(1);
    expect(file.stderr).toMatch(/^Error: File must be less than 268435455 bytes\.\n/);
  }, 60_000);
});
