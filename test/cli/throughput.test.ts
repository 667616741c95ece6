/** How much the tools cost beside Debian's: messages per CPU-second, which a busy machine changes little. */

import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { tempDir } from '../harness/temp-dir.ts';
import { runTool, type ToolFamily, toolCommand } from '../harness/tools.ts';
import { waitFor } from '../harness/wait.ts';

const COUNT = 300_000;
const LINE = `${'x'.repeat(63)}\n`;
/** What ours may cost at most, in Debian's CPU time. */
const RATIO_MAX = 2;

/** Runs a command under bash's `time`. Returns CPU seconds. */
async function cpuSeconds(command: readonly string[], input: string | undefined, output: string): Promise<number> {
  const stdin = input === undefined ? ('ignore' as const) : openSync(input, 'r');
  const stdout = openSync(output, 'w');
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('bash', ['-c', `TIMEFORMAT='CPU %U %S'; time ${quoted}`], { stdio: [stdin, stdout, 'pipe'] });
  if (typeof stdin === 'number') closeSync(stdin);
  closeSync(stdout);
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const match = /CPU ([\d.]+) ([\d.]+)/.exec(stderr);
  if (status !== 0 || match === null) throw new Error(`${quoted} ended with ${status}: ${stderr}`);
  return Number(match[1]) + Number(match[2]);
}

describeWith(['mosquitto', 'mosquitto_pub'], 'CPU time beside Debian’s tools', () => {
  const resources = useResources('end of file');
  let dir: string;
  let lines: string;
  let broker: TestBroker;

  beforeAll(async () => {
    dir = tempDir(resources);
    lines = join(dir, 'lines');
    writeFileSync(lines, LINE.repeat(COUNT));
    broker = await startBroker(resources, 'mosquitto', {
      config: ['listener {port}', 'allow_anonymous true', 'max_queued_messages 0', 'max_queued_bytes 0'],
    });
  });

  const place = () => ['-p', String(broker.port())];

  function report(what: string, ours: number, theirs: number): void {
    const rate = (seconds: number) => `${Math.round(COUNT / seconds / 1000)} k/CPU-s`;
    console.log(`${what}: ours ${rate(ours)}, Debian's ${rate(theirs)}`);
    expect(ours, what).toBeLessThan(theirs * RATIO_MAX);
  }

  test('pub -l with QoS 0', async () => {
    const publish = (family: ToolFamily) =>
      cpuSeconds([...toolCommand(family, 'pub'), ...place(), '-t', 'cpu/0', '-l'], lines, '/dev/null');
    const ours = await publish('moustique');
    report('pub -l, QoS 0', ours, await publish('mosquitto'));
  }, 300_000);

  test('sub -v into a file, none lost', async () => {
    async function receive(family: ToolFamily): Promise<number> {
      const topic = `cpu/${family}`;
      const output = join(dir, `out-${family}`);
      const args = [...place(), '-t', topic, '-t', `${topic}/probe`, '-T', `${topic}/probe`, '-v', '-C', String(COUNT)];
      const cpu = cpuSeconds([...toolCommand(family, 'sub'), ...args], undefined, output);
      await waitFor('the subscriber', async () => {
        const probe = [...place(), '-V', '5', '-t', `${topic}/probe`, '-q', '1', '-m', 'x', '-d'];
        return (await runTool('moustique', 'pub', probe)).stdout.includes('RC:0)');
      });
      await cpuSeconds([...toolCommand('moustique', 'pub'), ...place(), '-t', topic, '-l'], lines, '/dev/null');
      const seconds = await cpu;
      expect(readFileSync(output, 'latin1') === `${topic} ${LINE}`.repeat(COUNT)).toBe(true);
      return seconds;
    }
    const ours = await receive('moustique');
    report('sub -v', ours, await receive('mosquitto'));
  }, 300_000);
});
