/** What a payload is: text, JSON, or bytes. */

import { type JsonNode, parseJson } from './json.ts';

export type Payload =
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly text: string; readonly root: JsonNode }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array };

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text, or undefined when they are no UTF-8 or hold controls that no text has. */
export function textOf(bytes: Uint8Array): string | undefined {
  let controls = 0;
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) controls += 1;
  if (controls > 0 && controls * 20 > bytes.length) return undefined;
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

export function readPayload(bytes: Uint8Array): Payload {
  if (bytes.length === 0) return { kind: 'empty' };
  const text = textOf(bytes);
  return text === undefined ? { kind: 'binary', bytes } : readText(text);
}

/** A payload that is known to be text. Only objects and arrays count as JSON: a number is a text. */
export function readText(text: string): Payload {
  if (text === '') return { kind: 'empty' };
  const root = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  return root === undefined ? { kind: 'text', text } : { kind: 'json', text, root };
}

export function bytesOfBase64(base64: string): Uint8Array<ArrayBuffer> {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

export function base64OfBytes(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
