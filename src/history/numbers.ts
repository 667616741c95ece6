/** The numbers in a payload: what becomes series. */
import { isUtf8 } from 'node:buffer';

/** Larger JSON is kept as a message, and not searched for numbers. */
const jsonBytesMax = 262_144;
/** Numbers taken of one payload, levels of objects and arrays gone down, items taken of one array. */
const numbersMax = 64;
const depthMax = 8;
const arrayItemsMax = 16;
/** Longer paths are left out. */
const pathLengthMax = 200;

/** A payload as it is stored: text when it is UTF-8 without NUL, so that people can read it with any tool. */
export type StoredPayload = string | Uint8Array;

export function storedPayload(payload: Uint8Array): StoredPayload {
  if (!isUtf8(payload) || payload.includes(0)) return payload;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString();
}

/**
 * Path → number: '' for a payload that is a number, `a.b`, `list[0].t` and `["odd key"]` for those in JSON. `true` and `false`
 * are 1 and 0. Empty for everything else.
 */
export function numbersIn(payload: StoredPayload): ReadonlyMap<string, number> {
  if (typeof payload !== 'string' || payload === '') return none;
  const text = payload.length > 64 ? payload : payload.trim();
  const first = text.charCodeAt(0);
  if (first === 0x7b || first === 0x5b || first <= 0x20) return numbersInJson(payload);
  if (text.length > 64) return none;
  if (text === 'true') return new Map([['', 1]]);
  if (text === 'false') return new Map([['', 0]]);
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return none;
  const value = Number(text);
  return Number.isFinite(value) ? new Map([['', value]]) : none;
}

const none: ReadonlyMap<string, number> = new Map();

function numbersInJson(text: string): ReadonlyMap<string, number> {
  if (text.length > jsonBytesMax) return none;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return none;
  }
  const found = new Map<string, number>();
  collect(value, '', 0, found);
  return found;
}

function collect(value: unknown, path: string, depth: number, found: Map<string, number>): void {
  if (found.size >= numbersMax || path.length > pathLengthMax) return;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) found.set(path, value);
  } else if (typeof value === 'boolean') {
    found.set(path, value ? 1 : 0);
  } else if (typeof value === 'object' && value !== null && depth < depthMax) {
    if (Array.isArray(value)) {
      const items = Math.min(value.length, arrayItemsMax);
      for (let index = 0; index < items; index++) collect(value[index], `${path}[${index}]`, depth + 1, found);
    } else {
      for (const [key, inner] of Object.entries(value)) collect(inner, path + step(key, path === ''), depth + 1, found);
    }
  }
}

function step(key: string, isFirst: boolean): string {
  if (!/^[\w\u0080-\uffff-]+$/.test(key)) return `[${JSON.stringify(key)}]`;
  return isFirst ? key : `.${key}`;
}
