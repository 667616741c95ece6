/**
 * Streams of damaged packets through every decoder: whatever the bytes, only a ProtocolError may leave it, and what is
 * accepted must be a packet that survives being written and read again.
 *
 *     FUZZ_INPUTS=20000000 npx vitest run test/fuzz/codec-fuzz      more of them
 *     FUZZ_SEED=123 npx vitest run test/fuzz/codec-fuzz             the run with that seed again
 *     FUZZ_SEED=123 FUZZ_INPUT=4567 npx vitest run …                one input of it, alone
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePacket } from '../../src/codec/decode.ts';
import type { Side } from '../../src/codec/fixed-header.ts';
import type { Packet, ProtocolVersion } from '../../src/codec/packet.ts';
import { decodeForwardableSection } from '../../src/codec/property-section.ts';
import { ProtocolError } from '../../src/codec/protocol-error.ts';
import { PublishView, readPublish } from '../../src/codec/publish.ts';
import { returnCodeOf } from '../../src/codec/reason-code.ts';
import { type PacketSink, StreamDecoder } from '../../src/codec/stream-decoder.ts';
import { validateTopicNameBytes } from '../../src/codec/topic-name-bytes.ts';
import { corpus, encodedIn } from './codec-corpus.ts';
import { inputSeed, mutatedStream, Random } from './mutation.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 2_000_000);
const onlyInput = process.env['FUZZ_INPUT'];

const versions = [3, 4, 5, 5] as const; // 5.0 has most to get wrong
const samples = { 3: corpus(3), 4: corpus(4), 5: corpus(5) } as const;
const MAXIMUM_PACKET_SIZE = 2048;
const stackTraceLimit = Error.stackTraceLimit;

// Two million stack traces that nobody reads would be most of the work.
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** What an action threw: a ProtocolError, undefined when nothing; anything else is the bug that is looked for. */
function refusalOf(action: () => void): ProtocolError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

const view = new PublishView();
let accepted = 0;
let refused = 0;

/** Reads one packet as either side may have sent it. */
function tryPacket(
  random: Random,
  version: ProtocolVersion,
  firstByte: number,
  buf: Buffer,
  start: number,
  end: number,
): void {
  const isServers = [2, 9, 11, 13].includes(firstByte >> 4);
  const from: Side = isServers !== random.oneIn(8) ? 'server' : 'client';
  let packet: Packet | undefined;
  const refusal = refusalOf(() => {
    packet = decodePacket(firstByte, buf, start, end, version, from);
  });
  if (firstByte >> 4 === 3 && from === 'client') comparePublish(firstByte, buf, start, end, version, packet, refusal);
  if (packet === undefined) {
    refused++;
    return;
  }
  accepted++;
  if (random.oneIn(8)) checkRoundTrip(packet, version, from);
}

/** The two readers of PUBLISH must agree. */
function comparePublish(
  firstByte: number,
  buf: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
  packet: Packet | undefined,
  refusal: ProtocolError | undefined,
): void {
  const copy = Buffer.from(buf.subarray(start, end)); // reading in place may move properties
  const inPlace = refusalOf(() => {
    readPublish(firstByte, copy, 0, copy.length, version, view);
    if (view.topicStart !== view.topicEnd) validateTopicNameBytes(copy, view.topicStart, view.topicEnd);
  });
  assert.equal(inPlace === undefined, refusal === undefined, `${inPlace?.message} / ${refusal?.message}`);
  if (packet?.type !== 'publish') return;
  const { topicAlias = 0, ...forwardable } = packet.properties;
  assert.equal(copy.toString('utf8', view.topicStart, view.topicEnd), packet.topic);
  assert.equal(view.topicAlias, topicAlias);
  assert.equal(view.messageExpiryInterval, forwardable.messageExpiryInterval ?? -1);
  assert.equal(Buffer.compare(copy.subarray(view.payloadStart, view.payloadEnd), packet.payload), 0);
  assert.deepEqual(decodeForwardableSection(copy, view.propertiesStart, view.propertiesEnd), forwardable);
  if (view.expiryOffset >= 0) assert.equal(copy.readUInt32BE(view.expiryOffset), view.messageExpiryInterval);
}

/** Written and read again it must be the same packet; compared as bytes, because that is quick. */
function checkRoundTrip(packet: Packet, version: ProtocolVersion, from: Side): void {
  if (packet.type === 'connack' && version < 5 && returnCodeOf(packet.reasonCode) === undefined) return;
  const once = encodedIn(packet, version);
  assert(once !== undefined, 'what was read can be written');
  let again: Buffer | undefined;
  new StreamDecoder(2 * MAXIMUM_PACKET_SIZE, 'any').push(once, 0, once.length, {
    onPacket(firstByte, buf, start, end) {
      again = encodedIn(decodePacket(firstByte, buf, start, end, version, from), version);
      return true;
    },
  });
  assert(again !== undefined, 'what was written is a packet');
  assert.equal(Buffer.compare(once, again), 0, `${once.toString('hex')} became ${again.toString('hex')}`);
}

/** Packets and their bytes as one number, and the error at the end. */
class Outline implements PacketSink {
  hash = 0;
  count = 0;
  stopEvery = 0;
  onEach: ((firstByte: number, buf: Buffer, start: number, end: number) => void) | undefined;

  onPacket(firstByte: number, buf: Buffer, start: number, end: number): boolean {
    this.hash = (Math.imul(this.hash, 31) + firstByte) | 0;
    for (let at = start; at < end; at++) this.hash = (Math.imul(this.hash, 31) + (buf[at] as number)) | 0;
    this.count++;
    this.onEach?.(firstByte, buf, start, end);
    return this.stopEvery === 0 || this.count % this.stopEvery !== 0;
  }
}

/** One input: as one chunk, and in pieces with stops; both must find the same packets and the same error. */
function tryInput(index: number): void {
  const random = new Random(inputSeed(seed, index));
  const version = random.pick(versions);
  const stream = mutatedStream(random, samples[version]);
  const isStrict = random.oneIn(2);
  const maximumPacketSize = random.pick([30, 100, MAXIMUM_PACKET_SIZE]);
  const opening = random.oneIn(4) ? 'connect' : 'any';

  const whole = new Outline();
  whole.onEach = (firstByte, buf, start, end) => tryPacket(random, version, firstByte, buf, start, end);
  const decoder = new StreamDecoder(maximumPacketSize, opening);
  decoder.requireShortestLength = isStrict;
  const wholeRefusal = refusalOf(() => decoder.push(stream, 0, stream.length, whole));

  const split = new Outline();
  split.stopEvery = random.below(3);
  const second = new StreamDecoder(maximumPacketSize, opening);
  second.requireShortestLength = isStrict;
  const splitRefusal = refusalOf(() => {
    for (let at = 0; at < stream.length; ) {
      const next = Math.min(stream.length, at + 1 + random.below(random.oneIn(2) ? 4 : 64));
      second.push(stream, at, next, split);
      at = next;
      if (random.oneIn(2)) while (second.isStopped) second.resume(split);
    }
    while (second.isStopped) second.resume(split);
  });
  assert.equal(split.count, whole.count);
  assert.equal(split.hash, whole.hash);
  assert.equal(splitRefusal?.message, wholeRefusal?.message);
  assert.equal(second.heldBytes, decoder.heldBytes);
}

test(`only ProtocolError leaves the decoders (${onlyInput === undefined ? `${inputs} inputs` : `input ${onlyInput}`}, seed ${seed})`, {
  timeout: 600_000,
}, () => {
  const first = onlyInput === undefined ? 0 : Number(onlyInput);
  const end = onlyInput === undefined ? inputs : first + 1;
  for (let index = first; index < end; index++) {
    try {
      tryInput(index);
    } catch (error) {
      throw new Error(`replay with FUZZ_SEED=${seed} FUZZ_INPUT=${index}`, { cause: error });
    }
  }
  console.log(`codec fuzz: seed ${seed}, ${end - first} inputs, ${accepted} packets accepted, ${refused} refused`);
  if (onlyInput === undefined) {
    // A corpus or a mutation that no longer reaches the decoders would make this test blind.
    expect(accepted).toBeGreaterThan(inputs / 5);
    expect(refused).toBeGreaterThan(inputs / 5);
  }
});

test.each([3, 4, 5] as const)(
  'the undamaged corpus of version %d is accepted from one side or the other',
  (version) => {
    for (const sample of samples[version]) {
      const refusals = (['client', 'server'] as const).map((from) =>
        refusalOf(() => {
          new StreamDecoder(MAXIMUM_PACKET_SIZE, 'any').push(sample, 0, sample.length, {
            onPacket: (...packet) => decodePacket(...packet, version, from) !== undefined,
          });
        }),
      );
      expect(refusals, sample.toString('hex')).toContain(undefined);
    }
  },
);
