/**
 * Sweeps: very many ends of a process or of the power, each followed by a start that must find what was called safe.
 *
 * Each point is one seed, so that a failing one can be run again by itself.
 */
import { VirtualClock } from '../../src/base/clock.ts';
import type { SyncLevel } from '../../src/store/journal.ts';
import { Recovery } from '../../src/store/recovery.ts';
import { canonical } from './ledger.ts';
import { Life, storePath, turns } from './lives.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

export interface SweepResult {
  /** Ends of a process or of the power, each followed by a start that was judged. */
  points: number;
  /** One line per point at which something was wrong. */
  readonly failures: string[];
}

type Ending = 'call' | 'disk' | 'tear';

/**
 * Some lives in a row that end somewhere by chance, the start included, and one that does not. Returns what was wrong, null when
 * nothing was.
 *
 * @param seed - of everything, the places of the ends included
 * @param result - its points are counted on by the ends there were
 */
export async function endPoint(
  seed: number,
  kind: 'kill' | 'power',
  level: SyncLevel,
  result: SweepResult,
): Promise<string | null> {
  const random = new Random(seed);
  let disk = new SimulatedDisk(random);
  const lives = 1 + random.below(4);
  let before: Life | null = null;
  let startMs = 1.8e12;
  for (let number = 1; number <= lives; number++) {
    result.points++;
    const ending: Ending = random.pick(['call', 'disk', 'tear']);
    const at = random.below(random.pick(ending === 'call' ? [20, 400] : [8, 90]));
    const where = `life ${number}, ${ending} ${at}`;
    if (ending !== 'call')
      disk.onCall = ({ index }) => (index >= at ? (ending === 'tear' ? 'tears' : 'ends') : undefined);
    const life: Life = new Life(disk, random, { level }, startMs);
    if (disk.isGone) {
      // It ended before it had begun: nobody saw anything of it.
      disk = kind === 'kill' ? disk.afterKill() : disk.afterPowerCut();
      continue;
    }
    const wrong = judge(life, before, kind, level);
    if (wrong !== null) return `${where}: ${wrong}`;
    if (ending === 'call') life.endAtCall = at;
    await life.run(100);
    // Sometimes it is the stop that is interrupted, and sometimes nothing is.
    if (!disk.isGone && random.chance(0.5)) await Promise.race([life.store.close(), turns(random.below(40))]);
    disk.end();
    // What was still on its way finds out that the process is gone.
    await turns(3);
    disk = kind === 'kill' ? disk.afterKill() : disk.afterPowerCut();
    startMs = life.clock.nowMs() + 1000;
    before = life;
  }
  const whole = new Life(disk, random, { level }, startMs);
  const wrong = judge(whole, before, kind, level);
  if (wrong !== null) return `after life ${lives}: ${wrong}`;
  await whole.run(20);
  if (random.chance(0.5)) await whole.store.close();
  else await whole.settle();
  const last = new Life(whole.disk.afterKill(), random, { level }, whole.clock.nowMs() + 1000);
  last.disk.end();
  await turns(2);
  return last.restored === whole.state ? null : 'the life that nobody disturbed lost something';
}

function judge(life: Life, before: Life | null, kind: 'kill' | 'power', level: SyncLevel): string | null {
  const complaints = life.log.lines.filter((line) => /^(error|warning)/.test(line));
  if (complaints.length > 0) return complaints.join(' · ');
  if (before === null || isAllowed(before, life.restored, kind, level)) return null;
  return `${before.committed} of ${before.store.position} were safe, and what is found is none of the states allowed`;
}

/** At `commit` nothing that was called safe may be missing; at weaker levels a power cut may take the last moments. */
function isAllowed(life: Life, restored: string, kind: 'kill' | 'power', level: SyncLevel): boolean {
  if (kind === 'kill' || level.kind === 'commit') return life.find(restored) >= 0;
  life.committed = 0;
  const found = life.find(restored);
  if (found < 0) return false;
  if (level.kind === 'os') return true;
  // The sync that was due may have been under way when the power went.
  const lost = life.times[found];
  return lost === undefined || lost >= life.clock.nowMs() - 2 * level.milliseconds;
}

export async function sweepEnds(
  firstSeed: number,
  count: number,
  kind: 'kill' | 'power',
  level: SyncLevel = { kind: 'commit' },
  onProgress?: (result: SweepResult) => void,
): Promise<SweepResult> {
  const result: SweepResult = { points: 0, failures: [] };
  for (let seed = firstSeed; result.points < count; seed++) {
    const failure = await endPoint(seed, kind, level, result);
    if (failure !== null) result.failures.push(`seed ${seed} ${kind} ${level.kind}: ${failure}`);
    if (seed % 1000 === 999) onProgress?.(result);
  }
  return result;
}

/** Operations of a script. */
const scriptLength = 200;

/**
 * Ends the process at every call of the store that a script of 200 operations makes, one run for each call.
 *
 * @param count - ends with the script that reaches as many points
 */
export async function sweepScripts(
  firstSeed: number,
  count: number,
  onProgress?: (result: SweepResult) => void,
): Promise<SweepResult> {
  const result: SweepResult = { points: 0, failures: [] };
  for (let seed = firstSeed; result.points < count; seed++) {
    for (let call = 1; ; call++) {
      const random = new Random(seed);
      const life = new Life(new SimulatedDisk(random), random);
      life.endAtCall = call;
      await life.run(scriptLength);
      const isOver = !life.disk.isGone;
      life.disk.end();
      await turns(3);
      if (isOver) break;
      result.points++;
      const after = new Life(life.disk.afterKill(), random, {}, life.clock.nowMs() + 1000);
      const wrong = judge(after, life, 'kill', { kind: 'commit' });
      after.disk.end();
      await turns(2);
      if (wrong !== null) result.failures.push(`seed ${seed}, end at call ${call}: ${wrong}`);
    }
    onProgress?.(result);
  }
  return result;
}

/** A disk that fails for a while: nothing called safe is lost, and all is well when it works again. */
export async function faultPoint(seed: number): Promise<string | null> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const level = random.pick<SyncLevel>([{ kind: 'commit' }, { kind: 'commit' }, { kind: 'os' }]);
  const life = new Life(disk, random, { level });
  await life.run(random.below(60));
  const code = random.pick(['ENOSPC', 'EIO']);
  const rate = random.pick([0.05, 0.5, 1]);
  disk.onCall = ({ kind }) => {
    if (kind !== 'remove' && random.chance(rate)) throw Object.assign(new Error(code), { code });
    return undefined;
  };
  for (let moment = 0; moment < 6; moment++) {
    await life.run(10);
    life.clock.advance(1100);
    await turns(5);
  }
  if (random.chance(0.4)) {
    disk.end();
    await turns(3);
    const after = new Life(level.kind === 'commit' ? disk.afterPowerCut() : disk.afterKill(), random);
    return life.find(after.restored) >= 0 ? null : 'lost something that was called safe';
  }
  disk.onCall = null;
  for (let moment = 0; moment < 4; moment++) {
    await turns(60);
    life.clock.advance(1100);
  }
  await life.settle();
  if (life.store.trouble !== null) return `still in trouble (${life.store.trouble}) although the disk works`;
  if (life.committed !== life.store.position) return `${life.committed} of ${life.store.position} committed`;
  const after = new Life(level.kind === 'commit' ? disk.afterPowerCut() : disk.afterKill(), random);
  return after.restored === life.state ? null : 'lost something after the disk worked again';
}

/** What a start finds on a disk, and what it says about it. */
export function recover(disk: SimulatedDisk): { state: string; complaints: string[] } {
  const log = new LineLog();
  const recovery = new Recovery(disk, storePath, new VirtualClock(1.8e12), log);
  const state = canonical(recovery.facts());
  recovery.lock.release();
  return { state, complaints: log.lines.filter((line) => /^(error|warning)/.test(line)) };
}
