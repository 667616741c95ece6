/** Plays rows of the wire tables, and writes down what the broker answers. */
import { expect } from 'vitest';
import { type ConformanceBroker, type Connected, startBroker } from '../conformance/wire/broker.ts';
import { type Bytes, bytes, hexOf, type Version } from '../conformance/wire/bytes.ts';
import { type RawClient, usualTransport } from '../conformance/wire/client.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property } from '../conformance/wire/properties.ts';
import type { Resources } from '../harness/resources.ts';

/**
 * What the broker does:
 * - `open`: nothing wrong; the connection goes on. With bytes (`open 40 02 00 07`): these are sent before, and nothing else
 * - `81`, `82` …: DISCONNECT with that Reason Code and the end; in 3.x only the end
 * - `closed`: the end without a byte, in every version
 * - `waits`: more bytes are needed; neither an answer nor the end
 * - `accepted`: CONNACK 0x00
 * - `refused 84`: CONNACK with that Reason Code (or return code in 3.x), and the end
 */
export type Answer = string;

export interface Row {
  readonly title: string;
  readonly version: Version;
  /** Sent as the first packet of a connection, instead of behind CONNECT. */
  readonly isFirst?: boolean;
  readonly sends: Bytes;
  readonly answer: Answer;
}

/**
 * Which rows are played: all over TCP; over the others, whose handshakes take longer than most rows, every fifth, other ones
 * over each. `WIRE_ROWS=all` plays all.
 */
const [firstRow, step] =
  process.env['WIRE_ROWS'] === 'all'
    ? [0, 1]
    : { tcp: [0, 1] as const, ws: [0, 5] as const, tls: [2, 5] as const }[usualTransport];

/** One broker, and a client that it must go on to serve whatever the others send. */
export class Stage {
  readonly broker: ConformanceBroker;
  readonly #witness: Connected;
  #count = 0;

  private constructor(broker: ConformanceBroker, witness: Connected) {
    this.broker = broker;
    this.#witness = witness;
  }

  static async open(resources: Resources): Promise<Stage> {
    const broker = await startBroker(resources);
    const witness = await broker.connect({ clientId: 'witness', keepAlive: 0 });
    await witness.subscribe({ filter: 'witness', qos: 0 });
    return new Stage(broker, witness);
  }

  /** Plays every row and compares; all that differ are told at once, one line each. */
  async play(rows: readonly Row[]): Promise<void> {
    const different: string[] = [];
    for (const row of rows.filter((_, index) => index % step === firstRow)) {
      const found = await this.answerTo(row);
      await this.checkOthersAreServed(row.title);
      if (found !== wantedOf(row.version, row.answer)) {
        different.push(
          `v${row.version} ${row.title} | ${hexOf(bytes(row.sends).subarray(0, 60))} | wanted ${row.answer} | found ${found}`,
        );
      }
    }
    expect(different, `${different.length} of ${rows.length} rows`).toEqual([]);
  }

  async answerTo({ version, isFirst = false, sends, answer }: Row): Promise<Answer> {
    const client = isFirst
      ? await this.broker.open({ version })
      : await this.broker.connect({
          ...{ clientId: 'case', version, keepAlive: 0 },
          properties: [property.sessionExpiryInterval(60)],
        });
    try {
      client.send(sends);
      if (answer !== 'waits') return await listen(client, isFirst);
      await this.broker.settle();
      // What would complete nothing tells apart "waits" and "was handled": an answer or the end would be here by now.
      return client.hasEnded ? 'closed' : 'waits';
    } finally {
      client.close();
    }
  }

  /** Another client publishes to itself, and gets it. */
  async checkOthersAreServed(title: string): Promise<void> {
    const payload = String(++this.#count);
    this.#witness.send(this.#witness.packets.publish({ topic: 'witness', payload }));
    const message = await this.#witness.expectPublish({});
    expect(message.text, `another client, after ${title}`).toBe(payload);
  }
}

/** What comes until the answer to a PINGREQ, or the end. */
export async function listen(client: RawClient, isFirst: boolean): Promise<Answer> {
  if (!isFirst) client.send(packetsOf(client.version).pingreq());
  const came: Buffer[] = [];
  for (;;) {
    const packet = await nextOrEnd(client);
    if (packet === null) break;
    if (!isFirst && packet[0] === 0xd0) return ['open', ...came.map(hexOf)].join(' ');
    came.push(packet);
    if (isFirst && packet[0] === 0x20 && packet[3] === 0) return 'accepted';
  }
  const [last] = came;
  if (last === undefined) return 'closed';
  if (came.length === 1 && last[0] === 0xe0 && last[1] === 1) return hexOf(last.subarray(2));
  if (came.length === 1 && last[0] === 0x20 && last[2] === 0) return `refused ${hexOf(last.subarray(3, 4))}`;
  return `${came.map(hexOf).join(', ')}, closed`;
}

async function nextOrEnd(client: RawClient): Promise<Buffer | null> {
  try {
    return (await client.next()).bytes;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('the other end closed while')) return null;
    throw error;
  }
}

/** 3.x has no words for what was wrong. */
export function wantedOf(version: Version, answer: Answer): Answer {
  return version < 5 && /^[89a][0-9a-f]$/.test(answer) ? 'closed' : answer;
}
