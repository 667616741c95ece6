/** Large amounts and slow readers: what the tools do with their standard streams. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { moustiqueCommand } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { startProcess } from '../harness/running-process.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runTool, subscribe } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';

/** A file of numbered lines, each of 64 bytes with its end. */
function numberedLines(path: string, count: number): void {
  const lines: string[] = [];
  for (let number = 1; number <= count; number++) lines.push(`${number}`.padStart(63, '.'));
  writeFileSync(path, `${lines.join('\n')}\n`);
}

/** Runs a command with its standard input from a file and its standard output into one. */
function runWithFiles(
  command: readonly string[],
  input: string | undefined,
  output: string | undefined,
): Promise<number | null> {
  const [program = '', ...args] = command;
  const stdin = input === undefined ? ('ignore' as const) : openSync(input, 'r');
  const stdout = output === undefined ? ('ignore' as const) : openSync(output, 'w');
  const child = spawn(program, args, { stdio: [stdin, stdout, 'inherit'] });
  for (const fd of [stdin, stdout]) if (typeof fd === 'number') closeSync(fd);
  resourcesOfFile?.add({ close: () => void child.kill('SIGKILL') });
  return new Promise((resolve) => child.once('close', resolve));
}

let resourcesOfFile: ReturnType<typeof useResources> | undefined;

const UNLIMITED: Readonly<Record<BrokerName, readonly string[]>> = {
  mosquitto: ['max_queued_messages 0', 'max_inflight_messages 0'],
  moustique: ['max_queued_messages 0', 'max_queued_bytes 0', 'max_packet_size 30000000'],
};

describeWith(['mosquitto'], 'streams', () => {
  const resources = useResources('end of file');
  resourcesOfFile = resources;
  let dir: string;
  const brokers = new Map<BrokerName, TestBroker>();

  beforeAll(async () => {
    dir = tempDir(resources);
    for (const name of ['mosquitto', 'moustique'] as const) {
      brokers.set(
        name,
        await startBroker(resources, name, { config: ['listener {port}', 'allow_anonymous true', ...UNLIMITED[name]] }),
      );
    }
  });

  const place = (name: BrokerName) => ['-p', String(brokers.get(name)?.port())];

  for (const name of ['mosquitto', 'moustique'] as const) {
    describe(`with ${name}`, () => {
      const isPipe = name === 'moustique';
      test(`lines of QoS 1 go in and come out complete and in order, ${isPipe ? 'a million through a pipe' : 'into a file'}`, async () => {
        const count = isPipe ? 1_000_000 : 200_000;
        const input = join(dir, `lines-${name}`);
        const output = join(dir, `out-${name}`);
        numberedLines(input, count);
        const topic = `million/${name}`;
        const sub = [
          ...[...moustiqueCommand('moustique_sub'), ...place(name), ...subscription(topic)],
          ...['-q', '1', '-v', '-C', String(count)],
        ];
        const file = isPipe ? undefined : runWithFiles(sub, undefined, output);
        const pipe = isPipe ? readInOrder(topic, startReading(sub)) : undefined;
        await subscribed(name, topic);
        const pub = [...moustiqueCommand('moustique_pub'), ...place(name), '-t', topic, '-q', '1', '-l', '-M', '1000'];
        expect(await runWithFiles(pub, input, undefined)).toBe(0);
        if (file !== undefined) expect(await file).toBe(0);
        expect(await (pipe ?? readInOrder(topic, createReadStream(output)))).toBe(count);
      }, 300_000);

      /** Counts lines and checks each. */
      async function readInOrder(topic: string, from: NodeJS.ReadableStream): Promise<number> {
        let number = 0;
        for await (const line of createInterface({ input: from })) {
          number++;
          if (line !== `${topic} ${`${number}`.padStart(63, '.')}`) throw new Error(`line ${number} is ${line}`);
        }
        return number;
      }

      function startReading(command: readonly string[]): NodeJS.ReadableStream {
        const [program = '', ...args] = command;
        const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        resources.add({ close: () => void child.kill('SIGKILL') });
        return child.stdout;
      }

      test('payloads of many sizes come out as they went in', async () => {
        const hashes: string[] = [];
        const sizes = [0, 1, 127, 128, 16_383, 16_384, 65_535, 65_536, 2_097_152, 20_000_000];
        const subscriber = await subscribe(resources, 'moustique', [
          ...[...place(name), '-t', 'size', '-q', '1', '-F', '%l %x', '-C', String(sizes.length)],
        ]);
        for (const size of sizes) {
          const bytes = Buffer.alloc(size, createHash('sha512').update(String(size)).digest());
          const file = join(dir, `size-${size}`);
          writeFileSync(file, bytes);
          const hash = createHash('sha256').update(bytes.toString('hex')).digest('hex');
          hashes.push(`${size} ${hash}`);
          const sent = await runTool('moustique', 'pub', [...place(name), '-t', 'size', '-q', '1', '-f', file]);
          expect(sent).toMatchObject({ status: 0, stderr: '' });
        }
        await subscriber.process.ended;
        expect(
          subscriber.lines.map((line) => {
            const [size = '', hex = ''] = line.split(' ');
            return `${size} ${createHash('sha256').update(hex).digest('hex')}`;
          }),
        ).toEqual(hashes);
      }, 120_000);

      test('any bytes come out as they went in', async () => {
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
        const output = join(dir, `bytes-${name}`);
        const sub = runWithFiles(
          [...moustiqueCommand('moustique_sub'), ...place(name), ...subscription(`bytes/${name}`), '-C', '1', '-N'],
          undefined,
          output,
        );
        await subscribed(name, `bytes/${name}`);
        const sent = await runTool('moustique', 'pub', [...place(name), '-t', `bytes/${name}`, '-s'], { input: bytes });
        expect(sent.status).toBe(0);
        expect(await sub).toBe(0);
        expect(readFileSync(output).equals(bytes)).toBe(true);
      });
    });
  }

  /** Options of sub for a topic, and for one beside it by which {@link subscribed} sees that it is there. */
  function subscription(topic: string): readonly string[] {
    return ['-t', topic, '-t', `${topic}/probe`, '-T', `${topic}/probe`];
  }

  async function subscribed(name: BrokerName, topic: string): Promise<void> {
    await waitFor(`a subscriber to ${topic}`, async () => {
      const args = [...place(name), '-V', '5', '-t', `${topic}/probe`, '-q', '1', '-m', 'x', '-d'];
      // PUBACK 0x10 would say that nobody is subscribed yet.
      return (await runTool('moustique', 'pub', args)).stdout.includes('RC:0)');
    });
  }

  test('a slow reader of the pipe loses nothing, and the connection stays', async () => {
    const count = 100_000;
    const input = join(dir, 'slow-lines');
    numberedLines(input, count);
    const [program = '', ...args] = moustiqueCommand('moustique_sub');
    const child = spawn(
      program,
      [...args, ...place('moustique'), '-t', 'slow', '-q', '1', '-k', '5', '-C', String(count), '-d'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    resources.add({ close: () => void child.kill('SIGKILL') });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    // Wait for the subscription, then do not read for a while.
    await new Promise<void>((resolve) => {
      child.stdout.once('readable', () => resolve());
    });
    await runWithFiles(
      [...moustiqueCommand('moustique_pub'), ...place('moustique'), '-t', 'slow', '-q', '1', '-l', '-M', '1000'],
      input,
      undefined,
    );
    let number = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('Client ') || line.startsWith('Subscribed ')) {
        expect(line).not.toContain('d1,'); // nothing was sent twice
        continue;
      }
      number++;
      if (line !== `${number}`.padStart(63, '.')) throw new Error(`line ${number} is ${line}`);
    }
    expect(number).toBe(count);
    expect(await ended).toBe(0);
  }, 120_000);

  test('a closed pipe ends sub with status 0', async () => {
    const [program = '', ...args] = moustiqueCommand('moustique_sub');
    const child = spawn(program, [...args, ...place('mosquitto'), '-t', 'pipe', '-d'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    resources.add({ close: () => void child.kill('SIGKILL') });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await waitFor('the subscription', () => output.includes('Subscribed'));
    child.stdout.destroy();
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    await waitFor('sub to notice', async () => {
      await runTool('moustique', 'pub', [...place('mosquitto'), '-t', 'pipe', '-m', 'x']);
      return isOver;
    });
    expect(await ended).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends sub with status 0 and, in MQTT 5.0, its will', async (signal) => {
    const watcher = await subscribe(resources, 'moustique', [...place('mosquitto'), '-t', `will/${signal}`, '-C', '1']);
    const sub = startProcess(resources, [
      ...[...moustiqueCommand('moustique_sub'), ...place('mosquitto'), '-V', '5', '-t', 'a', '-d'],
      ...['--will-topic', `will/${signal}`, '--will-payload', 'gone'],
    ]);
    await sub.waitForOutput('Subscribed');
    sub.signal(signal);
    expect(await sub.ended).toMatchObject({ status: 0 });
    await watcher.process.ended;
    expect(watcher.lines).toEqual(['gone']);
  });

  test('a signal before the broker has accepted ends sub with status 255', async () => {
    const { createServer } = await import('node:net');
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    resources.add({ close: () => void server.close() });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sub = startProcess(resources, [
      ...[...moustiqueCommand('moustique_sub'), '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-d'],
    ]);
    await sub.waitForOutput('sending CONNECT');
    sub.signal('SIGTERM');
    expect(await sub.ended).toMatchObject({ status: 255 });
  });

  test.skipIf(!isThere('/dev/full'))('a full disk ends sub with status 14 and says so', async () => {
    const [program = '', ...args] = moustiqueCommand('moustique_sub');
    const fd = openSync('/dev/full', 'w');
    const child = spawn(program, [...args, ...place('mosquitto'), '-t', '$SYS/broker/version'], {
      stdio: ['ignore', fd, 'pipe'],
    });
    closeSync(fd);
    resources.add({ close: () => void child.kill('SIGKILL') });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    expect(stderr).toBe('Error: Unable to write: No space left on device.\n');
    expect(status).toBe(14);
  });
});

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
