/**
 * Runs a long sweep: `npx tsx test/durability/sweep.ts KIND [COUNT [SEED [FAULT]]]`.
 *
 * KIND is one of `sweepKinds`, COUNT that of the points. FAULT is the name of a store that is wrong on purpose (faults.ts).
 * `flip` and `loop` are told about in their own files: the COUNT of `flip` is the size of the store in bytes, and in place of a
 * FAULT it takes the part of it to do, `2/8`; that of `loop` is how often a broker is killed.
 *
 * Ends with status 1 when a point failed; each failing point names its seed. A sweep that was interrupted is continued with the
 * seed that its last line of progress names; two of them run side by side with seeds that lie far apart.
 */
import { filesOfSize, flipEveryByte } from './byte-flips.ts';
import { faults } from './faults.ts';
import { killRounds } from './kill-rounds.ts';
import { type SweepKind, type SweepResult, sweep, sweepKinds } from './sweeps.ts';

const [what = 'kill', countText = '2000', seedText = '1', more] = process.argv.slice(2);
const count = Number(countText);
const seed = Number(seedText);
const started = performance.now();
let reported = started;

/** Says now and then how far it is. */
function report(points: number, total: number, failures: number, next: string): void {
  if (performance.now() - reported < 5000) return;
  reported = performance.now();
  console.error(`${what}: ${points} of ${total}, ${failures} failed, ${times()}; next ${next}`);
}

function times(): string {
  const { user, system } = process.cpuUsage();
  const seconds = (performance.now() - started) / 1000;
  return `${seconds.toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of CPU time`;
}

async function run(): Promise<Pick<SweepResult, 'points' | 'failures'>> {
  switch (what) {
    case 'flip': {
      const part = more ?? '1/1';
      const onByte = (points: number, total: number, failures: number): void =>
        report(points, total, failures, `is the rest of part ${part}`);
      return flipEveryByte(await filesOfSize(seed, count), seed, { part, onByte });
    }
    case 'loop':
      return killRounds(seed, count, ({ points, failures, nextSeed }) =>
        report(points, count, failures.length, `seed ${nextSeed}`),
      );
    default: {
      if (!sweepKinds.includes(what as SweepKind)) throw new Error(`kinds are ${sweepKinds.join(', ')}, flip and loop`);
      const fault = more === undefined ? null : (faults as Record<string, object>)[more];
      if (fault === undefined) throw new Error(`faults are: ${Object.keys(faults).join(', ')}`);
      return sweep(what as SweepKind, {
        ...{ seed, count, fault },
        onSeed: ({ points, failures, nextSeed }) => {
          report(points, count, failures.length, `seed ${nextSeed}`);
          return false;
        },
      });
    }
  }
}

const { points, failures } = await run();
for (const failure of failures.slice(0, 20)) console.log(failure);
const part = what === 'flip' && more !== undefined ? `, part ${more}` : '';
console.log(`${what}: ${points} points from seed ${seed}${part}, ${failures.length} failed, ${times()}`);
process.exitCode = failures.length > 0 ? 1 : 0;
