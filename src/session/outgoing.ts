/**
 * The QoS 1 and QoS 2 deliveries of a Session, in flight and waiting, in one ring.
 *
 * Deliveries are numbered as they are accepted; those before `#sendAt` were sent, the rest waits. The Packet Identifier
 * follows from the number (`packetIdOf`), so an acknowledgement finds its slot by arithmetic: no map, no object per delivery,
 * about 7 ns to put and acknowledge. The ring is made with the first delivery, doubles while it is too small and is let go
 * when it is empty again.
 */
import type { Message } from '../contracts/message.ts';
import { packetIdOf } from '../contracts/store.ts';

export const Step = { none: 0, queued: 1, awaitingPuback: 2, awaitingPubrec: 3, awaitingPubcomp: 4 } as const;
export type Step = (typeof Step)[keyof typeof Step];

const retainBit = 0x04;
const dupBit = 0x08;
const qosBits = 0x03;
const smallestRing = 16;
/** An empty ring above this size is given back. */
const keptRing = 1024;

export class Outgoing {
  #messages: (Message | null)[] = [];
  #steps = new Uint8Array(0);
  #flags = new Uint8Array(0);
  #subscriptionIds: (readonly number[] | null)[] | null = null;
  #mask = -1;
  /** Oldest delivery that is not done. */
  #first: number;
  /** Next delivery to be sent. */
  #sendAt: number;
  /** Number of the next delivery to be accepted. */
  #end: number;
  #inFlight = 0;
  #inFlightBytes = 0;
  #queued = 0;
  #queuedBytes = 0;
  /** Deliveries under way that the present connection has not sent yet, and the first that may be one. */
  #heldBack = 0;
  #resendAt = 0;
  /** Of the deliveries that were under way when the present connection began, the next it has not looked at, and their end. */
  #resumeAt = 0;
  #resumeEnd = 0;

  /** @param lastSequence - number of the session's last delivery in an earlier life, 0 = none */
  constructor(lastSequence = 0) {
    this.#first = this.#sendAt = this.#end = lastSequence + 1;
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Payload bytes of deliveries under way that are held for redelivery. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Deliveries that wait to be sent, and their payload bytes. */
  get queued(): number {
    return this.#queued;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Deliveries under way whose PUBLISH has to be sent again, which the present connection has not done yet. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** Whether nothing waits that has to leave before what is accepted now. */
  get isCaughtUp(): boolean {
    return this.#queued === 0 && this.#heldBack === 0;
  }

  /** Whether the present connection has not looked at everything that was under way when it began. */
  get isResuming(): boolean {
    return Math.max(this.#resumeAt, this.#first) < this.#resumeEnd;
  }

  get lastSequence(): number {
    return this.#end - 1;
  }

  get isEmpty(): boolean {
    return this.#first === this.#end;
  }

  /** Whether another delivery may be started: identifiers in flight must stay distinct. */
  get hasPacketId(): boolean {
    return this.#sendAt - this.#first < 65_534;
  }

  /** Sequence number of the oldest delivery that is not done, and of the first that does not exist. */
  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  get sendAt(): number {
    return this.#sendAt;
  }

  /**
   * Accepts a delivery that is sent at once; nothing may be waiting.
   *
   * @param message - null when it need not be sent a second time
   * @returns its sequence number
   */
  pushSent(message: Message | null, qos: 1 | 2, retain: boolean, ids: readonly number[] | null): number {
    const sequence = this.#put(message, qos, retain, ids, qos === 1 ? Step.awaitingPuback : Step.awaitingPubrec);
    this.#sendAt = this.#end;
    this.#inFlight++;
    if (message !== null) this.#inFlightBytes += message.payloadLength;
    return sequence;
  }

  /** Accepts a delivery that waits; returns its sequence number. */
  pushQueued(message: Message, qos: 1 | 2, retain: boolean, ids: readonly number[] | null): number {
    const sequence = this.#put(message, qos, retain, ids, Step.queued);
    this.#queued++;
    this.#queuedBytes += message.payloadLength;
    return sequence;
  }

  /**
   * Takes a Packet Identifier for something that is no delivery, such as a SUBSCRIBE.
   *
   * It is not given out again before all others were.
   */
  reservePacketId(): number {
    let sequence = this.#put(null, 1, false, null, Step.none);
    // Where more waits than there are identifiers, the one at the end may be under way at the front.
    while (this.find(packetIdOf(sequence)) !== 0) sequence = this.#put(null, 1, false, null, Step.none);
    this.#moveFirst();
    this.#skipHoles();
    return packetIdOf(sequence);
  }

  /** Lowers the QoS of what waits from 2 to 1: its receiver takes no more. */
  lowerQueuedQos(): void {
    for (let sequence = this.#sendAt; sequence < this.#end; sequence++) {
      const slot = sequence & this.#mask;
      if (this.#steps[slot] !== Step.queued) continue;
      this.#flags[slot] = ((this.#flags[slot] as number) & ~qosBits) | 1;
    }
  }

  /** Puts back a delivery of an earlier life; they come in ascending order and leave holes where others are done. */
  restore(
    sequence: number,
    message: Message | null,
    qos: 1 | 2,
    retain: boolean,
    ids: readonly number[] | null,
    step: Step,
  ): void {
    if (this.isEmpty) this.#first = this.#sendAt = this.#end = sequence;
    while (this.#end < sequence) this.#put(null, 1, false, null, Step.none);
    this.#put(message, qos, retain, ids, step);
    const bytes = message?.payloadLength ?? 0;
    if (step === Step.queued) {
      this.#queued++;
      this.#queuedBytes += bytes;
      this.#skipHoles();
    } else {
      this.#sendAt = this.#end;
      this.#inFlight++;
      this.#inFlightBytes += bytes;
      this.#flags[sequence & this.#mask] = (this.#flags[sequence & this.#mask] as number) | dupBit;
    }
  }

  /** After restoring: nothing that is still to come has this number or a smaller one. */
  restoreLastSequence(lastSequence: number): void {
    if (this.isEmpty) {
      if (this.#end <= lastSequence) this.#first = this.#sendAt = this.#end = lastSequence + 1;
      return;
    }
    while (this.#end <= lastSequence) this.#put(null, 1, false, null, Step.none);
    this.#skipHoles();
  }

  /** The delivery under way that has this Packet Identifier, 0 when there is none. */
  find(packetId: number): number {
    const offset = (packetId - packetIdOf(this.#first) + 65_535) % 65_535;
    const sequence = this.#first + offset;
    if (packetId === 0 || sequence >= this.#sendAt) return 0;
    return this.#steps[sequence & this.#mask] === Step.none ? 0 : sequence;
  }

  step(sequence: number): Step {
    return this.#steps[sequence & this.#mask] as Step;
  }

  message(sequence: number): Message | null {
    return this.#messages[sequence & this.#mask] as Message | null;
  }

  qos(sequence: number): 1 | 2 {
    return ((this.#flags[sequence & this.#mask] as number) & qosBits) as 1 | 2;
  }

  retain(sequence: number): boolean {
    return ((this.#flags[sequence & this.#mask] as number) & retainBit) !== 0;
  }

  /** Whether the PUBLISH may have been sent before. */
  dup(sequence: number): boolean {
    return ((this.#flags[sequence & this.#mask] as number) & dupBit) !== 0;
  }

  subscriptionIds(sequence: number): readonly number[] | null {
    return this.#subscriptionIds?.[sequence & this.#mask] ?? null;
  }

  /** The first waiting delivery goes under way. */
  sent(): void {
    const slot = this.#sendAt & this.#mask;
    const bytes = (this.#messages[slot] as Message).payloadLength; // what waits has its message
    this.#steps[slot] = ((this.#flags[slot] as number) & qosBits) === 1 ? Step.awaitingPuback : Step.awaitingPubrec;
    this.#sendAt++;
    this.#queued--;
    this.#queuedBytes -= bytes;
    this.#inFlight++;
    this.#inFlightBytes += bytes;
    this.#skipHoles();
  }

  /** Marks every delivery under way as sent before: its connection is gone. */
  interrupted(): void {
    this.#heldBack = 0;
    this.#resumeEnd = 0;
    for (let sequence = this.#first; sequence < this.#sendAt; sequence++) {
      const slot = sequence & this.#mask;
      if (this.#steps[slot] !== Step.none) this.#flags[slot] = (this.#flags[slot] as number) | dupBit;
    }
  }

  /** A new connection begins: every PUBLISH under way has to be sent again. */
  holdBack(): void {
    this.#resendAt = this.#resumeAt = this.#first;
    this.#resumeEnd = this.#sendAt;
    this.#heldBack = 0;
    for (let sequence = this.#first; sequence < this.#sendAt; sequence++) {
      if (this.#awaitsAnswer(sequence & this.#mask)) this.#heldBack++;
    }
  }

  /** The next delivery that was under way when the connection began; only while it {@link isResuming}. */
  resumeNext(): number {
    const sequence = Math.max(this.#resumeAt, this.#first);
    this.#resumeAt = sequence + 1;
    return sequence;
  }

  /** The oldest PUBLISH held back; there has to be one. */
  firstHeldBack(): number {
    let sequence = Math.max(this.#resendAt, this.#first);
    while (!this.#awaitsAnswer(sequence & this.#mask)) sequence++;
    this.#resendAt = sequence;
    return sequence;
  }

  /** Whether the PUBLISH is one of those held back. */
  #isHeldBack(sequence: number): boolean {
    return this.#heldBack > 0 && sequence >= this.#resendAt && this.#awaitsAnswer(sequence & this.#mask);
  }

  /** The first of those held back is sent again. */
  sentAgain(sequence: number): void {
    this.#heldBack--;
    this.#resendAt = sequence + 1;
  }

  /** PUBREC came: the message is the receiver's, only PUBREL and PUBCOMP are left. Returns the message. */
  released(sequence: number): Message | null {
    const slot = sequence & this.#mask;
    if (this.#isHeldBack(sequence)) this.#heldBack--;
    const message = this.#messages[slot] as Message | null;
    this.#steps[slot] = Step.awaitingPubcomp;
    this.#messages[slot] = null;
    this.#inFlightBytes -= message?.payloadLength ?? 0;
    return message;
  }

  /** The delivery is done, whatever it was waiting for. Returns the message it held. */
  remove(sequence: number): Message | null {
    const slot = sequence & this.#mask;
    const message = this.#messages[slot] as Message | null;
    const bytes = message?.payloadLength ?? 0;
    if (this.#steps[slot] === Step.queued) {
      this.#queued--;
      this.#queuedBytes -= bytes;
    } else {
      if (this.#isHeldBack(sequence)) this.#heldBack--;
      this.#inFlight--;
      this.#inFlightBytes -= bytes;
    }
    this.#steps[slot] = Step.none;
    this.#messages[slot] = null;
    if (this.#subscriptionIds !== null) this.#subscriptionIds[slot] = null;
    if (sequence === this.#first) this.#moveFirst();
    this.#skipHoles();
    return message;
  }

  #awaitsAnswer(slot: number): boolean {
    const step = this.#steps[slot];
    return step === Step.awaitingPuback || step === Step.awaitingPubrec;
  }

  #moveFirst(): void {
    while (this.#first < this.#end && this.#steps[this.#first & this.#mask] === Step.none) this.#first++;
    if (this.#sendAt < this.#first) this.#sendAt = this.#first;
    if (this.#first === this.#end && this.#mask >= keptRing) this.#resize(0);
  }

  /** Waiting deliveries that were given up leave holes; the next to be sent is a real one. */
  #skipHoles(): void {
    while (this.#sendAt < this.#end && this.#steps[this.#sendAt & this.#mask] === Step.none) this.#sendAt++;
  }

  #put(message: Message | null, qos: 1 | 2, retain: boolean, ids: readonly number[] | null, step: Step): number {
    const sequence = this.#end;
    if (sequence - this.#first > this.#mask) this.#resize(Math.max(smallestRing, (this.#mask + 1) * 2));
    const slot = sequence & this.#mask;
    this.#messages[slot] = message;
    this.#steps[slot] = step;
    this.#flags[slot] = qos | (retain ? retainBit : 0);
    if (ids !== null) {
      this.#subscriptionIds ??= new Array<readonly number[] | null>(this.#mask + 1).fill(null);
      this.#subscriptionIds[slot] = ids;
    }
    this.#end = sequence + 1;
    return sequence;
  }

  #resize(size: number): void {
    const mask = size - 1;
    const messages = new Array<Message | null>(size).fill(null);
    const steps = new Uint8Array(size);
    const flags = new Uint8Array(size);
    const previousIds = this.#subscriptionIds;
    const ids = previousIds === null || size === 0 ? null : new Array<readonly number[] | null>(size).fill(null);
    for (let sequence = this.#first; sequence < this.#end; sequence++) {
      const from = sequence & this.#mask;
      const to = sequence & mask;
      messages[to] = this.#messages[from] as Message | null;
      steps[to] = this.#steps[from] as number;
      flags[to] = this.#flags[from] as number;
      if (ids !== null && previousIds !== null) ids[to] = previousIds[from] as readonly number[] | null;
    }
    this.#messages = messages;
    this.#steps = steps;
    this.#flags = flags;
    this.#subscriptionIds = ids;
    this.#mask = mask;
  }
}
