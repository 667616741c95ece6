import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../src/base/clock.ts';
import type { Message } from '../../src/contracts/message.ts';
import type { Fact } from '../../src/contracts/store.ts';
import { crc32c } from '../../src/store/crc32c.ts';
import type { FileStore } from '../../src/store/file-store.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import type { SyncLevel } from '../../src/store/journal-options.ts';
import { readSegmentHeader } from '../../src/store/segment-format.ts';
import { scanSegment } from '../../src/store/segment-scan.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { bytes } from '../harness/codec.ts';
import { Life, storePath, turns } from './lives.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

function begin(seed: number): { random: Random; disk: SimulatedDisk } {
  const random = new Random(seed);
  return { random, disk: new SimulatedDisk(random) };
}

const complaints = (log: LineLog): string[] => log.lines.filter((line) => /^(error|warning)/.test(line));
/** The facts of a state, without the line that counts them. */
const facts = (state: string): string => state.slice(state.indexOf('\n') + 1);
const segments = (disk: SimulatedDisk): string[] => disk.paths.filter((path) => path.endsWith('.log'));

/** A file of Mosquitto's with one session. */
const foreign = bytes(`
  00b500 "mosquitto db" 00000000 00000006
  00000001 00000010 0000000000000000 01 08 000000000000
  00000006 0000001c 0000000000000000 ffffffff 0003 0004 075b 0000 00000000 "subc"`);

describe('restart', () => {
  test('what was told is there after a clean stop, and again after the next', async () => {
    const { random, disk } = begin(1);
    const first = new Life(disk, random);
    await first.run(200);
    await first.store.close();

    const second = new Life(disk, random);
    expect(second.restored).toBe(first.state);
    expect(complaints(second.log)).toEqual([]);
    await second.run(200);
    await second.store.close();

    const third = new Life(disk, random);
    expect(third.restored).toBe(second.state);
    // After a clean stop nothing but the snapshot is needed.
    expect(segments(disk)).toEqual([]);
  });

  test('after a clean stop deliveries are as they were; after a crash they may have been sent', async () => {
    const { disk } = begin(2);
    const message: Fact & { kind: 'message' } = {
      kind: 'message',
      message: new Life(begin(9).disk, new Random(9)).ledger.message(1, false),
    };
    message.message.storeId = 1;
    const session = {
      ...{ clientId: 'c', username: null, listenerPort: 1, expiryIntervalSeconds: 60, expiresAtMs: 0 },
      lastSequence: 2,
    };
    const facts: Fact[] = [message, { kind: 'session', ...session }];
    for (const sequence of [1, 2]) {
      facts.push({
        ...{ kind: 'delivery', clientId: 'c', direction: 'out', storeId: 1, sequence, qos: 1 },
        ...{ retain: false, dup: false, state: 11, subscriptionIds: [] },
      });
    }
    const open = (from: SimulatedDisk) =>
      openFileStore({
        ...{ path: storePath, autosaveIntervalSeconds: 0, autosaveOnChanges: false },
        ...{ clock: new VirtualClock(), logger: new LineLog(), disk: from },
      });
    const deliveries = (found: Iterable<Fact>) =>
      [...found].flatMap((fact) => (fact.kind === 'delivery' ? [[fact.sequence, fact.state, fact.dup]] : []));
    const first = open(disk);
    expect([...first.restore()]).toEqual([]);
    first.attach(() => facts);
    await first.close();

    const second = open(disk);
    expect(deliveries(second.restore())).toEqual([
      [1, 11, false],
      [2, 11, false],
    ]);
    second.attach(() => facts);
    // Deliveries are sent in order, so the first was sent when the second is acknowledged.
    second.deliveryRemoved('c', 2);
    second.sessionPut(session);
    await turns(60);
    expect(second.committed).toBe(2);

    const third = open(disk.afterKill());
    expect(deliveries(third.restore())).toEqual([[1, 3, true]]);
  });

  test('what was written but not synced is synced at the start, before anybody is told of it', async () => {
    const { random, disk } = begin(20);
    const first = new Life(disk, random);
    await first.run(20);
    await first.settle();
    const committed = first.state;
    disk.onCall = ({ kind, path }) => (kind === 'sync' && path.endsWith('.log') ? 'ends' : undefined);
    await first.run(3);
    await turns(5);
    expect(first.committed).toBeLessThan(first.store.position);

    // Killed after the write: the system still has the group, the platter does not; what was told after it is in none.
    const second = new Life(disk.afterKill(), random);
    const found = first.find(second.restored, first.committed + 1);
    expect(found).toBeGreaterThan(0);
    expect(second.restored).not.toBe(committed);
    const third = new Life(second.disk.afterPowerCut(), random);
    expect(third.restored).toBe(second.restored);
  });

  test('a second process is kept out until the first has ended', async () => {
    const { random, disk } = begin(3);
    let isTaken = false;
    disk.lock = () => {
      if (isTaken) return null;
      isTaken = true;
      return {
        release: () => {
          isTaken = false;
        },
      };
    };
    disk.put(`${storePath}.journal/lock`, Buffer.from('4711\n'));
    const first = new Life(disk, random);
    expect(() => new Life(disk, random)).toThrow(`Error: ${storePath} is in use by process 4711.`);
    await first.store.close();
    await new Life(disk, random).store.close();
  });
});

describe('what is found at the start', () => {
  test("Mosquitto's file is restored, kept beside ours, and nothing is safe before ours is written", async () => {
    const { random, disk } = begin(4);
    disk.put(storePath, foreign);
    const life = new Life(disk, random);
    expect(facts(life.restored)).toMatch(/^session\|subc\|/);
    await life.run(1);
    expect(life.committed).toBe(0);
    await life.settle();
    expect(life.committed).toBe(life.store.position);
    expect(disk.content(`${storePath}.mosquitto`)).toEqual(foreign);
    expect(life.log.lines).toContain(
      `notice: ${storePath} was written by Mosquitto; it is kept as ${storePath}.mosquitto.`,
    );
  });

  test('a journal that belongs to another state is moved away, as when Mosquitto ran in between', async () => {
    const { random, disk } = begin(5);
    const life = new Life(disk, random);
    await life.run(50);
    await life.settle();
    const next = disk.afterKill();
    next.put(storePath, foreign);

    const after = new Life(next, random);
    expect(facts(after.restored)).toMatch(/^session\|subc\|[^\n]+$/);
    expect(complaints(after.log).join()).toMatch(/belongs to another state of .*quarantine/);
    expect(next.paths.some((path) => path.includes('/quarantine/0000000001.log'))).toBe(true);
  });

  test('without its snapshot the journal gives what it has, and says that something is missing', async () => {
    const { random, disk } = begin(6);
    const life = new Life(disk, random);
    await life.run(400);
    await life.settle();
    const next = disk.afterKill();
    await next.remove(storePath);
    const after = new Life(next, random);
    expect(complaints(after.log)).toContain(
      `warning: Warning: ${storePath} is missing; only what its journal holds is restored.`,
    );
    await after.settle();
    expect(next.exists(storePath)).toBe(true);
  });

  test('an empty file counts as none', async () => {
    const { random, disk } = begin(7);
    disk.put(storePath, Buffer.alloc(0));
    const life = new Life(disk, random);
    expect(facts(life.restored)).toBe('');
    expect(complaints(life.log)).toEqual(['warning: Warning: Persistence file is empty.']);
  });

  test('a file that cannot be read counts as none and is not overwritten', async () => {
    const { random, disk } = begin(8);
    disk.put(storePath, foreign);
    const { openToRead } = disk;
    disk.openToRead = (path) => {
      if (path === storePath && disk.content(path)?.equals(foreign))
        throw Object.assign(new Error(), { code: 'EACCES' });
      return openToRead.call(disk, path);
    };
    const life = new Life(disk, random);
    await life.settle();
    expect(disk.content(`${storePath}.unreadable`)).toEqual(foreign);
    expect(complaints(life.log)).toEqual([
      `warning: Warning: Unable to read ${storePath} (EACCES); it is kept as ${storePath}.unreadable.`,
    ]);
  });

  test.each([
    [
      'something else',
      Buffer.from('something else altogether'),
      'Error: Unable to restore persistent database. Unrecognised file format.',
    ],
    [
      'a newer Mosquitto',
      bytes('00b500 "mosquitto db" 00000000 00000009'),
      'Error: Unsupported persistent database format version 9 (need version 6).',
    ],
  ])('refuses %s', (_, content, line) => {
    const { random, disk } = begin(9);
    disk.put(storePath, content);
    expect(() => new Life(disk, random)).toThrow(new StoreError([line, "Error: Couldn't open database."]));
    // Nothing was touched, and the lock is free again.
    expect(disk.content(storePath)).toEqual(content);
  });

  test('refuses a journal of a newer version', async () => {
    const { random, disk } = begin(10);
    const life = new Life(disk, random);
    await life.run(20);
    await life.settle();
    const next = disk.afterKill();
    const segment = next.content(`${storePath}.journal/0000000001.log`) as Buffer;
    for (const copy of [0, 512]) {
      segment.writeUInt32BE(2, copy + 8);
      segment.writeUInt32BE(crc32c(segment, copy, copy + 40), copy + 40);
    }
    expect(() => new Life(next, random)).toThrow(
      /written by a newer version of Moustique \(journal format 2, need 1\)/,
    );
  });
});

describe('writing', () => {
  /** A store that has begun its first segment, and the next one is ready; and the calls on that first segment from now on. */
  async function watch(seed: number, level: SyncLevel): Promise<{ life: Life; calls: string[] }> {
    const { random, disk } = begin(seed);
    const life = new Life(disk, random, { segmentBytes: 1 << 20, level, gatherAbove: Number.POSITIVE_INFINITY });
    await life.settle();
    life.store.sessionRemoved('nobody');
    await life.settle();
    life.clock.advance(1000);
    await turns(20);
    const before = life.committed;
    expect(before).toBe(1);
    const calls: string[] = [];
    disk.onCall = ({ kind, path }) => {
      if (path.endsWith('/0000000001.log')) calls.push(life.committed > before ? `${kind} after the ack` : kind);
      return undefined;
    };
    return { life, calls };
  }

  test('everything told while a group is on its way is the next group, with one write and one sync', async () => {
    const { life, calls } = await watch(11, { kind: 'commit' });
    const session = {
      ...{ username: null, listenerPort: 1, expiryIntervalSeconds: 1, expiresAtMs: 0 },
      lastSequence: 0,
    };
    let told = 0;
    for (let turn = 0; turn < 40; turn++) {
      for (let count = 0; count < 25; count++) life.store.sessionPut({ ...session, clientId: `c${told++}` });
      await turns(1);
    }
    await turns(20);

    expect(life.store.committed).toBe(life.store.position);
    const kinds = calls.map((call) => call.replace(' after the ack', ''));
    // A sync after each write, never two writes or two syncs under way.
    expect(kinds.join(' ')).toMatch(/^(write sync ?)+( write)?$/);
    expect(kinds.length / 2).toBeLessThan(told / 25);
  });

  test.each([
    ['commit', ['write', 'sync']],
    ['os', ['write']],
  ] as const)('%s: an acknowledgement waits for %s', async (kind, before) => {
    const { life, calls } = await watch(12, { kind });
    life.store.sessionRemoved('nobody');
    await turns(10);

    expect(life.committed).toBe(life.store.position);
    expect(calls).toEqual(before);
  });

  test('interval: acknowledges after the write and syncs when the time has come, if there is something', async () => {
    const { life, calls } = await watch(13, { kind: 'interval', milliseconds: 500 });
    life.store.sessionRemoved('nobody');
    await turns(10);
    expect(life.committed).toBe(life.store.position);
    expect(calls).toEqual(['write']);
    life.clock.advance(500);
    await turns(10);
    expect(calls).toEqual(['write', 'sync after the ack']);
    life.clock.advance(5000);
    await turns(10);
    // Only the mark that says what is safe, for the next start.
    expect(calls).toEqual(['write', 'sync after the ack', 'write after the ack']);
  });

  test('what filled its segment counts as safe as soon as nothing else comes: damage to it is told, not cut off', async () => {
    const session = { username: null, listenerPort: 1, expiryIntervalSeconds: 1, expiresAtMs: 0, lastSequence: 0 };
    /** The journal after a group that came when the second segment was ready. */
    const journalOf = async (segmentBytes: number) => {
      const { random, disk } = begin(15);
      const life = new Life(disk, random, { segmentBytes });
      await life.settle();
      life.store.sessionRemoved('nobody');
      await life.settle();
      for (let told = 0; told < 100; told++) life.store.sessionPut({ ...session, clientId: `session number ${told}` });
      await life.settle();
      const next = life.disk.afterKill();
      const [segment = ''] = segments(next);
      const content = Buffer.from(next.content(segment) as Buffer);
      const { stretches } = scanSegment(content, readSegmentHeader(content).header?.salt ?? 0);
      return { random, next, segment, content, end: stretches.at(-1)?.end ?? 0 };
    };
    // Once to see what it takes, once more with a segment of just that size.
    const { end } = await journalOf(1 << 16);
    const { random, next, segment, content } = await journalOf(end);
    expect(content.length).toBe(end);
    content[end - 1] = (content.at(-1) as number) ^ 1;
    next.put(segment, content);

    const after = new Life(next, random);
    expect(complaints(after.log)[0]).toMatch(/0000000001\.log: a record is damaged/);
    expect(after.restored.split('\n').filter((line) => line.startsWith('session|'))).toHaveLength(99);
  });

  test('a segment that takes no sync while everything in it is safe is no trouble to a snapshot', async () => {
    const { random, disk } = begin(16);
    const life = new Life(disk, random);
    await life.run(20);
    await life.settle();
    disk.onCall = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log')) throw Object.assign(new Error('no sync'), { code: 'EIO' });
      return undefined;
    };
    await life.store.snapshot();
    disk.onCall = null;
    expect(complaints(life.log)).toEqual([]);
    expect(life.store.trouble).toBeNull();
    expect(life.committed).toBe(life.store.position);
  });

  test('a full disk: one line, nothing called safe, and all of it when there is room again', async () => {
    const { random, disk } = begin(14);
    const life = new Life(disk, random);
    await life.run(20);
    await life.settle();
    const troubles: (string | null)[] = [];
    life.store.onTrouble = () => troubles.push(life.store.trouble);
    disk.onCall = ({ kind }) => {
      if (kind === 'write' || kind === 'create') throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      return undefined;
    };
    const safe = life.committed;
    for (let second = 0; second < 5; second++) {
      await life.run(10);
      life.clock.advance(1000);
      await turns(10);
    }
    expect(life.committed).toBe(safe);
    expect(life.store.trouble).toBe('ENOSPC');
    disk.onCall = null;
    life.clock.advance(1000);
    await life.settle();

    expect(life.committed).toBe(life.store.position);
    expect(troubles).toEqual(['ENOSPC', null]);
    expect(life.log.lines.filter((line) => line.includes('unable to store'))).toEqual([
      `error: Error: ${storePath}: unable to store (ENOSPC). Nothing is acknowledged until this is over.`,
    ]);
    expect(new Life(disk.afterPowerCut(), random).restored).toBe(life.state);
  });

  test('a sync that failed counts as nothing: its group is written again, elsewhere', async () => {
    const { random, disk } = begin(15);
    const life = new Life(disk, random, { segmentBytes: 1 << 20 });
    await life.run(20);
    await life.settle();
    const before = segments(disk).length;
    let failures = 0;
    disk.onCall = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log') && failures++ === 0) {
        throw Object.assign(new Error('input/output error'), { code: 'EIO' });
      }
      return undefined;
    };
    await life.run(5);
    await turns(20);
    expect(life.committed).toBeLessThan(life.store.position);
    life.clock.advance(1000);
    await life.settle();

    expect(life.committed).toBe(life.store.position);
    expect(segments(disk).length).toBeGreaterThan(before);
    expect(new Life(disk.afterPowerCut(), random).restored).toBe(life.state);
  });

  test('a snapshot that fails leaves the old one, and the journal with everything since', async () => {
    const { random, disk } = begin(16);
    const life = new Life(disk, random);
    await life.run(30);
    await life.settle();
    const old = Buffer.from(disk.content(storePath) as Buffer);
    disk.onCall = ({ path }) => {
      if (path === `${storePath}.new`) throw Object.assign(new Error('quota'), { code: 'EDQUOT' });
      return undefined;
    };
    await life.run(30);
    await life.store.snapshot();
    await life.settle();

    expect(disk.content(storePath)).toEqual(old);
    expect(complaints(life.log)).toEqual([
      `error: Error saving in-memory database, unable to open ${storePath}.new for writing, error EDQUOT`,
    ]);
    expect(life.committed).toBe(life.store.position);
    expect(new Life(disk.afterKill(), random).restored).toBe(life.state);
  });

  describe('a snapshot that is written while facts are told', () => {
    const session = {
      ...{ clientId: 'c', username: null, listenerPort: 1, expiryIntervalSeconds: 60, expiresAtMs: 0 },
      lastSequence: 0,
    };

    /** A store with one retained message, and a snapshot that calls back before its last fact. */
    async function snapshotAround(seed: number, duringIt: (store: FileStore, message: Message) => void) {
      const { random, disk } = begin(seed);
      const message = new Life(begin(9).disk, new Random(9)).ledger.message(1, true);
      message.storeId = 1;
      const store = openFileStore({
        ...{ path: storePath, autosaveIntervalSeconds: 0, autosaveOnChanges: false, blockBytes: 1 },
        ...{ clock: new VirtualClock(), logger: new LineLog(), disk, level: { kind: 'os' } },
      });
      for (const _ of store.restore());
      let isInterrupted = false;
      store.attach(function* () {
        if (!isInterrupted) return;
        yield { kind: 'session', ...session };
        duringIt(store, message);
      });
      await store.snapshot();
      store.sessionPut(session);
      store.retainedPut(message);
      await turns(20);
      isInterrupted = true;
      const calls: string[] = [];
      disk.onCall = ({ kind, path }) => {
        calls.push(`${kind} ${path.replace(/^.*\/(0+)?/, '')}`);
        return undefined;
      };
      await store.snapshot();
      disk.onCall = null;
      const after = new Life(disk.afterPowerCut(), random);
      return { calls, restored: after.restored };
    }

    test('is put in place only when the journal has everything told meanwhile, at every level', async () => {
      const { calls, restored } = await snapshotAround(21, (store) => store.retainedRemoved('nowhere'));
      const rename = calls.indexOf('rename mosquitto.db');
      expect(rename).toBeGreaterThan(0);
      expect(calls.slice(0, rename)).toContain('write 1.log');
      expect(calls.slice(0, rename).lastIndexOf('sync 1.log')).toBeGreaterThan(
        calls.lastIndexOf('write 1.log', rename),
      );
      expect(facts(restored)).toMatch(/^session\|c\|/);
    });

    test('need not have a message that came to be needed again: the journal has it once more', async () => {
      const { restored } = await snapshotAround(22, (store, message) => {
        store.deliveryPut('c', 1, message, 1, false, null);
        store.retainedRemoved(message.topic.name);
      });
      // Neither the retained message nor the delivery was among the facts of the snapshot.
      expect(facts(restored)).toMatch(/^queue\|c out\|\n1\|1\|/);
      expect(restored).not.toMatch(/missing|retained/);
    });
  });

  test('under steady churn the files stay within three times what lives in them', async () => {
    const { random, disk } = begin(17);
    const life = new Life(disk, random, { segmentBytes: 2048, compactBytes: 8192 });
    life.ledger.payloadMax = 4000;
    // Until there is much to keep.
    while (life.store.snapshotBytes < 150_000) {
      await life.run(50);
      await life.store.snapshot();
    }
    let largest = 0;
    let live = 0;
    disk.onCall = () => {
      const now = disk.size;
      if (now > largest) {
        largest = now;
        live = life.store.snapshotBytes;
      }
      return undefined;
    };
    const begun = life.store.position;
    for (let round = 0; round < 100; round++) {
      // As much is taken away as is put there.
      await life.run(4);
      life.ledger.drain(life.store);
    }
    await life.settle();

    expect(life.store.position - begun).toBeGreaterThan(500);
    expect(largest / live).toBeLessThan(3);
    expect(new Life(disk.afterKill(), random).restored).toBe(life.state);
  });
});
