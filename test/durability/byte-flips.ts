/** A store of which one byte after the other is damaged: it must always start, lose only what the byte held, and say so. */
import { VirtualClock } from '../../src/base/clock.ts';
import type { Fact } from '../../src/contracts/store.ts';
import { Recovery } from '../../src/store/recovery.ts';
import { differences, type Line } from './found-facts.ts';
import { Life, storePath } from './lives.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

/** What a start finds on a disk with these files, and what it says about them. */
export interface Found {
  readonly facts: readonly Fact[];
  readonly complaints: readonly string[];
}

/**
 * Files of a store whose process was killed, together at least `size` bytes, half of it in the snapshot, half in the journal.
 * A larger one has not more in it, but longer messages.
 */
export async function filesOfSize(seed: number, size: number): Promise<Map<string, Buffer>> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const life = new Life(disk, random, { segmentBytes: Math.ceil(size / 6), compactBytes: 1e12 });
  life.ledger.payloadMax = Math.ceil(size / 32);
  life.ledger.removals = 0.3;
  while (life.store.snapshotBytes < size / 2) {
    await life.run(4);
    await life.store.snapshot();
  }
  for (; life.store.journalBytes + life.store.snapshotBytes < size; await life.settle()) await life.run(1);
  const files = new Map<string, Buffer>();
  for (const path of disk.paths) files.set(path, Buffer.from(disk.content(path) as Buffer));
  disk.end();
  return files;
}

export interface FlipOptions {
  /** Which part of the bytes, `2/8`: the second of eight. */
  readonly part?: string;
  /** How to start; {@link start} when left out. */
  readonly startOn?: typeof start;
  readonly onByte?: (points: number, total: number, failures: number) => void;
}

/**
 * Damages every byte once, of the zeros that a segment ends with every 64th, and starts each time. Returns how many there were
 * and what was wrong.
 */
export function flipEveryByte(
  files: Map<string, Buffer>,
  seed: number,
  { part = '1/1', startOn = start, onByte }: FlipOptions = {},
): { points: number; failures: string[] } {
  const whole = start(files);
  const failures: string[] = whole.complaints.map((line) => `intact: ${line}`);
  const places = [...files].flatMap(([path, content]) => {
    const zerosFrom = content.findLastIndex((byte) => byte !== 0) + 1;
    const offsets = Array.from(content.keys()).filter((offset) => offset < zerosFrom || offset % 64 === 0);
    return offsets.map((offset) => ({ path, content, offset }));
  });
  const [number = 1, parts = 1] = part.split('/').map(Number);
  const first = Math.floor(((number - 1) * places.length) / parts);
  const end = Math.floor((number * places.length) / parts);
  for (let index = first; index < end; index++) {
    const { path, content, offset } = places[index] as (typeof places)[number];
    const random = new Random(seed * 1e7 + index);
    const mask = random.chance(0.5) ? 1 << random.below(8) : 1 + random.below(255);
    content[offset] = (content[offset] as number) ^ mask;
    const failure = judge(whole, files, startOn);
    content[offset] = (content[offset] as number) ^ mask;
    if (failure !== null) failures.push(`${path} byte ${offset} ^ ${mask}: ${failure}`);
    onByte?.(index + 1 - first, end - first, failures.length);
  }
  return { points: end - first, failures };
}

function judge(whole: Found, files: ReadonlyMap<string, Buffer>, startOn: typeof start): string | null {
  let found: Found;
  try {
    found = startOn(files);
  } catch (error) {
    return `does not start: ${String(error)}`;
  }
  const changed = differences(whole.facts, found.facts);
  if (changed.length === 0) return null;
  if (found.complaints.length === 0) return `changed without a word: ${changed[0]?.text}`;
  if (belongTogether(changed)) return null;
  return `more than one thing changed: ${changed.map(({ text }) => text).join(' · ')}`;
}

/** Whether one record can have held all of this: one client's, or one message with what refers to it. */
function belongTogether(changed: readonly Line[]): boolean {
  const isOf = (client: string): boolean => changed.every((line) => line.client === client);
  // Without its successor an older retained message of the same topic comes back.
  const hasMessage = (message: string, topic: string): boolean =>
    changed.every((line) => line.message === message || (topic !== '' && line.topic === topic));
  return changed.some(
    ({ client, message, topic }) => (client !== '' && isOf(client)) || (message !== '' && hasMessage(message, topic)),
  );
}

export function start(files: ReadonlyMap<string, Buffer>): Found {
  const disk = new SimulatedDisk(new Random(1));
  for (const [path, content] of files) disk.put(path, content);
  const log = new LineLog();
  const recovery = new Recovery(disk, storePath, new VirtualClock(1.8e12), log);
  const facts = [...recovery.facts()];
  return { facts, complaints: log.lines.filter((line) => /^(error|warning)/.test(line)) };
}
