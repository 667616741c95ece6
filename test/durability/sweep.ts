/**
 * Runs a long sweep: `npx tsx test/durability/sweep.ts script|kill|power|interval|os|fault|flip|broker-kill|broker-power [count]
 * [first seed]`. The count is that of the ends; for `flip` it is the size of the store in bytes.
 *
 * Ends with status 1 when a point failed; each failing point names its seed.
 */
import { brokerPoint } from './broker-lives.ts';
import { filesOfSize, flipEveryByte } from './byte-flips.ts';
import { faultPoint, type SweepResult, sweepEnds, sweepScripts } from './sweeps.ts';

const [what = 'kill', countText = '2000', seedText = '1'] = process.argv.slice(2);
const count = Number(countText);
const seed = Number(seedText);
const started = performance.now();
const progress = ({ points, failures }: SweepResult): void => {
  const perSecond = Math.round((points / (performance.now() - started)) * 1000);
  console.error(`${points} of ${count}, ${failures.length} failed, ${perSecond} per second`);
};

let result: SweepResult = { points: 0, failures: [] };
if (what === 'script') result = await sweepScripts(seed, count, progress);
else if (what === 'kill') result = await sweepEnds(seed, count, 'kill', { kind: 'commit' }, progress);
else if (what === 'power') result = await sweepEnds(seed, count, 'power', { kind: 'commit' }, progress);
else if (what === 'interval') {
  result = await sweepEnds(seed, count, 'power', { kind: 'interval', milliseconds: 100 }, progress);
} else if (what === 'os') result = await sweepEnds(seed, count, 'power', { kind: 'os' }, progress);
else if (what === 'flip') result = flipEveryByte(await filesOfSize(seed, count), seed);
else if (what === 'broker-kill' || what === 'broker-power') {
  for (; result.points < count; result.points++) {
    const number = seed + result.points;
    const failure = await brokerPoint(number, what === 'broker-kill' ? 'kill' : 'power');
    if (failure !== null) result.failures.push(`seed ${number} ${what}: ${failure}`);
    if (result.points % 1000 === 999) progress(result);
  }
} else {
  for (; result.points < count; result.points++) {
    const failure = await faultPoint(seed + result.points);
    if (failure !== null) result.failures.push(`seed ${seed + result.points} fault: ${failure}`);
    if (result.points % 1000 === 999) progress(result);
  }
}
for (const failure of result.failures.slice(0, 20)) console.log(failure);
const seconds = Math.round((performance.now() - started) / 1000);
console.log(`${what}: ${result.points} points from seed ${seed}, ${result.failures.length} failed, ${seconds} s`);
process.exitCode = result.failures.length > 0 ? 1 : 0;
