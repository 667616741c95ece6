/** SUBSCRIBE and UNSUBSCRIBE that wait for their answer. */
import type { Packet, ProtocolVersion } from '../codec/packet.ts';
import type { Properties } from '../codec/property-table.ts';
import { ProtocolError } from '../codec/protocol-error.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { ClientError } from './client-error.ts';
import type { PacketIds } from './packet-ids.ts';

/** What SUBACK or UNSUBACK said, one code per filter (none in an UNSUBACK of MQTT 3.x). */
export interface SubscribeOutcome {
  readonly packetId: number;
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** One of them. */
export interface Request {
  readonly kind: 'subscribe' | 'unsubscribe';
  /** Filters in it. */
  readonly count: number;
  resolve(outcome: SubscribeOutcome): void;
  reject(error: ClientError): void;
}

export class Requests {
  readonly #version: ProtocolVersion;
  readonly #ids: PacketIds;
  readonly #send: (packet: Packet) => ClientError | undefined;
  /** Packet Identifier → request; bounded by the number of identifiers. */
  readonly #waiting = new Map<number, Request>();

  constructor(version: ProtocolVersion, ids: PacketIds, send: (packet: Packet) => ClientError | undefined) {
    this.#version = version;
    this.#ids = ids;
    this.#send = send;
  }

  start(request: Request, packetOf: (packetId: number) => Packet): void {
    const packetId = this.#ids.take();
    if (packetId === undefined) {
      request.reject(new ClientError('full', 'all Packet Identifiers are in use'));
      return;
    }
    const fault = this.#send(packetOf(packetId));
    if (fault === undefined) {
      this.#waiting.set(packetId, request);
      return;
    }
    this.#ids.free(packetId);
    request.reject(fault);
  }

  /** @throws ProtocolError - nobody asked, or not for so many filters [MQTT-3.8.4-6] */
  receive(kind: Request['kind'], outcome: SubscribeOutcome): void {
    const { packetId, reasonCodes } = outcome;
    const request = this.#waiting.get(packetId);
    const name = kind === 'subscribe' ? 'SUBACK' : 'UNSUBACK';
    if (request === undefined || request.kind !== kind) throw violation(`${name} that nobody asked for`);
    const hasCodes = kind === 'subscribe' || this.#version === 5;
    if (hasCodes && reasonCodes.length !== request.count) {
      throw violation(`${name} has ${reasonCodes.length} codes for ${request.count} filters`);
    }
    this.#waiting.delete(packetId);
    this.#ids.free(packetId);
    request.resolve(outcome);
  }

  /** The connection is lost, and with it the answers. */
  lost(error: ClientError): void {
    for (const [packetId, request] of this.#waiting) {
      this.#ids.free(packetId);
      request.reject(error);
    }
    this.#waiting.clear();
  }
}

function violation(message: string): ProtocolError {
  return new ProtocolError(ReasonCode.ProtocolError, '§4.13.1', message);
}
