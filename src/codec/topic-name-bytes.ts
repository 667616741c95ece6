import { ProtocolError } from './protocol-error.ts';
import { ReasonCode } from './reason-code.ts';
import { isValidUtf8 } from './utf8.ts';

/** Mosquitto: a Topic Name may have this many `/`; more than that costs tree nodes without use. */
export const TOPIC_SLASHES_MAX = 200;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/** What is wrong with a Topic Name. */
export interface TopicNameFault {
  readonly statement: string;
  readonly message: string;
}

/** The fault of `buf[start..end)` as a Topic Name of a PUBLISH or Will, undefined for a good one. */
export function topicNameFault(buf: Buffer, start: number, end: number): TopicNameFault | undefined {
  if (start === end) return { statement: 'MQTT-4.7.3-1', message: 'Topic Name is empty' };
  if (!isValidUtf8(buf, start, end)) {
    return { statement: 'MQTT-1.5.4-1', message: 'Topic Name is not a legal UTF-8 string' };
  }
  let slashes = 0;
  for (let at = start; at < end; at++) {
    const byte = buf[at];
    if (byte === SLASH) slashes++;
    else if (byte === PLUS || byte === HASH) return { statement: 'MQTT-3.3.2-2', message: 'Topic Name has a wildcard' };
  }
  if (slashes > TOPIC_SLASHES_MAX) {
    return { statement: 'MQTT-4.7.3-3', message: `Topic Name has more than ${TOPIC_SLASHES_MAX} slashes` };
  }
  return undefined;
}

/**
 * Refuses what may not be the Topic Name of a PUBLISH: empty, ill-formed, with wildcards or with more than 200 slashes.
 * Apart from `readPublish` because the route cache needs it once per topic, not once per message.
 *
 * @throws ProtocolError - 0x81 (Mosquitto; the standard leaves the code open)
 */
export function validateTopicNameBytes(buf: Buffer, start: number, end: number): void {
  const fault = topicNameFault(buf, start, end);
  if (fault !== undefined) {
    throw new ProtocolError(ReasonCode.MalformedPacket, fault.statement, `PUBLISH: ${fault.message}`);
  }
}
