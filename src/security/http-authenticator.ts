/**
 * A Web service that says who may come in.
 *
 * Bounds: {@link callsMax} calls at a time and {@link waitingMax} that wait, {@link answerBytesMax} of an answer, a time for each
 * call, and {@link rememberedMax} answers remembered, 32 bytes each with their moment. Without an answer nobody is let in.
 */
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { builtins } from '../base/builtins.ts';
import type { Clock } from '../base/clock.ts';
import type { ConnectRequest } from '../contracts/authenticator.ts';
import { CheckQueue } from './check-queue.ts';

/** Calls at the same time; each has a connection of its own, which is kept for the next. */
const callsMax = 32;
/** Calls that may wait: more would not be made before their clients are given up. */
const waitingMax = 1000;
const answerBytesMax = 4096;
const rememberedMax = 10_000;

export interface HttpServiceSettings {
  readonly url: string;
  readonly timeoutMs: number;
  /** How long a client that was let in may come again without a call; 0: not at all. */
  readonly rememberMs: number;
  /** Authorities for https, in PEM form; null: those that Node knows. */
  readonly ca: string | null;
}

/** `unavailable`: there is no answer, or none that can be understood; `busy`: too many wait for one. */
export type HttpAnswer = 'allowed' | 'denied' | 'unavailable' | 'busy';

/** What is told about a client. */
export type Asked = Omit<ConnectRequest, 'hasCertificateIdentity'>;

export class HttpAuthenticator {
  /** The same for settings that ask the same service. */
  readonly fingerprint: string;
  readonly #settings: HttpServiceSettings;
  readonly #clock: Clock;
  readonly #tell: (level: 'error' | 'notice', text: string) => void;
  readonly #queue = new CheckQueue(callsMax, waitingMax);
  /** Digest of what a client showed → until when it may come again, in monotonic ms; the oldest first. */
  readonly #remembered = new Map<string, number>();
  readonly #secret: Buffer;
  #agent: Agent | null = null;
  #isDown = false;

  /** @param tell - the operator; once when the service does not answer, and once when it does again */
  constructor(settings: HttpServiceSettings, clock: Clock, tell: (level: 'error' | 'notice', text: string) => void) {
    this.#settings = settings;
    this.#clock = clock;
    this.#tell = tell;
    this.#secret = clock.randomBytes(32);
    this.fingerprint = JSON.stringify(settings);
  }

  /** Never rejected. */
  async ask(asked: Asked): Promise<HttpAnswer> {
    const body = bodyOf(asked);
    const remembered = this.#recall(body);
    if (remembered !== null && this.#clock.monotonicMs() < remembered.untilMs) return 'allowed';
    const answer = this.#queue.run(() => (asked.isAbandoned?.() === true ? 'busy' : this.#call(body)));
    if (answer === undefined) return 'busy';
    const known = await answer;
    if (known === 'allowed' && remembered !== null) this.#remember(remembered.digest);
    return known;
  }

  /** Forgets what was answered. */
  forget(): void {
    this.#remembered.clear();
  }

  /** Gives up the connections that are kept; calls under way go on to their end. */
  close(): void {
    this.forget();
    const agent = this.#agent;
    if (agent === null) return;
    agent.maxFreeSockets = 0;
    for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** @returns null where nothing is remembered */
  #recall(body: string): { readonly digest: string; readonly untilMs: number } | null {
    if (this.#settings.rememberMs === 0) return null;
    // Passwords are not kept: nobody can tell from memory what was shown.
    const digest = builtins.crypto.createHmac('sha256', this.#secret).update(body).digest('base64');
    return { digest, untilMs: this.#remembered.get(digest) ?? 0 };
  }

  #remember(digest: string): void {
    this.#remembered.delete(digest);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size < rememberedMax) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.set(digest, this.#clock.monotonicMs() + this.#settings.rememberMs);
  }

  async #call(body: string): Promise<HttpAnswer> {
    try {
      const answer = await this.#send(body);
      if (this.#isDown) this.#tell('notice', `${this.#name} answers again.`);
      this.#isDown = false;
      return answer;
    } catch (error) {
      if (!this.#isDown) {
        const why = error instanceof Error ? error.message : String(error);
        this.#tell('error', `Error: ${this.#name} cannot be asked, so nobody is let in: ${why}.`);
      }
      this.#isDown = true;
      return 'unavailable';
    }
  }

  /** The service without what is secret or long. */
  get #name(): string {
    const { origin, pathname } = new URL(this.#settings.url);
    return `The authentication service ${origin}${pathname}`;
  }

  async #send(body: string): Promise<HttpAnswer> {
    const url = new URL(this.#settings.url);
    const { Agent, request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: callsMax, maxFreeSockets: callsMax });
    const { username, password } = url;
    const options: RequestOptions & { ca?: string } = {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
      },
      ...(username === '' ? {} : { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }),
      ...(this.#settings.ca === null ? {} : { ca: this.#settings.ca }),
    };
    const send = () => this.#exchange(() => request(url, options), body);
    try {
      return await send();
    } catch (error) {
      // The service had closed a connection that was kept, before it saw this call.
      if (error instanceof StaleConnection) return await send();
      throw error;
    }
  }

  #exchange(open: () => ClientRequest, body: string): Promise<HttpAnswer> {
    const { timeoutMs } = this.#settings;
    return new Promise((resolve, reject) => {
      const request = open();
      const giveUp = (error: Error): void => {
        fail(error);
        request.destroy();
      };
      const timer = this.#clock.after(timeoutMs, () => giveUp(new Error(`no answer within ${timeoutMs / 1000} s`)));
      const fail = (error: NodeJS.ErrnoException): void => {
        timer.cancel();
        const isStale = request.reusedSocket && error.code === 'ECONNRESET';
        reject(isStale ? new StaleConnection() : error);
      };
      request.on('error', fail);
      request.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerBytesMax) giveUp(new Error(`an answer of more than ${answerBytesMax} bytes`));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          timer.cancel();
          try {
            resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString()));
          } catch (error) {
            reject(error as Error);
          }
        });
        response.on('close', () => {
          if (!response.complete) fail(new Error('an answer that breaks off'));
        });
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

function bodyOf({ clientId, username, password, address, listenerPort, protocolVersion }: Asked): string {
  const text = password === null ? null : password.toString();
  // Bytes that are no text would become the same question marks for different passwords.
  const isText = password === null || Buffer.from(text ?? '').equals(password);
  return JSON.stringify({
    client_id: clientId,
    username,
    password: isText ? text : null,
    ...(isText ? {} : { password_base64: password?.toString('base64') }),
    address,
    port: listenerPort,
    protocol_version: protocolVersion,
  });
}

/** @throws Error - what is wrong with the answer */
function answerOf(status: number, body: string): HttpAnswer {
  if (status === 204) return 'allowed';
  if (status === 401 || status === 403) return 'denied';
  if (status !== 200) throw new Error(`an answer with status ${status}`);
  if (body.trim() === '') return 'allowed';
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new Error('an answer that is no JSON');
  }
  const result = typeof answer === 'object' && answer !== null && 'result' in answer ? answer.result : undefined;
  if (result === 'allow') return 'allowed';
  if (result === 'deny') return 'denied';
  throw new Error('an answer without "result" of "allow" or "deny"');
}
