import { describe, expect, test } from 'vitest';
import type { Transport } from '../contracts/transport.ts';
import { AckQueue } from './ack-queue.ts';
import type { Connection } from './connection.ts';
import { Outbound, Outbox } from './outbound.ts';

const publishQos1 = Buffer.from('3208000161000170', 'hex');
const publishQos0 = Buffer.from('300400016170', 'hex');

/** An outbox with its acknowledgements, and what the transport is given: bytes in hex, `|` where the answer begins. */
function world() {
  const written: string[] = [];
  const transport = {
    pendingBytes: 0,
    write(bytes: Buffer, answerFrom = 0): void {
      const parts = answerFrom === 0 ? [bytes] : [bytes.subarray(0, answerFrom), bytes.subarray(answerFrom)];
      written.push(parts.map((part) => part.toString('hex')).join('|'));
    },
  } as unknown as Transport; // nothing else is asked of it
  const outbound = new Outbound({ stats: { bytesSent: 0, messagesSent: 0 }, packetsOutCount: 0, packetsOutBytes: 0 });
  const outbox = new Outbox(outbound, transport);
  const other = new Outbox(outbound, transport);
  const hub = { outbound, engine: { store: { position: 0, committed: 0 } } };
  const acks = new AckQueue({ hub, outbox } as unknown as Connection); // nothing else is asked of it
  return {
    written,
    send(packet: Buffer): void {
      outbox.addBytes(packet, 1);
      if (packet[0] === 0x32) outbox.markQuestion();
    },
    sendOther: (packet: Buffer) => other.addBytes(packet, 1),
    puback: () => acks.push('puback', 1, 0, 4, false),
    pubrel: () => acks.push('pubrel', 1, 0, 4, false),
    endTurn: () => outbound.flush(),
  };
}

describe('an answer behind a PUBLISH that its receiver answers', () => {
  test('is written so that it can wait for that answer', () => {
    const { written, send, puback, endTurn } = world();
    send(publishQos1);
    puback();
    endTurn();
    expect(written).toEqual(['3208000161000170|40020001']);
  });

  test('is told apart also when bytes of another connection lie between', () => {
    const { written, send, sendOther, puback, endTurn } = world();
    send(publishQos1);
    sendOther(publishQos0);
    puback();
    endTurn();
    expect(written).toEqual(['3208000161000170|40020001', '300400016170']);
  });

  test.each<[string, (parts: ReturnType<typeof world>) => void, string]>([
    ['QoS 0 is not answered', ({ send, puback }) => (send(publishQos0), puback()), '30040001617040020001'],
    ['a PUBLISH alone', ({ send }) => send(publishQos1), '3208000161000170'],
    ['an answer alone', ({ puback }) => puback(), '40020001'],
    ['an answer before it', ({ send, puback }) => (puback(), send(publishQos1)), '400200013208000161000170'],
    ['PUBREL asks for more', ({ send, pubrel }) => (send(publishQos1), pubrel()), '320800016100017062020001'],
    [
      'more than these two',
      ({ send, puback }) => (send(publishQos1), puback(), puback()),
      '32080001610001704002000140020001',
    ],
  ])('needs no care: %s', (_title, act, bytes) => {
    const parts = world();
    act(parts);
    parts.endTurn();
    expect(parts.written).toEqual([bytes]);
  });
});

describe('the home of outgoing bytes', () => {
  function slowWorld() {
    const given: Buffer[] = [];
    const transport = { pendingBytes: 0, write: (bytes: Buffer) => void given.push(bytes) };
    const outbound = new Outbound(
      { stats: { bytesSent: 0, messagesSent: 0 }, packetsOutCount: 0, packetsOutBytes: 0 },
      1024,
    );
    const outbox = new Outbox(outbound, transport as unknown as Transport); // nothing else is asked of it
    const send = (text: string, pendingAfter: number): Buffer => {
      outbox.addBytes(Buffer.from(text), 1);
      transport.write = (bytes) => {
        given.push(bytes);
        transport.pendingBytes = pendingAfter;
      };
      outbound.flush();
      return given.at(-1) as Buffer;
    };
    return { outbound, outbox, transport, send };
  }

  test('is left alone as long as a socket keeps bytes of it, and used again afterwards', () => {
    const { outbound, outbox, transport, send } = slowWorld();
    expect(outbound.arena).toBe(outbound.home);
    const kept = send('kept by the socket', 18);
    expect(outbound.arena).not.toBe(outbound.home);
    for (let turn = 0; turn < 3; turn++) send(`more ${turn}`, 24);
    expect(kept.toString()).toBe('kept by the socket');
    expect(outbound.arena).not.toBe(outbound.home);
    // It has taken everything, also what waited behind.
    transport.pendingBytes = 0;
    transport.write = () => undefined;
    outbox.drained();
    send('on', 0);
    expect(outbound.arena).toBe(outbound.home);
    expect(send('at home', 0).toString()).toBe('at home');
  });

  test('comes back after a frame larger than it, and its input area is never written to', () => {
    const { outbound, send } = slowWorld();
    outbound.home.fill(0x2e, outbound.inputStart);
    const large = 'x'.repeat(outbound.inputStart);
    expect(send(large, 0).toString()).toBe(large);
    for (let turn = 0; turn < 300; turn++) send('y'.repeat(1000), 0);
    expect(outbound.arena).toBe(outbound.home);
    expect(outbound.home.toString('latin1', outbound.inputStart)).toBe('.'.repeat(1024));
  });
});

describe('what waits for sockets that do not take it', () => {
  /** Outboxes of sockets that have bytes waiting, and the buffers each is given when it takes them. */
  function slowWorld(count: number) {
    const counters = { stats: { bytesSent: 0, messagesSent: 0 }, packetsOutCount: 0, packetsOutBytes: 0 };
    const outbound = new Outbound(counters);
    const slow = Array.from({ length: count }, () => {
      const given: Buffer[] = [];
      const transport = { pendingBytes: 1, write: (bytes: Buffer) => void given.push(bytes) };
      return { given, transport, outbox: new Outbox(outbound, transport as unknown as Transport) };
    });
    /** Gives the same frame to all of them, as a fan-out does. */
    const send = (text: string): void => {
      const start = outbound.reserve(text.length);
      const end = start + outbound.arena.write(text, start);
      for (const { outbox } of slow) outbox.add(start, end, 1);
    };
    const others = (text: string): number => outbound.arena.write(text, outbound.reserve(text.length));
    /** The sockets have taken what they had. */
    const take = (): void => {
      for (const { transport, outbox } of slow) {
        transport.pendingBytes = 0;
        outbox.drained();
      }
    };
    return { outbound, counters, slow, send, others, take };
  }
  type Slow = ReturnType<typeof slowWorld>['slow'][number];
  const texts = ({ given }: Slow): string[] => given.map(String);

  test('is copied once for all that get the same', () => {
    const { outbound, slow, send, others, take } = slowWorld(3);
    send('one');
    others('between');
    send('two');
    outbound.flush();
    take();
    for (const one of slow) expect(texts(one)).toEqual(['onetwo']);
    expect(new Set(slow.flatMap(({ given }) => given)).size).toBe(1);
  });

  test('is copied for each that gets something else, and is not touched afterwards', () => {
    const { outbound, slow, send, take } = slowWorld(3);
    const [first, second, third] = slow as [Slow, Slow, Slow];
    send('same');
    second.outbox.addBytes(Buffer.from('own'), 1);
    outbound.flush();
    send('SAME');
    outbound.flush();
    take();
    expect([first, second, third].map(texts)).toEqual([['sameSAME'], ['sameownSAME'], ['sameSAME']]);
  });

  test('is given to no socket before that has taken what it had, and then in large pieces', () => {
    const { outbound, counters, slow, send, take } = slowWorld(1);
    const [{ given, transport, outbox }] = slow as [Slow];
    const large = 'x'.repeat(100_000);
    for (const text of ['first', large, large, large, 'y'.repeat(300_000), 'last']) {
      send(text);
      outbound.flush();
    }
    expect(given).toEqual([]);
    expect([outbox.waitingPackets, outbox.pendingBytes]).toEqual([6, 600_009]);
    expect([counters.packetsOutCount, counters.packetsOutBytes]).toEqual([6, 600_009]);
    expect([counters.stats.messagesSent, counters.stats.bytesSent]).toEqual([6, 600_009]);
    // It takes one piece, and no more for now.
    transport.write = (bytes) => {
      given.push(bytes);
      transport.pendingBytes = bytes.length;
    };
    take();
    expect(given.map(({ length }) => length)).toEqual([200_005]);
    expect([outbox.waitingPackets, outbox.pendingBytes, counters.packetsOutBytes]).toEqual([6, 600_009, 600_009]);
    take();
    expect(given.map(({ length }) => length)).toEqual([200_005, 100_000]);
    expect([outbox.pendingBytes, counters.packetsOutBytes]).toEqual([400_004, 400_004]);
    transport.write = (bytes) => void given.push(bytes);
    take();
    expect(given.map(({ length }) => length)).toEqual([200_005, 100_000, 300_000, 4]);
    expect(Buffer.concat(given).toString()).toBe(`first${large.repeat(3)}${'y'.repeat(300_000)}last`);
    expect([outbox.waitingPackets, outbox.pendingBytes]).toEqual([0, 0]);
    expect([counters.packetsOutCount, counters.packetsOutBytes]).toEqual([0, 0]);
  });

  test('is handed over when the connection ends, and counts no more', () => {
    const { outbound, counters, slow, send, take } = slowWorld(2);
    for (const text of ['one', 'two']) {
      send(text);
      outbound.flush();
    }
    const [ended, gone] = slow as [Slow, Slow];
    ended.outbox.handOver();
    gone.outbox.forget();
    expect([texts(ended), texts(gone)]).toEqual([['one', 'two'], []]);
    expect([counters.packetsOutCount, counters.packetsOutBytes]).toEqual([0, 0]);
    take();
    expect([texts(ended), texts(gone)]).toEqual([['one', 'two'], []]);
  });
});
