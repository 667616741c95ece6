/**
 * What an export of a long history costs: time, the most memory the broker took meanwhile, and the longest that a client waited for
 * the answer to a PINGREQ. The reader drops what it gets.
 *
 *     npx tsx bench/history-export.ts [messages, default 1000000]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/harness/ports.ts';
import { seedHistory } from '../test/history/seed.ts';

const messages = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'history-export-'));
const [port, http] = [await freePort(), await freePort()];

async function nextData(socket: Socket): Promise<void> {
  await new Promise((resolve) => socket.once('data', resolve));
}

async function canaryClient(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  socket.write(Buffer.from([0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, 1, 0x63]));
  await nextData(socket);
  return socket;
}

console.log(`making a history of ${messages} messages …`);
// One every ten seconds.
await seedHistory(join(folder, 'history.db'), { untilMs: Date.now(), hours: messages / 360, fields: 0 });
const lines = [
  ...[`listener ${port} 127.0.0.1`, 'allow_anonymous true', `listener ${http} 127.0.0.1`, 'protocol http_api'],
  ...['user root', `persistence_location ${folder}/`, 'history_topic maison/#', `history_location ${folder}`, ''],
];
writeFileSync(join(folder, 'm.conf'), lines.join('\n'));
const broker = spawn(process.execPath, ['bin/moustique.js', '-c', join(folder, 'm.conf')], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
let output = '';
broker.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
broker.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
const residentMb = (): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${broker.pid}/status`, 'utf8'))?.[1]) / 1024);
try {
  while (!output.includes(' running')) {
    if (broker.exitCode !== null) throw new Error(output);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const base = `http://127.0.0.1:${http}/api/v1`;
  const token = /token=([\w-]+)/.exec(output)?.[1] ?? '';
  const login = await fetch(`${base}/first-run`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, username: 'ann', password: 'correct horse' }),
  });
  const Cookie = login.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const canary = await canaryClient();
  let longestMs = 0;
  void (async () => {
    for (;;) {
      const start = performance.now();
      canary.write(Buffer.from([0xc0, 0]));
      await nextData(canary);
      longestMs = Math.max(longestMs, performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  for (const [format, what] of [
    ['jsonl', 'messages'],
    ['csv', 'messages'],
    ['csv', 'samples'],
  ] as const) {
    longestMs = 0;
    const beforeMb = residentMb();
    let mostMb = beforeMb;
    const watch = setInterval(() => {
      mostMb = Math.max(mostMb, residentMb());
    }, 50);
    const startMs = performance.now();
    const answer = await fetch(`${base}/history/export?filter=%23&format=${format}&what=${what}`, {
      headers: { Cookie },
    });
    let [bytes, count] = [0, 0];
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      for (const byte of chunk) if (byte === 10) count++;
    }
    clearInterval(watch);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    console.log(
      `${what} as ${format}: ${count} lines, ${Math.round(bytes / 2 ** 20)} MB in ${seconds} s; broker ${beforeMb} MB before, ` +
        `${mostMb} MB at most; longest wait of a client ${longestMs.toFixed(1)} ms`,
    );
  }
} finally {
  broker.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
