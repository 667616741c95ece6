/**
 * Scripts of 200 operations, ended at every place there is: the script runs once, and at each place a copy of the disk is what
 * the next process finds.
 */
import { complaintsOf, lossOf, optionsOf } from './ends.ts';
import type { Fault } from './faults.ts';
import { Life, startOn, turns } from './lives.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const scriptLength = 200;
const level = { kind: 'commit' } as const;

/** The process ends at each call of the store. Returns what was wrong. */
export async function scriptPoints(seed: number, fault: Fault | null, onPoint: () => void): Promise<string[]> {
  const random = new Random(seed);
  const chances = new Random(seed + 1e9);
  const disk = new SimulatedDisk(random);
  const life = new Life(disk, random, optionsOf(disk, level, fault));
  const failures: string[] = [];
  life.onCall = () => {
    onPoint();
    const wrong = judgeStart(life, disk.ifKilled(chances), chances);
    if (wrong !== null) failures.push(`end at call ${life.calls + 1}: ${wrong}`);
  };
  await life.run(scriptLength);
  await end(life);
  return failures;
}

/**
 * The power goes before each call of the disk (before and after each sync, that is), and each time that something was called
 * safe; then the same again with what one of these left. Returns what was wrong.
 */
export async function boundaryPoints(seed: number, fault: Fault | null, onPoint: () => void): Promise<string[]> {
  const random = new Random(seed);
  const chances = new Random(seed + 1e9);
  const failures: string[] = [];
  let disk = new SimulatedDisk(random);
  let startMs = 1.8e12;
  for (let number = 1; number <= 3; number++) {
    const life: Life = new Life(disk, random, optionsOf(disk, level, fault), startMs);
    let next = disk;
    let points = 0;
    const probe = (where: string): void => {
      // No process is there any more to be asked.
      if (life.disk.isGone) return;
      onPoint();
      points++;
      const after = life.disk.ifPowerWent(chances);
      if (chances.below(points) === 0) {
        next = after.ifKilled(random);
        startMs = life.clock.nowMs() + 1000;
      }
      const wrong = judgeStart(life, after, chances);
      if (wrong !== null) failures.push(`life ${number}, power cut ${points}, ${where}: ${wrong}`);
    };
    disk.onCall = ({ kind }) => {
      probe(`before ${kind}`);
      return undefined;
    };
    life.onSafe = () => probe('when something was safe');
    await life.run(scriptLength);
    await end(life);
    disk = next;
  }
  return failures;
}

/** What is wrong with a start on what a life left behind, null when nothing is. */
function judgeStart(life: Life, left: SimulatedDisk, chances: Random): string | null {
  try {
    const start = startOn(left, chances, life.clock.nowMs() + 1000);
    const complaints = complaintsOf(start);
    if (complaints !== null) return complaints;
    return life.find(start.restored, life.committed) >= 0 ? null : lossOf(life);
  } catch (error) {
    return `does not start: ${error}`;
  }
}

async function end(life: Life): Promise<void> {
  life.disk.end();
  // What was still on its way finds out that the process is gone.
  await turns(3);
}
