/** A store of which one byte after the other is damaged: it must always start, lose only what the byte held, and say so. */
import { VirtualClock } from '../../src/base/clock.ts';
import type { Message } from '../../src/contracts/message.ts';
import type { Fact } from '../../src/contracts/store.ts';
import { Recovery } from '../../src/store/recovery.ts';
import { contentOf } from './ledger.ts';
import { Life, storePath } from './lives.ts';
import { LineLog } from './quiet-logger.ts';
import { Random } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

/** What a start finds, line by line: each with the client and the message it is about. */
interface Line {
  readonly text: string;
  readonly client: string;
  /** What tells the message from others; its time of expiry, which lies apart from it, does not. */
  readonly message: string;
  /** Topic Name of a retained message. */
  readonly topic: string;
}

interface Found {
  readonly lines: Map<string, Line>;
  readonly complaints: string[];
}

/** Files of a store whose process was killed, together at least `size` bytes. */
export async function filesOfSize(seed: number, size: number): Promise<Map<string, Buffer>> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  const life = new Life(disk, random, { segmentBytes: 8192, compactBytes: 1e9 });
  life.ledger.payloadMax = 2500;
  // Half of it in the snapshot, half in the journal.
  while (life.store.journalBytes < size / 2) await life.run(20);
  await life.store.snapshot();
  while (life.store.journalBytes + life.store.snapshotBytes < size) await life.run(20);
  await life.settle();
  const files = new Map<string, Buffer>();
  for (const path of disk.paths) files.set(path, Buffer.from(disk.content(path) as Buffer));
  disk.end();
  return files;
}

/**
 * Damages every byte once, of the zeros that a segment ends with every 64th. Returns how many there were and what was wrong.
 */
export function flipEveryByte(files: Map<string, Buffer>, seed: number): { points: number; failures: string[] } {
  const random = new Random(seed);
  const whole = find(files);
  const failures: string[] = whole.complaints.map((line) => `intact: ${line}`);
  let points = 0;
  for (const [path, content] of files) {
    const zerosFrom = content.findLastIndex((byte) => byte !== 0) + 1;
    for (let offset = 0; offset < content.length; offset += offset >= zerosFrom ? 64 : 1) {
      const mask = random.chance(0.5) ? 1 << random.below(8) : 1 + random.below(255);
      content[offset] = (content[offset] as number) ^ mask;
      const failure = judge(whole, files);
      content[offset] = (content[offset] as number) ^ mask;
      points++;
      if (failure !== null) failures.push(`${path} byte ${offset} ^ ${mask}: ${failure}`);
    }
  }
  return { points, failures };
}

function judge(whole: Found, files: Map<string, Buffer>): string | null {
  let found: Found;
  try {
    found = find(files);
  } catch (error) {
    return `does not start: ${String(error)}`;
  }
  const changed = [...whole.lines.values()].filter(({ text }) => !found.lines.has(text));
  for (const line of found.lines.values()) if (!whole.lines.has(line.text)) changed.push(line);
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

function find(files: Map<string, Buffer>): Found {
  const disk = new SimulatedDisk(new Random(1));
  for (const [path, content] of files) disk.put(path, content);
  const log = new LineLog();
  const recovery = new Recovery(disk, storePath, new VirtualClock(1.8e12), log);
  const lines = linesOf(recovery.facts());
  return { lines, complaints: log.lines.filter((line) => /^(error|warning)/.test(line)) };
}

function linesOf(facts: Iterable<Fact>): Map<string, Line> {
  const messages = new Map<number, Message>();
  const lines = new Map<string, Line>();
  const add = (text: string, client: string, message: string, topic: string): void => {
    lines.set(text, { text, client, message, topic });
  };
  for (const fact of facts) {
    switch (fact.kind) {
      case 'message':
        messages.set(fact.message.storeId, fact.message);
        break;
      case 'session':
      case 'subscription':
        add(JSON.stringify(fact), fact.clientId, '', '');
        break;
      case 'delivery': {
        const { clientId, direction, sequence, qos, retain, subscriptionIds } = fact;
        const message = messages.get(fact.storeId) ?? null;
        const facts = [clientId, direction, sequence, qos, retain, subscriptionIds.join(',')].join('|');
        add(`delivery|${facts}|${message === null ? '' : contentOf(message)}`, clientId, identityOf(message), '');
        break;
      }
      case 'retained': {
        const message = messages.get(fact.storeId) ?? null;
        const text = `retained|${message === null ? '' : contentOf(message)}`;
        add(text, '', identityOf(message), message?.topic.name ?? '');
        break;
      }
      case 'will': {
        const text = `will|${fact.clientId}|${fact.delaySeconds}|${fact.dueAtMs}|${contentOf(fact.message)}`;
        add(text, fact.clientId, identityOf(fact.message), '');
        break;
      }
    }
  }
  return lines;
}

function identityOf(message: Message | null): string {
  if (message === null) return '';
  const { topic, publisher, payloadLength, payload } = message;
  return [topic.name, publisher.clientId, payloadLength, payload[0] ?? 0].join('~');
}
