import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { decodePacket } from '../../src/codec/decode.ts';
import { encodePacket } from '../../src/codec/encode.ts';
import type { Packet, ProtocolVersion } from '../../src/codec/packet.ts';
import { decodeForwardableSection, encodeForwardableSection } from '../../src/codec/property-section.ts';
import { PublishView, readPublish } from '../../src/codec/publish.ts';
import { publishFrameSize, TopicForm, writePublishFrame } from '../../src/codec/publish-frame.ts';
import { StreamDecoder } from '../../src/codec/stream-decoder.ts';
import { packets, publish } from './packet-arbitraries.ts';

const sides = ['client', 'server'] as const;
const versions = [3, 4, 5] as const;
const RUNS = 1000;

// `assert` and not `expect`: it compares Buffers at the speed of memory.

/** Through the decoder of streams, as one chunk. */
function decodeAll(stream: Buffer, version: ProtocolVersion, from: 'client' | 'server'): Packet[] {
  const found: Packet[] = [];
  const decoder = new StreamDecoder(1_000_000, 'any');
  decoder.requireShortestLength = true;
  decoder.push(stream, 0, stream.length, {
    onPacket(firstByte, buf, start, end) {
      found.push(decodePacket(firstByte, buf, start, end, version, from));
      return true;
    },
  });
  return found;
}

describe.each(versions)('version %d', (version) => {
  for (const from of sides) {
    test(`decode ∘ encode is the identity on what a ${from} sends`, () => {
      for (const packet of packets(version, from)) {
        fc.assert(
          fc.property(packet, (original) => {
            const encoded = encodePacket(original, version);
            const [decoded, ...more] = decodeAll(encoded, version, from);
            assert.deepEqual(more, []);
            if (decoded?.type === 'connect' && decoded.will !== undefined) {
              // Reading adds what subscribers get of the Will's properties.
              const { rawProperties, properties } = decoded.will;
              assert.deepEqual(rawProperties, encodeForwardableSection(properties));
              assert.deepEqual({ ...decoded, will: { ...decoded.will, rawProperties: Buffer.alloc(0) } }, original);
            } else {
              assert.deepEqual(decoded, original);
            }
          }),
          { numRuns: RUNS },
        );
      }
    });
  }

  test('a PUBLISH read in place and written as a frame is the same message', () => {
    const view = new PublishView();
    fc.assert(
      fc.property(publish(version, 'client'), fc.boolean(), (original, withIdentifiers) => {
        const encoded = encodePacket(original, version);
        const bodyStart = encoded.length - bodyLength(encoded);
        readPublish(encoded[0] as number, encoded, bodyStart, encoded.length, version, view);
        const { topicAlias = 0, ...forwardable } = original.properties;
        assert.equal(view.topicAlias, topicAlias);
        assert.equal(view.messageExpiryInterval, forwardable.messageExpiryInterval ?? -1);
        assert.deepEqual(decodeForwardableSection(encoded, view.propertiesStart, view.propertiesEnd), forwardable);

        const content = {
          topic: { source: encoded, start: view.topicStart, length: view.topicEnd - view.topicStart },
          payloadSource: encoded,
          propertiesSource: encoded,
          ...view,
        };
        const identifiers = withIdentifiers && version === 5 ? [1, 268_435_455] : null;
        const form =
          topicAlias === 0 ? TopicForm.name : original.topic === '' ? TopicForm.alias : TopicForm.nameAndAlias;
        const size = publishFrameSize(content, version, original.qos > 0, form, identifiers);
        const frame = Buffer.alloc(size);
        const firstByte = encoded[0] as number;
        const end = writePublishFrame(
          frame,
          0,
          content,
          version,
          firstByte,
          original.packetId,
          view.messageExpiryInterval,
          form,
          topicAlias,
          identifiers,
        );
        assert.equal(end, size);
        const [decoded] = decodeAll(frame, version, 'server');
        const expected =
          identifiers === null ? original.properties : { ...original.properties, subscriptionIdentifiers: identifiers };
        assert.deepEqual(decoded, { ...original, properties: expected });
      }),
      { numRuns: 3 * RUNS },
    );
  });
});

function bodyLength(packet: Buffer): number {
  let length = 0;
  let shift = 0;
  for (let at = 1; ; at++, shift += 7) {
    const byte = packet[at] as number;
    length |= (byte & 127) << shift;
    if (byte < 128) return length;
  }
}
