import { describe, expect, test } from 'vitest';
import type { Packet, ProtocolVersion, PublishPacket, QoS } from '../codec/packet.ts';
import { NO_PROPERTIES } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import type { ClientError } from './client-error.ts';
import type { PublishOutcome } from './exchanges.ts';
import { Outbound } from './outbound.ts';
import { PacketIds } from './packet-ids.ts';
import { type ServerLimits, serverLimits } from './server-limits.ts';

interface Bench {
  readonly outbound: Outbound;
  readonly sent: Packet[];
  isConnected: boolean;
  isCongested: boolean;
  publish(
    qos: QoS,
    text: string,
    properties?: Properties,
  ): { error?: ClientError | undefined; outcome?: PublishOutcome };
  accept(isResumed: boolean, limits?: Partial<ServerLimits>): void;
  texts(): readonly string[];
}

function bench(version: ProtocolVersion = 5, plan: { inflightMaximum?: number; topicAliases?: number } = {}): Bench {
  const sent: Packet[] = [];
  const made: Bench = {
    sent,
    isConnected: false,
    isCongested: false,
    outbound: new Outbound({
      version,
      ids: new PacketIds(),
      inflightMaximum: plan.inflightMaximum ?? 20,
      queuedMessagesMaximum: 5,
      queuedBytesMaximum: 100,
      topicAliases: plan.topicAliases ?? 0,
      send: (packet) => {
        sent.push(packet);
        return undefined;
      },
      mayWrite: () => made.isConnected && !made.isCongested,
      isCongested: () => made.isCongested,
      onRoom: () => {},
    }),
    publish(qos, text, properties = NO_PROPERTIES) {
      const settled: { error?: ClientError | undefined; outcome?: PublishOutcome } = {};
      made.outbound.publish({
        publication: { topic: 'a', payload: Buffer.from(text), qos, retain: false, properties },
        settle: (error, outcome) => {
          settled.error = error;
          settled.outcome = outcome;
        },
        packetId: 0,
      });
      return settled;
    },
    accept(isResumed, limits = {}) {
      made.isConnected = true;
      const connack = { type: 'connack', sessionPresent: isResumed, reasonCode: 0, properties: {} } as const;
      made.outbound.accepted({ ...serverLimits(connack, 60), ...limits }, isResumed);
      made.outbound.pump();
    },
    texts: () =>
      sent.splice(0).map((packet) => {
        if (packet.type !== 'publish') return 'packetId' in packet ? `${packet.type} ${packet.packetId}` : packet.type;
        const { payload, packetId, dup, topic } = packet as PublishPacket;
        return `${topic} ${payload.toString()} ${packetId}${dup ? ' dup' : ''}`;
      }),
  };
  return made;
}

const ack = (type: 'puback' | 'pubrec' | 'pubcomp', packetId: number, reasonCode: 0x00 | 0x97 = 0) =>
  ({ type, packetId, reasonCode, properties: NO_PROPERTIES }) as Parameters<Outbound['receive']>[0];

describe('windows', () => {
  test('QoS 1 and 2 wait for a place, QoS 0 behind them keeps the order', () => {
    const it = bench(5, { inflightMaximum: 2 });
    it.accept(false);
    for (const [qos, text] of [
      [1, 'one'],
      [2, 'two'],
      [1, 'three'],
      [0, 'four'],
    ] as const)
      it.publish(qos, text);
    expect(it.texts()).toEqual(['a one 1', 'a two 2']);
    it.outbound.receive(ack('pubrec', 2));
    expect(it.texts()).toEqual(['pubrel 2']); // PUBREC gives no place back
    it.outbound.receive(ack('puback', 1));
    expect(it.texts()).toEqual(['a three 3', 'a four 0']);
  });

  test('nothing is written to a connection that does not take more; the queue holds it, and is full in the end', () => {
    const it = bench();
    it.accept(false);
    it.isCongested = true;
    for (const [qos, text] of [
      [0, 'one'],
      [1, 'two'],
      [0, 'x'.repeat(60)],
    ] as const)
      it.publish(qos, text);
    expect(it.texts()).toEqual([]);
    expect(it.outbound.isHalfFull).toBe(true); // by its bytes
    expect(it.outbound.queueFault).toBeUndefined();
    it.publish(0, 'y'.repeat(40));
    expect(it.outbound.queueFault?.kind).toBe('full');
    it.isCongested = false;
    it.outbound.pump();
    expect(it.texts().map((text) => text.slice(0, 5))).toEqual(['a one', 'a two', 'a xxx', 'a yyy']);
    expect(it.outbound.queueFault).toBeUndefined();
  });

  test('before the end what needs no acknowledgement is written, whatever waits', () => {
    const it = bench(5, { inflightMaximum: 1 });
    it.accept(false);
    it.publish(1, 'one');
    it.publish(1, 'two');
    it.isCongested = true;
    const last = it.publish(0, 'three');
    it.texts();
    it.outbound.sendWhatNeedsNoAnswer();
    expect(it.texts()).toEqual(['a three 0']);
    expect(last.outcome).toBeDefined();
    expect(it.outbound.waitingCount).toBe(1);
  });

  test('[MQTT-4.9.0-1] the broker’s Receive Maximum counts', () => {
    const it = bench();
    it.accept(false, { receiveMaximum: 1 });
    it.publish(1, 'one');
    it.publish(1, 'two');
    expect(it.texts()).toEqual(['a one 1']);
    it.outbound.receive(ack('puback', 1));
    expect(it.texts()).toEqual(['a two 2']);
  });

  test('[MQTT-4.4.0-2] a refusal ends the exchange and gives the place back', () => {
    const it = bench(5, { inflightMaximum: 1 });
    it.accept(false);
    const first = it.publish(2, 'one');
    it.publish(1, 'two');
    it.outbound.receive(ack('pubrec', 1, 0x97));
    expect(first.error).toMatchObject({ kind: 'rejected', reasonCode: 0x97 });
    expect(it.texts()).toEqual(['a one 1', 'a two 2']);
  });

  test('the queue has an end', () => {
    const it = bench();
    for (let index = 0; index < 5; index++) {
      expect(it.outbound.queueFault).toBeUndefined();
      it.publish(1, 'x');
    }
    expect(it.outbound.queueFault).toMatchObject({ kind: 'full' });
    const large = bench();
    large.publish(1, 'x'.repeat(101));
    expect(large.outbound.queueFault).toMatchObject({ kind: 'full' });
  });
});

describe('a lost connection', () => {
  test('[MQTT-4.4.0-1] [MQTT-4.6.0-1] a resumed session repeats, with old identifiers, in the old order', () => {
    const it = bench();
    it.accept(false);
    for (const [qos, text] of [
      [1, 'one'],
      [2, 'two'],
      [2, 'three'],
      [1, 'four'],
    ] as const)
      it.publish(qos, text);
    it.outbound.receive(ack('pubrec', 3));
    it.outbound.receive(ack('pubrec', 2));
    it.texts();
    it.isConnected = false;
    it.publish(1, 'five');
    expect(it.texts()).toEqual([]);
    it.accept(true);
    expect(it.texts()).toEqual(['pubrel 3', 'pubrel 2', 'a one 1 dup', 'a four 4 dup', 'a five 5']);
  });

  test('[MQTT-3.2.2-4] a forgotten session begins anew: what was not acknowledged is a new message', () => {
    const it = bench();
    it.accept(false);
    const one = it.publish(1, 'one');
    const two = it.publish(2, 'two');
    it.outbound.receive(ack('pubrec', 2));
    it.texts();
    it.isConnected = false;
    it.accept(false);
    expect(two.outcome).toEqual({ reasonCode: 0 }); // the broker had it
    expect(it.texts()).toEqual(['a one 3']);
    it.outbound.receive(ack('puback', 3));
    expect(one.outcome).toEqual({ reasonCode: 0 });
  });

  test('the end of the client ends every exchange', async () => {
    const it = bench();
    it.accept(false);
    const under = it.publish(1, 'one');
    const idle = it.outbound.idle();
    it.outbound.clear({ kind: 'closed' } as ClientError);
    expect(under.error).toMatchObject({ kind: 'closed' });
    await idle;
  });
});

describe('acknowledgements', () => {
  test('of another QoS break the protocol', () => {
    const it = bench();
    it.accept(false);
    it.publish(1, 'one');
    it.publish(2, 'two');
    expect(() => it.outbound.receive(ack('pubrec', 1))).toThrow('PUBREC for a PUBLISH of QoS 1');
    expect(() => it.outbound.receive(ack('puback', 2))).toThrow('PUBACK for a PUBLISH of QoS 2');
  });

  test('that nobody waits for: PUBACK and PUBCOMP are ignored, PUBREC is answered', () => {
    const it = bench();
    it.accept(false);
    it.outbound.receive(ack('puback', 9));
    it.outbound.receive(ack('pubcomp', 9));
    expect(it.sent).toEqual([]);
    it.outbound.receive(ack('pubrec', 9));
    expect(it.sent).toEqual([{ type: 'pubrel', packetId: 9, reasonCode: 0x92, properties: {} }]);
  });

  test('[MQTT-4.3.3-4] a repeated PUBREC is answered by PUBREL again', () => {
    const it = bench();
    it.accept(false);
    it.publish(2, 'two');
    it.outbound.receive(ack('pubrec', 1));
    it.outbound.receive(ack('pubrec', 1));
    expect(it.texts()).toEqual(['a two 1', 'pubrel 1', 'pubrel 1']);
    expect(it.sent.every((packet) => !('reasonCode' in packet) || packet.reasonCode === 0)).toBe(true);
  });
});

describe('Topic Aliases', () => {
  test('that the program chose: the topic once, then the alias alone; the topic again on the next connection', () => {
    const it = bench();
    it.accept(false, { topicAliasMaximum: 10 });
    it.publish(0, 'one', { topicAlias: 4 });
    it.publish(0, 'two', { topicAlias: 4 });
    it.isConnected = false;
    it.accept(false, { topicAliasMaximum: 10 });
    it.publish(0, 'three', { topicAlias: 4 });
    expect(it.texts()).toEqual(['a one 0', ' two 0', 'a three 0']);
  });

  test('[MQTT-3.2.2-17] [MQTT-3.2.2-18] above the broker’s maximum are left out', () => {
    const it = bench();
    it.accept(false, { topicAliasMaximum: 3 });
    it.publish(0, 'one', { topicAlias: 4, contentType: 'c' });
    expect(it.sent).toMatchObject([{ topic: 'a', properties: { contentType: 'c' } }]);
    expect(it.sent[0]).not.toHaveProperty('properties.topicAlias');
  });

  test('that the client assigns: first come, first served', () => {
    const it = bench(5, { topicAliases: 1 });
    it.accept(false, { topicAliasMaximum: 10 });
    it.publish(0, 'one');
    it.publish(0, 'two');
    expect(it.sent).toMatchObject([
      { topic: 'a', properties: { topicAlias: 1 } },
      { topic: '', properties: { topicAlias: 1 } },
    ]);
  });

  test('a repeated message carries its topic', () => {
    const it = bench(5, { topicAliases: 1 });
    it.accept(false, { topicAliasMaximum: 10 });
    it.publish(1, 'one');
    it.publish(1, 'two');
    it.texts();
    it.isConnected = false;
    it.accept(true, { topicAliasMaximum: 0 });
    expect(it.texts()).toEqual(['a one 1 dup', 'a two 2 dup']);
  });
});
