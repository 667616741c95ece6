/** The number in a payload that a sparkline shows: the payload itself, or the first number of a JSON object or array. */

/** Payload bytes that are looked at. */
const scanBytesMax = 256;

const digit0 = 0x30;

/**
 * Finds it without making an object of anything.
 *
 * @returns NaN when the payload is no number and has none as a value in its first {@link scanBytesMax} bytes
 */
export function firstNumber(bytes: Buffer, start: number, end: number): number {
  let at = start;
  const stop = Math.min(end, start + scanBytesMax);
  while (at < stop && isBlank(bytes[at] as number)) at++;
  if (at >= stop) return Number.NaN;
  const first = bytes[at] as number;
  if (isNumberStart(first)) {
    const after = numberEnd(bytes, at, stop);
    let rest = after;
    while (rest < end && isBlank(bytes[rest] as number)) rest++;
    return rest === end ? numberOf(bytes, at, after) : Number.NaN;
  }
  if (first !== 0x7b && first !== 0x5b) return Number.NaN;
  // A value stands behind a colon, a comma or an opening bracket; a string there is passed over.
  let isValue = first === 0x5b;
  for (at++; at < stop; at++) {
    const code = bytes[at] as number;
    if (code === 0x22) {
      for (at++; at < stop && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
      isValue = false;
    } else if (code === 0x3a || code === 0x5b || code === 0x2c) {
      isValue = true;
    } else if (isValue && isNumberStart(code)) {
      const after = numberEnd(bytes, at, stop);
      // Cut off by the limit it could be another number.
      return after < end ? numberOf(bytes, at, after) : Number.NaN;
    } else if (!isBlank(code)) {
      isValue = false;
    }
  }
  return Number.NaN;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isNumberStart(code: number): boolean {
  return (code >= digit0 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e;
}

function numberEnd(bytes: Buffer, start: number, stop: number): number {
  let at = start + 1;
  while (at < stop) {
    const code = bytes[at] as number;
    const isPart = isNumberStart(code) || code === 0x65 || code === 0x45;
    if (!isPart) break;
    at++;
  }
  return at;
}

/** Short decimal numbers by arithmetic, others by the language. */
function numberOf(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === 0x2d;
  let digits = 0;
  let scale = 0;
  let at = isNegative ? start + 1 : start;
  if (end - at > 15 || end === at) return slowNumber(bytes, start, end);
  for (; at < end; at++) {
    const code = bytes[at] as number;
    if (code === 0x2e && scale === 0) scale = 1;
    else if (code >= digit0 && code <= 0x39) {
      digits = digits * 10 + (code - digit0);
      scale *= 10;
    } else return slowNumber(bytes, start, end);
  }
  const value = scale > 1 ? digits / scale : digits;
  return isNegative ? -value : value;
}

function slowNumber(bytes: Buffer, start: number, end: number): number {
  const text = bytes.toString('latin1', start, end);
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
