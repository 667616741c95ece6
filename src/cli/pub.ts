/** `moustique_pub`: publishes a message, or one per line. */
import { Client, ClientError, type Publication, ReasonCode, reasonCodeName } from '../client/index.ts';
import { clientSettings, propertiesOf } from './client-settings.ts';
import { USAGE_STATUS } from './exit-code.ts';
import { failureOf } from './failure.ts';
import { helpText } from './help.ts';
import { LineSplitter, loadPayload, PAYLOAD_BYTES_MAX } from './payload-source.ts';
import { runTool } from './run-tool.ts';
import type { ToolIo } from './tool-io.ts';
import type { MessageSource, ToolOptions } from './tool-options.ts';
import { packetTrace } from './trace.ts';

/** @returns the exit status */
export function main(words: readonly string[], io: ToolIo): Promise<number> {
  return runTool('pub', words, io, (options) => run(options, io));
}

async function run(options: ToolOptions, io: ToolIo): Promise<number> {
  const [topic] = options.topics;
  const { source } = options;
  if (topic === undefined || source === undefined) {
    io.error('Error: Both topic and message must be supplied.\n');
    io.stdout.text(helpText('pub', io.name));
    return USAGE_STATUS;
  }
  const publisher = new Publisher(options, topic, io);
  return source.from === 'lines' ? publisher.publishLines() : publisher.publishOne(source);
}

/** Waits a second between attempts, as Mosquitto does. */
const RECONNECT = { initialDelayMs: 1000, maximumDelayMs: 1000 } as const;

/** Lines that may wait: one chunk of input holds at most 65,536, and reading stops when half of this waits. */
const QUEUED_LINES_MAX = 200_000;

/** Reading stops when the lines that the broker does not have yet hold this many bytes; the last of them may be 256 MB long. */
const PENDING_BYTES = 16_777_216;

class Publisher {
  readonly #options: ToolOptions;
  readonly #topic: string;
  readonly #io: ToolIo;
  readonly #properties: Publication['properties'];
  #status = 0;
  /** Number of the message, for warnings. */
  #count = 0;
  /** Bytes of the payloads that were given to the client and are not settled. */
  #pendingBytes = 0;

  constructor(options: ToolOptions, topic: string, io: ToolIo) {
    this.#options = options;
    this.#topic = topic;
    this.#io = io;
    this.#properties = propertiesOf(options, 'publish');
  }

  async publishOne(source: Exclude<MessageSource, { readonly from: 'lines' }>): Promise<number> {
    const loaded = await loadPayload(source, () => this.#io.stdin);
    if ('error' in loaded) {
      this.#io.error(loaded.error);
      return USAGE_STATUS;
    }
    let onEnd: (error: ClientError) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      onEnd = reject;
    });
    ended.catch(() => {}); // nobody waits for it while the payload is acknowledged
    const client = this.#client({ onDisconnect: (error) => onEnd(error) });
    try {
      await client.start();
      for (let count = this.#options.repeatCount; count > 0; count--) {
        await this.#publish(client, loaded.payload);
        if (count > 1) await this.#pause();
      }
      // QoS 0 has no answer: it is gone when a slow connection has taken it all.
      await Promise.race([client.idle(), ended]);
    } catch (error) {
      return this.#fail(error);
    }
    await this.#disconnect(client);
    return this.#status;
  }

  /** Reads as fast as the broker takes; a lost connection is made again. */
  async publishLines(): Promise<number> {
    const { stdin } = this.#io;
    let onRoom: () => void = () => {};
    let onEnd: (error: ClientError) => void = () => {};
    const ended = new Promise<ClientError>((resolve) => {
      onEnd = resolve;
    });
    const client = this.#client({
      reconnect: RECONNECT,
      queuedMessagesMaximum: QUEUED_LINES_MAX,
      queuedBytesMaximum: Number.POSITIVE_INFINITY, // see PENDING_BYTES
      onDrain: () => onRoom(),
      onDisconnect: (error, willReconnect) => {
        if (!willReconnect) onEnd(error);
      },
    });
    try {
      await client.start();
    } catch (error) {
      return this.#fail(error);
    }
    const ending = new Promise<ClientError | undefined>((resolve) => {
      const lines = new LineSplitter();
      const publish = (line: Buffer) => {
        this.#send(client, line, (error) => {
          if (error !== undefined) resolve(error);
        });
      };
      void ended.then(resolve);
      const mustWait = () => !client.isConnected || client.isCongested || this.#pendingBytes > PENDING_BYTES;
      onRoom = () => {
        if (!mustWait()) stdin.resume();
      };
      stdin.on('data', (chunk: Buffer) => {
        lines.push(chunk, publish);
        if (lines.heldBytes >= PAYLOAD_BYTES_MAX) resolve(new ClientError('too-large', 'a line is longer than 256 MB'));
        if (mustWait()) stdin.pause();
      });
      stdin.on('end', () => {
        const last = lines.end();
        if (last !== undefined) publish(last);
        resolve(undefined);
      });
      stdin.on('error', () => resolve(undefined));
    });
    const error = await ending;
    if (error !== undefined) return this.#fail(error);
    const lost = await Promise.race([client.idle(), ended]);
    if (lost !== undefined) return this.#fail(lost);
    await this.#disconnect(client);
    return this.#status;
  }

  #client(more: Partial<ConstructorParameters<typeof Client>[0]>): Client {
    const { isDebug } = this.#options;
    const settings = clientSettings(this.#options, this.#io);
    const trace = packetTrace(
      this.#options.protocolVersion,
      () => client.clientId,
      (line) => this.#io.stdout.text(`${line}\n`),
    );
    const client: Client = new Client({
      ...settings,
      ...more,
      ...(isDebug && { onPacketSent: trace.sent, onPacketReceived: trace.received }),
    });
    return client;
  }

  /** Resolves when the broker has the message; a refusal is only a warning. */
  #publish(client: Client, payload: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#send(client, payload, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** @param done - told of errors that end the tool; for a message that was sent, told without one */
  #send(client: Client, payload: Buffer, done: (error: ClientError | undefined) => void): void {
    const { qos, isRetain } = this.#options;
    const number = ++this.#count;
    this.#pendingBytes += payload.length;
    client.send({ topic: this.#topic, payload, qos, retain: isRetain, properties: this.#properties }, (error) => {
      this.#pendingBytes -= payload.length;
      if (error?.kind === 'rejected') {
        this.#warn(`Warning: Publish ${number} failed: ${reasonCodeName(error.reasonCode ?? 0, 'puback')}.\n`);
        done(undefined);
      } else {
        done(error);
      }
    });
  }

  #pause(): Promise<void> {
    const milliseconds = this.#options.repeatDelaySeconds * 1000;
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => this.#io.clock.after(milliseconds, resolve));
  }

  async #disconnect(client: Client): Promise<void> {
    await client.disconnect(ReasonCode.Success, propertiesOf(this.#options, 'disconnect'));
  }

  #warn(text: string): void {
    if (!this.#options.isQuiet) this.#io.error(text);
  }

  #fail(error: unknown): number {
    if (!(error instanceof ClientError)) throw error;
    const { text, status } = failureOf(error, true);
    this.#warn(text);
    return status;
  }
}
