import { describe, expect, test } from 'vitest';
import { Life, storePath } from './lives.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

function begin(seed: number): { random: Random; disk: SimulatedDisk } {
  const random = new Random(seed);
  return { random, disk: new SimulatedDisk(random) };
}

describe('file store', () => {
  test('what was told is there after a clean stop, and again after the next', async () => {
    const { random, disk } = begin(1);
    const first = new Life(disk, random);
    await first.run(200);
    await first.store.close();

    const second = new Life(disk, random);
    expect(second.restored).toBe(first.state);
    expect(second.log.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([]);
    await second.run(200);
    await second.store.close();

    const third = new Life(disk, random);
    expect(third.restored).toBe(second.state);
    // After a clean stop the journal is empty: only the lock and the snapshot are left.
    expect(disk.paths.filter((path) => path.endsWith('.log'))).toEqual([]);
  });

  test('what was called safe is there when the process was killed', async () => {
    const { random, disk } = begin(2);
    const first = new Life(disk, random);
    await first.run(300);
    await first.settle();
    expect(first.committed).toBe(first.store.position);

    const second = new Life(disk.afterKill(), random);
    expect(second.restored).toBe(first.state);
    expect(second.log.lines.filter((line) => /^(error|warning)/.test(line))).toEqual([]);
    expect(second.disk.paths).toContain(storePath);
  });
});
