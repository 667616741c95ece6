import type { Payload as SentPayload } from '../api/types.ts';
import { bytesOfBase64, type Payload, readPayload, readText } from './payload.ts';

/** A payload as it travels, read for showing. */
export const payloadOf = (sent: SentPayload): Payload =>
  'text' in sent ? readText(sent.text) : readPayload(bytesOfBase64(sent.base64));

export const payloadBytes = (sent: SentPayload): Uint8Array<ArrayBuffer> =>
  'text' in sent ? new TextEncoder().encode(sent.text) : bytesOfBase64(sent.base64);
