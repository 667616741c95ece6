/**
 * Nanoseconds per packet of the codec's hot path: `npx tsx bench/micro/codec.ts [rounds]`.
 *
 * Each case runs a fixed number of times per round; the best and the median round are printed, because only the machine
 * can make a round slower.
 */

import { writeAck } from '../../src/codec/acks.ts';
import { decodePacket } from '../../src/codec/decode.ts';
import { encodePacket } from '../../src/codec/encode.ts';
import type { ProtocolVersion } from '../../src/codec/packet.ts';
import { PublishView, readPublish } from '../../src/codec/publish.ts';
import { publishFrameSize, TopicForm, writePublishFrame } from '../../src/codec/publish-frame.ts';
import { type PacketSink, StreamDecoder } from '../../src/codec/stream-decoder.ts';
import { validateTopicNameBytes } from '../../src/codec/topic-name-bytes.ts';
import { Topic } from '../../src/topics/topic.ts';

const ROUNDS = Number(process.argv[2] ?? 15);
const REPEATS = 1_000_000;
const TOPIC = 'maison/salon/temp1'; // 18 bytes
const view = new PublishView();

function publish(version: ProtocolVersion, properties: object, payloadLength: number): Buffer {
  return encodePacket(
    {
      type: 'publish',
      topic: TOPIC,
      payload: Buffer.alloc(payloadLength, 'x'),
      qos: 1,
      retain: false,
      dup: false,
      packetId: 7,
      properties,
    },
    version,
  );
}

/** A case: does `count` packets and returns something that depends on all of them. */
type Case = (count: number) => number;

function reading(version: ProtocolVersion, properties: object, payloadLength: number): Case {
  const packet = publish(version, properties, payloadLength);
  const start = payloadLength < 90 ? 2 : 3;
  return (count) => {
    let sum = 0;
    for (let index = 0; index < count; index++) {
      readPublish(packet[0] as number, packet, start, packet.length, version, view);
      sum += view.payloadStart;
    }
    return sum;
  };
}

function writing(
  version: ProtocolVersion,
  properties: Buffer,
  payloadLength: number,
  form: TopicForm = TopicForm.name,
): Case {
  const content = {
    topic: Topic.of(TOPIC),
    payloadSource: Buffer.alloc(payloadLength, 'x'),
    payloadStart: 0,
    payloadEnd: payloadLength,
    propertiesSource: properties,
    propertiesStart: 0,
    propertiesEnd: properties.length,
    expiryOffset: -1,
  };
  const arena = Buffer.allocUnsafe(1 << 20);
  const limit = arena.length - 2 * payloadLength - 200;
  return (count) => {
    let at = 0;
    for (let index = 0; index < count; index++) {
      if (at > limit) at = 0;
      at = writePublishFrame(arena, at, content, version, 0x32, (index & 0x7fff) + 1, -1, form, 5, null);
    }
    return at + publishFrameSize(content, version, true, form, null);
  };
}

function streaming(version: ProtocolVersion): Case {
  const packet = publish(version, {}, 16);
  const perChunk = Math.floor(65_536 / packet.length) + 1;
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => packet)).subarray(0, 65_536);
  return (count) => {
    const decoder = new StreamDecoder(2_000_000, 'any');
    let seen = 0;
    const sink: PacketSink = {
      onPacket(firstByte, buf, start, end) {
        readPublish(firstByte, buf, start, end, version, view);
        seen++;
        return true;
      },
    };
    while (seen < count) {
      decoder.push(chunk, 0, 65_536 - (65_536 % packet.length), sink);
    }
    return seen;
  };
}

const topicBytes = Buffer.from(TOPIC);
const userProperties = { userProperties: [['unit', 'celsius'] as const], messageExpiryInterval: 60 };
const noProperties = Buffer.alloc(0);
const userProperty = Buffer.concat([
  Buffer.from([0x26, 0, 4]),
  Buffer.from('unit'),
  Buffer.from([0, 7]),
  Buffer.from('celsius'),
]);

const cases: readonly [name: string, run: Case][] = [
  ['readPublish 3.1.1, 16 B', reading(4, {}, 16)],
  ['readPublish 5.0, no properties', reading(5, {}, 16)],
  ['readPublish 5.0, Topic Alias', reading(5, { topicAlias: 3 }, 16)],
  ['readPublish 5.0, expiry and User Property', reading(5, userProperties, 16)],
  ['StreamDecoder + readPublish 3.1.1', streaming(4)],
  ['StreamDecoder + readPublish 5.0', streaming(5)],
  [
    'validateTopicNameBytes, 18 B',
    (count) => {
      for (let index = 0; index < count; index++) validateTopicNameBytes(topicBytes, 0, topicBytes.length);
      return count;
    },
  ],
  ['writePublishFrame 3.1.1, 16 B', writing(4, noProperties, 16)],
  ['writePublishFrame 3.1.1, 64 B', writing(4, noProperties, 64)],
  ['writePublishFrame 3.1.1, 1 KB', writing(4, noProperties, 1024)],
  ['writePublishFrame 5.0, 16 B', writing(5, noProperties, 16)],
  ['writePublishFrame 5.0, alias only', writing(5, noProperties, 16, TopicForm.alias)],
  ['writePublishFrame 5.0, User Property', writing(5, userProperty, 16)],
  [
    'writeAck',
    (count) => {
      const arena = Buffer.allocUnsafe(4096);
      let at = 0;
      for (let index = 0; index < count; index++) {
        if (at > 4000) at = 0;
        at = writeAck(arena, at, 'puback', (index & 0x7fff) + 1, 0, 5);
      }
      return at;
    },
  ],
  [
    'decodePacket PUBLISH 3.1.1 (objects)',
    (count) => {
      const packet = publish(4, {}, 16);
      let sum = 0;
      for (let index = 0; index < count; index++) {
        if (decodePacket(0x32, packet, 2, packet.length, 4, 'server').type === 'publish') sum++;
      }
      return sum;
    },
  ],
];

const times = new Map<string, number[]>(cases.map(([name]) => [name, []]));
let guard = 0;
for (const [, run] of cases) guard += run(REPEATS / 10);
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of cases) {
    const start = process.hrtime.bigint();
    guard += run(REPEATS);
    times.get(name)?.push(Number(process.hrtime.bigint() - start) / REPEATS);
  }
}
console.log(`Node ${process.version}, ${ROUNDS} rounds of ${REPEATS} packets; ns per packet`);
for (const [name, all] of times) {
  all.sort((a, b) => a - b);
  const best = all[0] as number;
  const median = all[all.length >> 1] as number;
  console.log(`${name.padEnd(45)} best ${best.toFixed(1).padStart(7)}   median ${median.toFixed(1).padStart(7)}`);
}
if (Number.isNaN(guard)) process.exitCode = 1;
