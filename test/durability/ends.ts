/** Lives of a process that end by chance: each end is followed by a start that must find what was called safe. */
import type { Disk } from '../../src/store/disk.ts';
import type { SyncLevel } from '../../src/store/journal-options.ts';
import type { Fault } from './faults.ts';
import { Life, turns } from './lives.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

type Ending = 'call' | 'disk' | 'tear';

/**
 * Some lives in a row that end somewhere by chance, the start included, and one that does not. Returns what was wrong, null when
 * nothing was.
 *
 * @param seed - of everything, the places of the ends included
 * @param onPoint - called for each end
 */
export async function endPoint(
  seed: number,
  kind: 'kill' | 'power',
  level: SyncLevel,
  fault: Fault | null,
  onPoint: () => void,
): Promise<string | null> {
  const random = new Random(seed);
  let disk = new SimulatedDisk(random);
  const lives = 1 + random.below(4);
  let before: Life | null = null;
  let startMs = 1.8e12;
  for (let number = 1; number <= lives; number++) {
    onPoint();
    const ending: Ending = random.pick(['call', 'disk', 'tear']);
    const at = random.below(random.pick(ending === 'call' ? [20, 400] : [8, 90]));
    const where = `life ${number}, ${ending} ${at}`;
    if (ending !== 'call')
      disk.onCall = ({ index }) => (index >= at ? (ending === 'tear' ? 'tears' : 'ends') : undefined);
    const life: Life = new Life(disk, random, optionsOf(disk, level, fault), startMs);
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
  const whole = new Life(disk, random, optionsOf(disk, level, fault), startMs);
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

/** The store's options in a life on the disk. */
export function optionsOf(disk: Disk, level: SyncLevel, fault: Fault | null): { level: SyncLevel; disk: Disk } {
  return { level, disk: fault?.disk?.(disk) ?? disk };
}

function judge(life: Life, before: Life | null, kind: 'kill' | 'power', level: SyncLevel): string | null {
  const complaints = complaintsOf(life);
  if (complaints !== null) return complaints;
  return before === null || isAllowed(before, life.restored, kind, level) ? null : lossOf(before);
}

/** What a start had to complain of, null when nothing. */
export function complaintsOf({ log }: Pick<Life, 'log'>): string | null {
  const complaints = log.lines.filter((line) => /^(error|warning)/.test(line));
  return complaints.length === 0 ? null : complaints.join(' · ');
}

export function lossOf({ committed, store }: Life): string {
  return `${committed} of ${store.position} were safe, and what is found is none of the states allowed`;
}

/** At `commit` nothing that was called safe may be missing; at weaker levels a power cut may take the last moments. */
function isAllowed(life: Life, restored: string, kind: 'kill' | 'power', level: SyncLevel): boolean {
  if (kind === 'kill' || level.kind === 'commit') return life.findOnce(restored, life.committed) >= 0;
  const found = life.findOnce(restored, 0);
  if (found < 0) return false;
  if (level.kind === 'os') return true;
  // The sync that was due may have been under way when the power went.
  const lost = life.times[found];
  return lost === undefined || lost >= life.clock.nowMs() - 2 * level.milliseconds;
}

/** A disk that fails for a while: nothing called safe is lost, and all is well when it works again. */
export async function faultPoint(seed: number, fault: Fault | null): Promise<string | null> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const level = random.pick<SyncLevel>([{ kind: 'commit' }, { kind: 'commit' }, { kind: 'os' }]);
  const life = new Life(disk, random, optionsOf(disk, level, fault));
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
    return life.findOnce(after.restored, life.committed) >= 0 ? null : 'lost something that was called safe';
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
