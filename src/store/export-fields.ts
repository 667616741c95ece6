/** Fields of one line of an export, taken with a check; whoever is wrong is named. */
import { FormatError } from './byte-reader.ts';

type Row = Readonly<Record<string, unknown>>;

const loneSurrogate = /\p{Surrogate}/u;

export class ExportFields {
  readonly #row: Row;
  readonly #path: string;
  readonly #unread: Set<string>;

  /** @param path - of the object inside its line, '' for the line itself */
  constructor(value: unknown, path = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FormatError(path === '' ? 'it is no JSON object' : `"${path}" is no object`);
    }
    // Its fields are checked one by one below.
    this.#row = value as Row;
    this.#path = path;
    this.#unread = new Set(Object.keys(value));
  }

  has(name: string): boolean {
    return this.#row[name] !== undefined;
  }

  text(name: string): string {
    const value = this.#take(name);
    if (typeof value !== 'string') throw this.fault(name, 'is no text');
    if (Buffer.byteLength(value) > 65_535) throw this.fault(name, 'is longer than 65,535 bytes');
    if (value.includes('\0') || loneSurrogate.test(value))
      throw this.fault(name, 'has characters that MQTT does not allow');
    return value;
  }

  /** A payload, either way it is written. */
  payload(): Buffer {
    if (!this.has('payloadBase64')) {
      const value = this.#take('payload');
      if (typeof value !== 'string' || loneSurrogate.test(value)) throw this.fault('payload', 'is no text');
      return Buffer.from(value);
    }
    return this.base64('payloadBase64', this.#take('payloadBase64'));
  }

  base64(name: string, value: unknown): Buffer {
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
      throw this.fault(name, 'is no base64');
    }
    return Buffer.from(value, 'base64');
  }

  /** A whole number; `usual` when the field is not there. */
  integer(name: string, least: number, most: number, usual?: number): number {
    const value = this.#take(name) ?? usual;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw this.fault(name, `is no whole number from ${least} to ${most}`);
    }
    return value;
  }

  flag(name: string): boolean {
    const value = this.#take(name) ?? false;
    if (typeof value !== 'boolean') throw this.fault(name, 'is neither true nor false');
    return value;
  }

  /** A time as wall clock in ms, 0 when the field is not there. */
  time(name: string): number {
    const value = this.#take(name);
    if (value === undefined) return 0;
    const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? Date.parse(value) : Number.NaN;
    if (!(ms > 0)) throw this.fault(name, 'is no time such as 2026-01-31T12:00:00.000Z');
    return ms;
  }

  list(name: string): readonly unknown[] {
    const value = this.#take(name) ?? [];
    if (!Array.isArray(value)) throw this.fault(name, 'is no list');
    return value;
  }

  object(name: string): ExportFields {
    return new ExportFields(this.#take(name), this.#path === '' ? name : `${this.#path}.${name}`);
  }

  /** The value as it is. */
  any(name: string): unknown {
    return this.#take(name);
  }

  /** @throws FormatError - for a field that nobody asked for */
  end(): void {
    for (const name of this.#unread) throw this.fault(name, 'is not known');
  }

  fault(name: string, what: string): FormatError {
    const path = this.#path === '' ? name : `${this.#path}.${name}`;
    return new FormatError(this.has(name) ? `"${path}" ${what}` : `"${path}" is missing`);
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return this.#row[name];
  }
}
