/**
 * Room 7: one delivery → bytes.
 *
 * The frame of a message is encoded once per layout (protocol family × has a Packet Identifier) and turn. QoS 0 receivers of
 * the same layout share one range of the arena, which is a plain copy of what was received when publisher and receiver speak
 * the same protocol family; QoS 1 and 2 receivers get a copy with their identifier patched in. What only this receiver gets (Topic Alias, Subscription Identifiers, a topic without mount point) is encoded for it alone.
 */
import { logLines } from '../broker/log-lines.ts';
import type { ProtocolVersion } from '../codec/packet.ts';
import { publishFirstByte } from '../codec/publish.ts';
import { copyBytes, packetIdOffset, publishFrameSize, TopicForm, writePublishFrame } from '../codec/publish-frame.ts';
import { PACKET_SIZE_MAX } from '../codec/stream-decoder.ts';
import type { Message } from '../contracts/message.ts';
import type { Hub } from './hub.ts';
import type { OtherNames } from './other-names.ts';
import type { Outbox } from './outbound.ts';
import type { OutboundAliases } from './outbound-aliases.ts';
import type { Outward } from './outward.ts';

/** In the first byte of a PUBLISH. */
const retainFlag = 0x01;

/** What room 7 needs to know of a connection. */
export interface Receiver {
  readonly hub: Hub;
  readonly outbox: Outbox;
  readonly version: ProtocolVersion;
  /** Bytes of the largest packet the client takes. */
  readonly maximumPacketSize: number;
  readonly aliases: OutboundAliases | null;
  readonly otherNames: OtherNames | null;
  readonly outward: Pick<Outward, 'mayRetain'> | null;
  readonly clientId: string;
}

/** Sends a PUBLISH; see `Outlet.sendPublish`. */
export function sendPublish(
  receiver: Receiver,
  message: Message,
  qos: 0 | 1 | 2,
  retain: boolean,
  dup: boolean,
  packetId: number,
  subscriptionIds: readonly number[] | null,
): boolean {
  const ids = receiver.version === 5 ? subscriptionIds : null;
  const firstByte = publishFirstByte(qos, retain, dup);
  const isShared = ids === null && receiver.aliases === null && receiver.otherNames === null;
  const bytes = isShared
    ? sendShared(receiver, message, firstByte, packetId)
    : sendOwn(receiver, message, firstByte, packetId, ids);
  const { hub } = receiver;
  if (bytes > receiver.maximumPacketSize) {
    // Dropped for this receiver, and for the sender's view it is done. [MQTT-3.1.2-24] [MQTT-3.1.2-25]
    hub.engine.logger.log('notice', logLines.tooLargeOutgoing(receiver.clientId, bytes));
    return false;
  }
  if (qos === 1) receiver.outbox.markQuestion();
  const { stats } = hub.engine;
  stats.publishSent++;
  const payloadBytes = message.payloadEnd - message.payloadStart;
  stats.publishBytesSent += payloadBytes;
  if (qos === 1) {
    stats.publishSentQos1++;
    stats.publishBytesSentQos1 += payloadBytes;
  } else if (qos === 2) {
    stats.publishSentQos2++;
    stats.publishBytesSentQos2 += payloadBytes;
  }
  if (hub.isTracing) {
    const line = {
      isDuplicate: dup,
      qos,
      isRetained: retain,
      packetId,
      topicName: message.topic.name,
      payloadBytes: message.payloadLength,
    };
    hub.engine.logger.log('debug', logLines.sendingPublish(receiver.clientId, line));
  }
  return true;
}

/** @returns bytes of the frame; above the receiver's maximum nothing was sent */
function sendShared(receiver: Receiver, message: Message, firstByte: number, packetId: number): number {
  const { hub, version } = receiver;
  const { frames, outbound } = hub;
  if (frames.message !== message || frames.serial !== message.serial || frames.epoch !== outbound.epoch) {
    frames.message = message;
    frames.serial = message.serial;
    frames.epoch = outbound.epoch;
    frames.starts.fill(-1);
  }
  const layout = (version === 5 ? 1 : 0) + (packetId === 0 ? 0 : 2);
  let start = frames.starts[layout] as number;
  let end: number;
  if (start < 0 || (packetId === 0 && frames.firstBytes[layout] !== firstByte)) {
    const isWhole =
      packetId === 0 &&
      message.frameStart >= 0 &&
      message.frameFamily === layout &&
      message.payloadSource[message.frameStart] === firstByte;
    const size = isWhole
      ? message.payloadEnd - message.frameStart
      : publishFrameSize(message, version, packetId !== 0, TopicForm.name, null);
    if (size > receiver.maximumPacketSize) return size;
    start = outbound.reserve(size);
    end = start + size;
    if (isWhole) {
      copyBytes(outbound.arena, start, message.payloadSource, message.frameStart, message.payloadEnd);
    } else {
      writePublishFrame(
        outbound.arena,
        start,
        message,
        version,
        firstByte,
        packetId,
        remainingSeconds(message, hub.engine.nowMs),
        TopicForm.name,
        0,
        null,
      );
    }
    if (frames.epoch === outbound.epoch) {
      frames.starts[layout] = start;
      frames.ends[layout] = end;
      frames.firstBytes[layout] = firstByte;
    }
    receiver.outbox.add(start, end, 1);
    return size;
  }
  end = frames.ends[layout] as number;
  const size = end - start;
  if (size > receiver.maximumPacketSize) return size;
  if (packetId === 0) {
    receiver.outbox.add(start, end, 1);
    return size;
  }
  const from = start;
  start = outbound.reserve(size);
  // `reserve` may have begun a new arena: then the old frame is gone and has to be written again.
  if (frames.epoch !== outbound.epoch) {
    outbound.position = start;
    return sendShared(receiver, message, firstByte, packetId);
  }
  const { arena } = outbound;
  arena.copyWithin(start, from, end);
  arena[start] = firstByte;
  const idOffset = packetIdOffset(arena, start);
  arena[idOffset] = packetId >>> 8;
  arena[idOffset + 1] = packetId;
  receiver.outbox.add(start, start + size, 1);
  return size;
}

/** A frame for this receiver alone. */
function sendOwn(
  receiver: Receiver,
  message: Message,
  firstByte: number,
  packetId: number,
  ids: readonly number[] | null,
): number {
  const { hub, version, aliases } = receiver;
  const content = receiver.otherNames === null ? message : receiver.otherNames.contentOut(message);
  if (content === null) return PACKET_SIZE_MAX + 1;
  let form: TopicForm = TopicForm.name;
  let alias = 0;
  if (aliases !== null) {
    alias = aliases.find(message.topic.name);
    if (alias > 0) {
      form = TopicForm.alias;
    } else {
      alias = aliases.next;
      if (alias > 0) form = TopicForm.nameAndAlias;
    }
  }
  let size = publishFrameSize(content, version, packetId !== 0, form, ids);
  if (size > receiver.maximumPacketSize && form !== TopicForm.name) {
    // Without the three bytes of the alias it may fit.
    form = TopicForm.name;
    size = publishFrameSize(content, version, packetId !== 0, form, ids);
  }
  if (size > receiver.maximumPacketSize) return size;
  const { outbound } = hub;
  const start = outbound.reserve(size);
  const seconds = remainingSeconds(message, hub.engine.nowMs);
  const end = writePublishFrame(
    outbound.arena,
    start,
    content,
    version,
    receiver.outward?.mayRetain === false ? firstByte & ~retainFlag : firstByte,
    packetId,
    seconds,
    form,
    alias,
    ids,
  );
  receiver.outbox.add(start, end, 1);
  // The client knows the alias from this packet on, so it is only taken now that the packet is on its way.
  if (form === TopicForm.nameAndAlias) aliases?.add(message.topic.name);
  return size;
}

/** Whole seconds the message still lives, 1 and more while it does; −1 without an expiry. [MQTT-3.3.2-6] */
function remainingSeconds(message: Message, nowMs: number): number {
  if (message.expiryOffset < 0) return -1;
  return Math.max(0, Math.ceil((message.expiresAtMs - nowMs) / 1000));
}
