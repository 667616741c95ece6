/** A group that does not fit into what was made ready goes to the next segment, and a start reads both. */
import { expect, test } from 'vitest';
import { recordHeaderSize } from '../../src/store/record.ts';
import { readSegmentHeader } from '../../src/store/segment-format.ts';
import { scanSegment } from '../../src/store/segment-scan.ts';
import { Life } from './lives.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const segmentBytes = 4096;
/** The record that says what is safe. */
const markBytes = recordHeaderSize + 8;

const complaints = (life: Life): string[] => life.log.lines.filter((line) => /^(error|warning)/.test(line));
const sessions = (state: string): number => state.split('\n').filter((line) => line.startsWith('session|')).length;

/** A store whose first segment is in use, while the second one is ready. */
async function beginLife(seed: number): Promise<{ life: Life; tell: (count: number) => Promise<void> }> {
  const random = new Random(seed);
  const life = new Life(new SimulatedDisk(random), random, { segmentBytes, compactBytes: 1e9 });
  await life.settle();
  let number = 0;
  const tell = async (count: number): Promise<void> => {
    for (let told = 0; told < count; told++) {
      const clientId = `session number ${++number}`;
      const fields = { username: null, listenerPort: 1, expiryIntervalSeconds: 1, expiresAtMs: 0, lastSequence: 0 };
      life.store.sessionPut({ ...fields, clientId });
    }
    await life.settle();
  };
  await tell(1);
  return { life, tell };
}

/** A segment of the disk, and where its batches are. */
function segmentOf(disk: SimulatedDisk, number: number) {
  const path = disk.paths.find((name) => name.endsWith(`${number}.log`)) ?? '';
  const content = Buffer.from(disk.content(path) as Buffer);
  const { header } = readSegmentHeader(content);
  const { stretches } = scanSegment(content, header?.salt ?? 0);
  return { path, content, header, stretches, end: stretches.at(-1)?.end ?? 0 };
}

/** The first group is in one segment, the second did not fit behind it, and the third stands behind the second. */
async function twoSegments(seed: number): Promise<SimulatedDisk> {
  const { life, tell } = await beginLife(seed);
  await tell(30);
  await tell(30);
  await tell(1);
  expect(life.committed).toBe(life.store.position);
  return life.disk.afterKill();
}

test('the next segment begins with the group, and nothing is written beyond what was made ready', async () => {
  const disk = await twoSegments(1);
  const first = segmentOf(disk, 1);
  const second = segmentOf(disk, 2);
  expect(first.content.length).toBe(segmentBytes);
  expect(second.content.length).toBe(segmentBytes);
  expect(first.content.subarray(first.end + markBytes).every((byte) => byte === 0)).toBe(true);
  expect(first.stretches.map(({ number }) => number)).toEqual([1, 2]);
  expect(second.header?.firstBatch).toBe(3);
  expect(second.stretches.map(({ number }) => number)).toEqual([3, 4]);

  const after = new Life(disk, new Random(1));
  expect(complaints(after)).toEqual([]);
  expect(sessions(after.restored)).toBe(62);
});

test('a disk that makes no further segment ready has nothing to write but what it made ready', async () => {
  const { life, tell } = await beginLife(2);
  await tell(30);
  life.disk.onCall = ({ kind }) => {
    if (kind === 'create') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    return undefined;
  };
  await tell(30);
  expect(life.committed).toBe(life.store.position);
  expect(life.store.trouble).toBeNull();
  const segments = life.disk.paths.filter((path) => path.endsWith('.log'));
  expect(segments.map((path) => life.disk.content(path)?.length)).toEqual([segmentBytes, segmentBytes]);
});

test('a group larger than a segment is written all the same', async () => {
  const { life, tell } = await beginLife(3);
  await tell(200);
  await tell(1);
  expect(life.committed).toBe(life.store.position);
  const disk = life.disk.afterKill();
  expect(segmentOf(disk, 2).content.length).toBeGreaterThan(segmentBytes);

  const after = new Life(disk, new Random(3));
  expect(complaints(after)).toEqual([]);
  expect(sessions(after.restored)).toBe(202);
});

test('a mark that was half on disk when its segment ended is no damage', async () => {
  const disk = await twoSegments(4);
  const { path, content, end } = segmentOf(disk, 1);
  // Its last sync was before the mark.
  expect(content.subarray(end, end + markBytes).some((byte) => byte !== 0)).toBe(true);
  content.fill(0, end + markBytes / 2, end + markBytes);
  disk.put(path, content);

  const after = new Life(disk, new Random(4));
  expect(complaints(after)).toEqual([]);
  expect(sessions(after.restored)).toBe(62);
});

test('damage at the end of a segment that ended early costs that record, and is told', async () => {
  const disk = await twoSegments(5);
  const { path, content, end, stretches } = segmentOf(disk, 1);
  expect(stretches.at(-1)?.number).toBe(2);
  content[end - 1] = (content[end - 1] as number) ^ 1;
  disk.put(path, content);

  const after = new Life(disk, new Random(5));
  expect(complaints(after)[0]).toMatch(/0000000001\.log: a record is damaged/);
  expect(sessions(after.restored)).toBe(61);
});
