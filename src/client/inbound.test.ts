import { describe, expect, test } from 'vitest';
import type { AckPacket, ProtocolVersion, PublishPacket, QoS } from '../codec/packet.ts';
import { Inbound } from './inbound.ts';

interface Bench {
  readonly inbound: Inbound;
  /** Acknowledgements and messages in their order. */
  readonly events: string[];
}

function bench(plan: { version?: ProtocolVersion; isManual?: boolean; receiveMaximum?: number } = {}): Bench {
  const events: string[] = [];
  const inbound = new Inbound({
    version: plan.version ?? 5,
    topicAliasMaximum: 2,
    receiveMaximum: plan.receiveMaximum ?? 20,
    isManual: plan.isManual ?? false,
    send: ({ type, packetId, reasonCode }: AckPacket) =>
      void events.push(`${type} ${packetId}${reasonCode === 0 ? '' : ` ${reasonCode.toString(16)}`}`),
    deliver: (message) => {
      events.push(`${message.topic}=${message.payload.toString()}`);
      return true;
    },
  });
  inbound.accepted(false);
  return { inbound, events };
}

function message(qos: QoS, packetId: number, text = 'x', changes: Partial<PublishPacket> = {}): PublishPacket {
  return {
    type: 'publish',
    topic: 'a',
    payload: Buffer.from(text),
    qos,
    retain: false,
    dup: false,
    packetId,
    properties: {},
    ...changes,
  };
}

describe('exactly once', () => {
  test('[MQTT-4.3.3-10] repeats before PUBREL are answered and not handed on', () => {
    const { inbound, events } = bench();
    inbound.receivePublish(message(2, 7, 'first'));
    inbound.receivePublish(message(2, 7, 'again', { dup: true }));
    inbound.receivePubrel(7);
    expect(events).toEqual(['pubrec 7', 'pubrec 7', 'pubcomp 7', 'a=first']);
  });

  test('[MQTT-4.3.3-12] after PUBCOMP the identifier is a new message', () => {
    const { inbound, events } = bench();
    inbound.receivePublish(message(2, 7, 'first'));
    inbound.receivePubrel(7);
    inbound.receivePublish(message(2, 7, 'second'));
    inbound.receivePubrel(7);
    expect(events.filter((event) => event.startsWith('a='))).toEqual(['a=first', 'a=second']);
  });

  test('[MQTT-4.3.3-11] PUBREL of an unknown identifier is answered, in MQTT 5.0 with 0x92', () => {
    const five = bench();
    five.inbound.receivePubrel(9);
    expect(five.events).toEqual(['pubcomp 9 92']);
    const four = bench({ version: 4 });
    four.inbound.receivePubrel(9);
    expect(four.events).toEqual(['pubcomp 9']);
  });

  test('a resumed session remembers what was not released, a new one does not', () => {
    const { inbound, events } = bench();
    inbound.receivePublish(message(2, 7, 'first'));
    inbound.lost();
    inbound.accepted(true);
    inbound.receivePubrel(7);
    inbound.receivePublish(message(2, 8, 'second'));
    inbound.lost();
    inbound.accepted(false);
    inbound.receivePubrel(8);
    expect(events).toEqual(['pubrec 7', 'pubcomp 7', 'a=first', 'pubrec 8', 'pubcomp 8 92']);
  });

  test('more than our Receive Maximum at once break the protocol', () => {
    const { inbound } = bench({ receiveMaximum: 1 });
    inbound.receivePublish(message(2, 1));
    expect(() => inbound.receivePublish(message(2, 2))).toThrow('Receive Maximum exceeded');
  });
});

describe('acknowledgements by the program', () => {
  test('leave in the order of the messages, whatever the order of the calls', () => {
    const { inbound, events } = bench({ isManual: true });
    const [one, two, three] = [message(1, 1, 'one'), message(2, 2, 'two'), message(1, 3, 'three')];
    inbound.receivePublish(one);
    inbound.receivePublish(two);
    inbound.receivePubrel(2);
    inbound.receivePublish(three);
    expect(events).toEqual(['a=one', 'pubrec 2', 'a=two', 'a=three']);
    inbound.acknowledge(three);
    inbound.acknowledge(two);
    expect(events.slice(4)).toEqual([]);
    inbound.acknowledge(one);
    expect(events.slice(4)).toEqual(['puback 1', 'pubcomp 2', 'puback 3']);
  });

  test('of an earlier connection are not sent', () => {
    const { inbound, events } = bench({ isManual: true });
    const one = message(1, 1);
    inbound.receivePublish(one);
    inbound.lost();
    inbound.accepted(true);
    inbound.acknowledge(one);
    expect(events).toEqual(['a=x']);
  });
});

describe('Topic Aliases', () => {
  const aliased = (topic: string, topicAlias: number) => message(0, 0, 'x', { topic, properties: { topicAlias } });

  test('[MQTT-3.3.2-10] are set, used and set anew', () => {
    const { inbound, events } = bench();
    for (const [topic, alias] of [
      ['a', 1],
      ['b', 2],
      ['', 1],
      ['c', 1],
      ['', 1],
    ] as const) {
      inbound.receivePublish(aliased(topic, alias));
    }
    expect(events).toEqual(['a=x', 'b=x', 'a=x', 'c=x', 'c=x']);
  });

  test('above our maximum, or never set, break the protocol', () => {
    const { inbound } = bench();
    expect(() => inbound.receivePublish(aliased('a', 3))).toThrow('Topic Alias 3 out of range');
    expect(() => inbound.receivePublish(aliased('', 1))).toThrow('Topic Alias 1 was never set');
  });

  test('[MQTT-3.3.2-7] die with the connection', () => {
    const { inbound } = bench();
    inbound.receivePublish(aliased('a', 1));
    inbound.lost();
    inbound.accepted(true);
    expect(() => inbound.receivePublish(aliased('', 1))).toThrow('was never set');
  });
});
