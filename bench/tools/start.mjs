// How long a tool needs from exec until it is connected: node bench/tools/start.mjs [--rounds N] [NODE …]
//
// A server in this process accepts, answers CONNECT with CONNACK, and notes three moments after spawn(): the connection, the
// CONNECT, and the packet that follows CONNACK (the tool knows then that it is connected). Beside them stand an empty program
// (until it has ended) and one that does nothing but connect: what Node itself costs. Medians and 90th percentiles; the programs
// take turns, so that what disturbs disturbs all.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const words = process.argv.slice(2);
const roundsAt = words.indexOf('--rounds');
const rounds = roundsAt < 0 ? 20 : Number(words.splice(roundsAt, 2)[1]);
const nodes = words.length > 0 ? words : [process.execPath];
const CONNACK = Buffer.from([0x20, 0x02, 0x00, 0x00]);
const LIMIT_MS = 30_000;

const folder = mkdtempSync(join(tmpdir(), 'moustique-start-'));
const empty = join(folder, 'empty.cjs');
const connects = join(folder, 'connects.cjs');
writeFileSync(empty, '');
writeFileSync(connects, "require('node:net').connect(Number(process.argv[2]), '127.0.0.1').end('x');");

/** Called with 'accepted', 'connect' and 'next' by the connection of the program that runs. */
let onStep = () => {};
const server = createServer((socket) => {
  onStep('accepted');
  let isFirst = true;
  socket.on('error', () => {});
  socket.on('data', () => {
    onStep(isFirst ? 'connect' : 'next');
    if (isFirst) socket.write(CONNACK);
    else socket.destroy();
    isFirst = false;
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const port = String(server.address().port);

const tool = (name) => join(root, 'bin', `moustique_${name}.js`);
const place = ['-h', '127.0.0.1', '-p', port];
const programs = {
  'empty program, to its end': [empty],
  'program that only connects': [connects, port],
  moustique_pub: [tool('pub'), ...place, '-t', 'a', '-m', 'b'],
  moustique_sub: [tool('sub'), ...place, '-t', 'a'],
  moustique_rr: [tool('rr'), ...place, '-V', '311', '-t', 'a', '-m', 'b', '-e', 'c'],
  'moustique pub': [join(root, 'bin', 'moustique.js'), 'pub', ...place, '-t', 'a', '-m', 'b'],
};

function measure(node, args) {
  return new Promise((resolve, reject) => {
    const times = {};
    const started = process.hrtime.bigint();
    const note = (step) => {
      times[step] ??= Number(process.hrtime.bigint() - started) / 1e6;
    };
    onStep = (step) => {
      note(step);
      if (step === 'next') child.kill('SIGKILL');
    };
    const child = spawn(node, args, { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      note('end');
      resolve(times);
    });
  });
}

const at = (values, share) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const show = (values) =>
  values.length === 0 ? '' : `${at(values, 0.5).toFixed(1).padStart(6)} (${at(values, 0.9).toFixed(1)})`;

for (const node of nodes) {
  const version = await new Promise((resolve) => {
    spawn(node, ['--version']).stdout.once('data', (text) => resolve(String(text).trim()));
  });
  const results = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, args] of Object.entries(programs)) {
      const times = await measure(node, args);
      if (round >= 0) results[name].push(times); // the first round only warms caches
    }
  }
  console.log(`\nNode ${version}, ms after exec: median (90th percentile) of ${rounds}`);
  console.log(`${''.padEnd(28)}${['connection', 'CONNECT', 'connected', 'end'].map((t) => t.padEnd(17)).join('')}`);
  for (const [name, list] of Object.entries(results)) {
    const of = (step) => show(list.flatMap((times) => times[step] ?? []));
    const cells = ['accepted', 'connect', 'next'].map(of);
    if (name.startsWith('empty')) cells.push(of('end'));
    console.log(`${name.padEnd(28)}${cells.map((cell) => cell.padEnd(17)).join('')}`);
  }
}
server.close();
rmSync(folder, { recursive: true });
