/**
 * How a message is printed: `-F`, `-v` or the bare payload.
 *
 * A format is cut into steps once; printing a message walks the steps. `%`, `@` and `\` begin a sequence.
 */
import { compileStrftime } from '../base/strftime.ts';
import { type Properties, type PublishPacket, propertyTable } from '../client/index.ts';
import { jsonArray, jsonObject, latin1Of, printG, quoteJson, reprintJson } from './json-text.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { UsageError } from './usage-error.ts';

/** When a message came, read once per message and only by formats that need it. */
export interface Arrival {
  readonly unixMs: number;
  /** Nanoseconds within the second, 0..999,999,999. */
  readonly nanoseconds: number;
}

/** What a step may need beside the message. */
export interface PrintContext {
  readonly out: OutputBuffer;
  arrival(): Arrival;
  /** For a payload that cannot be printed as asked. */
  complain(text: string): void;
  /** Writes bytes that came from somebody else: as they are, or with control characters made visible on a terminal. */
  foreign(bytes: Buffer, start: number, end: number): void;
}

type Step = (message: PublishPacket, context: PrintContext) => void;

/** A format that was understood. */
export type OutputFormat = (message: PublishPacket, context: PrintContext) => void;

interface Field {
  readonly isLeft: boolean;
  readonly hasZero: boolean;
  readonly width: number;
  readonly precision: number | undefined;
  readonly separator: string;
}

/** Widths and precisions above this are cut down to it. */
const WIDTH_MAX = 1_000_000;

const SPACE = 0x20;
const ZERO = 0x30;

/**
 * Cuts a format into steps.
 *
 * @param hasJsonIndent - `--pretty`
 * @throws UsageError - in Mosquitto's words
 */
export function compileFormat(format: string, hasJsonIndent: boolean): OutputFormat {
  const steps: Step[] = [];
  let text = '';
  const flush = () => {
    if (text !== '') steps.push(literal(text));
    text = '';
  };
  for (let index = 0; index < format.length; index++) {
    const one = format[index] ?? '';
    if (one === '%') {
      const { step, end } = percentSequence(format, index + 1, hasJsonIndent);
      flush();
      steps.push(step);
      index = end;
    } else if (one === '@') {
      const next = format[++index];
      if (next === undefined) throw new UsageError('Error: Incomplete format specifier.');
      flush();
      steps.push(timeStep(next));
    } else if (one === '\\') {
      const next = format[++index];
      if (next === undefined) throw new UsageError('Error: Incomplete escape specifier.');
      const meaning = escapes[next];
      if (meaning === undefined) throw new UsageError(`Error: Invalid escape specifier '${next}'.`);
      text += meaning;
    } else {
      text += one;
    }
  }
  flush();
  return (message, context) => {
    for (const step of steps) step(message, context);
  };
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  e: '\x1b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function literal(text: string): Step {
  const bytes = Buffer.from(text);
  return (_message, { out }) => out.bytes(bytes);
}

function timeStep(letter: string): Step {
  if (letter === '@') return literal('@');
  if (letter === 'N') {
    return (_message, { out, arrival }) => out.latin1(String(arrival().nanoseconds).padStart(9, '0'));
  }
  const format = compileStrftime(`%${letter}`);
  return (_message, { out, arrival }) => out.utf8(format(arrival().unixMs));
}

function percentSequence(
  format: string,
  start: number,
  hasJsonIndent: boolean,
): { readonly step: Step; readonly end: number } {
  const match = /^(-?)(0?)(\d*)(?:\.(\d*))?/.exec(format.slice(start));
  const [whole = '', minus = '', zero = '', width = '', precision] = match ?? [];
  let end = start + whole.length;
  let letter = format[end];
  let separator = '';
  // A separator is a character that is no conversion, before one that takes it.
  const next = format[end + 1];
  if (letter !== undefined && SEPARATORS.includes(letter) && letter !== '%' && (next === 'x' || next === 'X')) {
    separator = letter;
    letter = next;
    end++;
  }
  if (letter === undefined) throw new UsageError('Error: Incomplete format specifier.');
  const field: Field = {
    isLeft: minus !== '',
    hasZero: zero !== '',
    width: Math.min(Number(width), WIDTH_MAX),
    precision: precision === undefined ? undefined : Math.min(Number(precision), WIDTH_MAX),
    separator,
  };
  const step = conversion(letter, field, hasJsonIndent);
  if (step === undefined) throw new UsageError(`Error: Invalid format specifier '${letter}'.`);
  return { step, end };
}

const SEPARATORS = '!"#$&\'()*+,-./:;<=>?@[\\]^_`{|}~ ';

function conversion(letter: string, field: Field, hasJsonIndent: boolean): Step | undefined {
  switch (letter) {
    case '%':
      return literal('%');
    case 'A':
      return numberStep(field, (message) => message.properties.topicAlias);
    case 'E':
      return numberStep(field, (message) => message.properties.messageExpiryInterval);
    case 'F':
      return numberStep(field, (message) => message.properties.payloadFormatIndicator);
    case 'S':
      return numberStep(field, (message) => message.properties.subscriptionIdentifiers?.[0]);
    case 'l':
      return numberStep(field, (message) => message.payload.length);
    case 'm':
      return numberStep(field, (message) => message.packetId);
    case 'q':
      return (message, { out }) => out.byte(ZERO + message.qos);
    case 'r':
      return (message, { out }) => out.byte(message.retain ? ZERO + 1 : ZERO);
    case 'C':
      return textStep(field, (message) => message.properties.contentType);
    case 'R':
      return textStep(field, (message) => message.properties.responseTopic);
    case 't':
      return textStep(field, (message) => message.topic);
    case 'I':
      return dateStep(field);
    case 'U':
      return (_message, { out, arrival }) => {
        const { unixMs, nanoseconds } = arrival();
        out.latin1(`${Math.floor(unixMs / 1000)}.${String(nanoseconds).padStart(9, '0')}`);
      };
    case 'D':
      return ({ properties }, context) => {
        const data = properties.correlationData;
        if (data !== undefined) context.foreign(data, 0, data.length);
      };
    case 'P':
      return userPropertiesStep;
    case 'p':
      return payloadStep(field);
    case 'x':
    case 'X':
      return hexStep(field, letter === 'X');
    case 'f':
      return floatStep(field, 4, (payload) => nativeFloat(payload));
    case 'd':
      return floatStep(field, 8, (payload) => nativeDouble(payload));
    case 'j':
      return jsonStep(hasJsonIndent, (message) => {
        // Mosquitto: the payload ends at its first NUL.
        const { payload } = message;
        const nul = payload.indexOf(0);
        return quoteJson(payload.toString('latin1', 0, nul < 0 ? payload.length : nul));
      });
    case 'J':
      return jsonStep(hasJsonIndent, (message) => reprintJson(message.payload.toString('latin1'), hasJsonIndent, 1));
    default:
      return undefined;
  }
}

/** Puts `size` bytes, written by `body`, into a field. */
function pad(field: Field, size: number, fill: number, out: OutputBuffer, body: () => void): void {
  const missing = field.width - size;
  if (!field.isLeft) out.fill(fill, missing);
  body();
  if (field.isLeft) out.fill(SPACE, missing);
}

function numberStep(field: Field, valueOf: (message: PublishPacket) => number | undefined): Step {
  const fill = field.hasZero ? ZERO : SPACE;
  return (message, { out }) => {
    const value = valueOf(message);
    if (value === undefined) {
      out.fill(fill, field.width);
      return;
    }
    const text = String(value);
    pad(field, text.length, fill, out, () => out.latin1(text));
  };
}

/** Width and precision count bytes, as C does. */
function textStep(field: Field, textOf: (message: PublishPacket) => string | undefined): Step {
  return (message, context) => {
    const bytes = Buffer.from(textOf(message) ?? '');
    const end = Math.min(bytes.length, field.precision ?? bytes.length);
    pad(field, end, SPACE, context.out, () => context.foreign(bytes, 0, end));
  };
}

function dateStep(field: Field): Step {
  const format = compileStrftime('%Y-%m-%dT%H:%M:%S%z');
  return (_message, { out, arrival }) => {
    const text = format(arrival().unixMs).slice(0, field.precision);
    pad(field, text.length, SPACE, out, () => out.latin1(text));
  };
}

function userPropertiesStep(message: PublishPacket, context: PrintContext): void {
  const pairs = message.properties.userProperties ?? [];
  pairs.forEach(([name, value], index) => {
    if (index > 0) context.out.byte(SPACE);
    const bytes = Buffer.from(`${name}:${value}`);
    context.foreign(bytes, 0, bytes.length);
  });
}

/** The width is also the most that is printed. */
function payloadStep(field: Field): Step {
  const fill = field.hasZero ? ZERO : SPACE;
  return ({ payload }, context) => {
    const end = field.width > 0 ? Math.min(field.width, payload.length) : payload.length;
    pad(field, end, fill, context.out, () => context.foreign(payload, 0, end));
  };
}

const DIGITS = { lower: Buffer.from('0123456789abcdef'), upper: Buffer.from('0123456789ABCDEF') } as const;

/** The width counts bytes of the payload; the precision is the number of digits between separators. */
function hexStep(field: Field, isUpper: boolean): Step {
  const fill = field.hasZero ? ZERO : SPACE;
  const digits = isUpper ? DIGITS.upper : DIGITS.lower;
  const group = field.precision ?? 0;
  const separator = (field.separator === '' ? ' ' : field.separator).charCodeAt(0);
  return ({ payload }, { out }) => {
    const count = field.width > 0 ? Math.min(field.width, payload.length) : payload.length;
    pad(field, count, fill, out, () => {
      let written = 0;
      for (let index = 0; index < count; index++) {
        const byte = payload[index] ?? 0;
        for (const nibble of [byte >> 4, byte & 0x0f]) {
          if (group > 0 && written > 0 && written % group === 0) out.byte(separator);
          out.byte(digits[nibble] ?? ZERO);
          written++;
        }
      }
    });
  };
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function nativeFloat(payload: Buffer): number {
  return isLittleEndian ? payload.readFloatLE(0) : payload.readFloatBE(0);
}

function nativeDouble(payload: Buffer): number {
  return isLittleEndian ? payload.readDoubleLE(0) : payload.readDoubleBE(0);
}

function floatStep(field: Field, size: number, read: (payload: Buffer) => number): Step {
  const fill = field.hasZero ? ZERO : SPACE;
  return (message, context) => {
    if (message.payload.length !== size) {
      context.complain(
        `Error: Message payload has ${message.payload.length} bytes instead of ${size} on topic ${message.topic}.`,
      );
      return;
    }
    const value = read(message.payload);
    const text = field.precision === undefined ? cFloat(value, 6) : cFloat(value, field.precision);
    pad(field, text.length, fill, context.out, () => context.out.latin1(text));
  };
}

/** `%.<decimals>f` of C. */
function cFloat(value: number, decimals: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${decimals > 0 ? `.${'0'.repeat(decimals)}` : ''}`;
  return value.toFixed(Math.min(decimals, 100));
}

/** @param payloadOf - JSON text, latin1; undefined when the payload is no JSON */
function jsonStep(isPretty: boolean, payloadOf: (message: PublishPacket) => string | undefined): Step {
  const date = compileStrftime('%Y-%m-%dT%H:%M:%S');
  const zone = compileStrftime('%z');
  return (message, context) => {
    const isEmpty = message.payload.length === 0;
    const payload = isEmpty ? 'null' : payloadOf(message);
    if (payload === undefined) {
      context.complain(`Error: Message payload is not valid JSON on topic ${message.topic}.`);
      return;
    }
    const { unixMs, nanoseconds } = context.arrival();
    const microseconds = String(Math.floor(nanoseconds / 1000)).padStart(6, '0');
    const object = jsonObject(isPretty, 0);
    object.member('tst', quoteJson(`${date(unixMs)}.${microseconds}${zone(unixMs)}`));
    object.member('topic', quoteJson(latin1Of(message.topic)));
    object.member('qos', String(message.qos));
    object.member('retain', String(message.retain));
    object.member('payloadlen', String(message.payload.length));
    if (message.qos > 0) object.member('mid', String(message.packetId));
    const properties = jsonProperties(message.properties, isPretty);
    if (properties !== undefined) object.member('properties', properties);
    object.member('payload', payload);
    const bytes = Buffer.from(object.end(), 'latin1');
    context.foreign(bytes, 0, bytes.length);
  };
}

const nameOfKey: ReadonlyMap<string, string> = new Map(
  propertyTable.map((row) => [row.key, row.key === 'userProperties' ? 'user-properties' : row.name]),
);

/** In the order in which they arrived; undefined when there are none. */
function jsonProperties(properties: Properties, isPretty: boolean): string | undefined {
  const object = jsonObject(isPretty, 1);
  let isEmpty = true;
  for (const [key, value] of Object.entries(properties)) {
    const name = nameOfKey.get(key);
    if (name === undefined) continue;
    isEmpty = false;
    if (key === 'subscriptionIdentifiers') {
      for (const identifier of value as readonly number[]) object.member(name, String(identifier));
    } else {
      object.member(name, jsonProperty(value, isPretty));
    }
  }
  return isEmpty ? undefined : object.end();
}

function jsonProperty(value: unknown, isPretty: boolean): string {
  if (typeof value === 'string') return quoteJson(latin1Of(value));
  if (typeof value === 'number') return printG(value, 15);
  if (Buffer.isBuffer(value)) return quoteJson(value.toString('latin1'));
  if (!Array.isArray(value)) return String(value);
  const pairs = value as readonly (readonly [string, string])[];
  return jsonArray(
    pairs.map(([name, text]) => {
      const object = jsonObject(isPretty, 3);
      object.member(quoteJson(latin1Of(name)).slice(1, -1), quoteJson(latin1Of(text)));
      return object.end();
    }),
    isPretty,
  );
}
