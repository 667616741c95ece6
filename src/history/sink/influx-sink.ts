/**
 * Sends lines to a server over HTTP, and keeps them while it does not answer: bounded in bytes and in count, the oldest go first.
 */
import { readFileSync } from 'node:fs';
import { type ClientRequest, request as httpRequest } from 'node:http';
import type { Clock, Timer } from '../../base/clock.ts';
import type { HistorySinkStats } from '../../contracts/history.ts';
import type { NewMessage } from '../archive.ts';
import type { Report } from '../open-database.ts';
import { lineOf, linePrefix } from './line-protocol.ts';

export interface InfluxSettings {
  readonly kind: 'influx';
  readonly url: string;
  readonly database: string | null;
  readonly bucket: string | null;
  readonly org: string | null;
  readonly measurement: string;
  readonly tokenFile: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Bytes of lines that may wait. */
  readonly maxBytes: number;
}

/** Lines that may wait, whatever their size. */
const linesMax = 200_000;
/** Of one request. */
const requestLinesMax = 5000;
const requestBytesMax = 1_048_576;
/** How long lines are gathered, a request may take, and the wait after the first and after many failures. */
const gatherMs = 1000;
const patienceMs = 15_000;
const backOffMs = 1000;
const backOffMaxMs = 60_000;
/** An answer that says how long to wait is believed up to this. */
const retryAfterMaxMs = 300_000;
const answerBytesMax = 2000;

/** Statuses that mean that these very lines are not wanted; everything else may be right when it is tried again. */
const hopeless = new Set([400, 413, 422]);

export class InfluxSink {
  readonly settings: InfluxSettings;
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #prefix: string;
  readonly #target: URL;
  readonly #shownUrl: string;
  /** Waiting lines, each with its end; the first `#head` of them are gone. */
  #lines: string[] = [];
  #head = 0;
  #bytes = 0;
  #sent = 0;
  #dropped = 0;
  #failures = 0;
  #fault: string | null = null;
  #timer: Timer | null = null;
  #request: ClientRequest | null = null;
  #isSending = false;
  #isDropReported = false;
  #isClosed = false;
  #idle: (() => void) | null = null;

  constructor(settings: InfluxSettings, clock: Clock, report: Report) {
    this.settings = settings;
    this.#clock = clock;
    this.#report = report;
    this.#prefix = linePrefix(settings.measurement, settings.tags);
    this.#target = targetOf(settings);
    const shown = new URL(settings.url);
    shown.username = '';
    shown.password = '';
    shown.search = '';
    this.#shownUrl = shown.href;
  }

  add(message: NewMessage): void {
    const line = lineOf(this.#prefix, message);
    if (line === undefined) return;
    this.#lines.push(`${line}\n`);
    this.#bytes += line.length + 1;
    while (this.#bytes > this.settings.maxBytes || this.#lines.length - this.#head > linesMax) this.#dropOldest();
    if (this.#timer === null && !this.#isSending) this.#sendIn(gatherMs);
  }

  stats(): HistorySinkStats {
    return {
      url: this.#shownUrl,
      kind: 'influx',
      sent: this.#sent,
      waiting: this.#lines.length - this.#head,
      waitingBytes: this.#bytes,
      dropped: this.#dropped,
      fault: this.#fault,
    };
  }

  /** Sends what waits, for a moment, and gives up what then is left. */
  async close(patience: number): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#failures === 0 && this.#waits()) {
      const done = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      if (!this.#isSending) this.#send();
      const limit = new Promise<void>((resolve) => void this.#clock.after(patience, resolve));
      await Promise.race([done, limit]);
    }
    this.#request?.destroy();
    const left = this.#lines.length - this.#head;
    if (left > 0) this.#report('warning', `Warning: History: ${left} lines for ${this.#shownUrl} were not sent.`);
  }

  #waits(): boolean {
    return this.#lines.length > this.#head || this.#isSending;
  }

  #dropOldest(): void {
    this.#take(1);
    this.#dropped++;
    if (this.#isDropReported) return;
    this.#isDropReported = true;
    this.#report(
      'warning',
      `Warning: History: ${this.#shownUrl} is too slow or does not answer; its oldest lines are dropped.`,
    );
  }

  /** Removes the first lines. */
  #take(count: number): void {
    for (let index = this.#head; index < this.#head + count; index++) this.#bytes -= (this.#lines[index] ?? '').length;
    this.#head += count;
    if (this.#head < 1024 || this.#head * 2 < this.#lines.length) return;
    this.#lines = this.#lines.slice(this.#head);
    this.#head = 0;
  }

  #sendIn(delayMs: number): void {
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = null;
      this.#send();
    });
  }

  #send(): void {
    const batch: string[] = [];
    let bytes = 0;
    for (let index = this.#head; index < this.#lines.length && batch.length < requestLinesMax; index++) {
      const line = this.#lines[index] ?? '';
      if (batch.length > 0 && bytes + line.length > requestBytesMax) break;
      batch.push(line);
      bytes += line.length;
    }
    if (batch.length === 0) {
      this.#idle?.();
      return;
    }
    // On their way they cannot be dropped; they come back when the request fails.
    this.#take(batch.length);
    this.#isSending = true;
    void this.#post(Buffer.from(batch.join(''))).then(
      (answer) => this.#answered(batch, answer),
      (error: unknown) => this.#failed(batch, error instanceof Error ? error.message : String(error), 0),
    );
  }

  #answered(batch: readonly string[], { status, text, retryAfterMs }: Answer): void {
    this.#isSending = false;
    if (status >= 200 && status < 300) {
      if (this.#failures > 0) this.#report('notice', `History: ${this.#shownUrl} answers again.`);
      this.#sent += batch.length;
      this.#failures = 0;
      this.#fault = null;
      this.#isDropReported = false;
      this.#goOn();
    } else if (hopeless.has(status)) {
      this.#dropped += batch.length;
      this.#tell(`refused ${batch.length} lines: ${status} ${text}`);
      this.#goOn();
    } else {
      this.#failed(batch, `${status} ${text}`, retryAfterMs);
    }
  }

  #failed(batch: readonly string[], why: string, retryAfterMs: number): void {
    this.#isSending = false;
    this.#lines = [...batch, ...this.#lines.slice(this.#head)];
    this.#head = 0;
    for (const line of batch) this.#bytes += line.length;
    this.#failures++;
    this.#tell(why);
    if (this.#isClosed) {
      this.#idle?.();
      return;
    }
    this.#sendIn(Math.max(retryAfterMs, Math.min(backOffMs * 2 ** (this.#failures - 1), backOffMaxMs)));
  }

  #goOn(): void {
    if (this.#lines.length === this.#head) this.#idle?.();
    else if (this.#lines.length - this.#head >= requestLinesMax || this.#isClosed) this.#send();
    else this.#sendIn(gatherMs);
  }

  /** Says a fault once, until it is another one. */
  #tell(why: string): void {
    if (this.#fault !== why) this.#report('warning', `Warning: History: ${this.#shownUrl}: ${why}`);
    this.#fault = why;
  }

  async #post(body: Buffer): Promise<Answer> {
    const headers = {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': body.length,
      ...this.#credentials(),
    };
    const isTls = this.#target.protocol === 'https:';
    const start = isTls ? (await import('node:https')).request : httpRequest;
    return new Promise((resolve, reject) => {
      const request = start(this.#target, { method: 'POST', headers, timeout: patienceMs });
      this.#request = request;
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.on('close', () => {
        if (this.#request === request) this.#request = null;
      });
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (text.length < answerBytesMax) text += part;
        });
        response.on('error', reject);
        response.on('end', () => {
          this.#request = null;
          const seconds = Number(response.headers['retry-after']);
          const retryAfterMs = seconds > 0 ? Math.min(seconds * 1000, retryAfterMaxMs) : 0;
          resolve({ status: response.statusCode ?? 0, text: firstLine(text), retryAfterMs });
        });
      });
      request.end(body);
    });
  }

  /** Read for every request, so that a new token needs no restart. */
  #credentials(): Record<string, string> {
    const { tokenFile, bucket, url } = this.settings;
    if (tokenFile !== null) {
      const token = readFileSync(tokenFile, 'utf8').trim();
      return { Authorization: `${bucket === null ? 'Bearer' : 'Token'} ${token}` };
    }
    const { username, password } = new URL(url);
    if (username === '') return {};
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
}

interface Answer {
  readonly status: number;
  /** The first line of what the server says. */
  readonly text: string;
  readonly retryAfterMs: number;
}

/** Where lines are posted to: InfluxDB 2's address with a bucket, else InfluxDB 1's, which the others know as well. */
function targetOf({ url, database, bucket, org }: InfluxSettings): URL {
  const target = new URL(url);
  target.username = '';
  target.password = '';
  if (target.pathname === '/') target.pathname = bucket === null ? '/write' : '/api/v2/write';
  if (database !== null) target.searchParams.set('db', database);
  if (bucket !== null) target.searchParams.set('bucket', bucket);
  if (org !== null) target.searchParams.set('org', org);
  return target;
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 300);
}
