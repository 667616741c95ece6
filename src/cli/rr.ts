/** `moustique_rr`: publishes a request and prints the first response. */
import { Client, type ClientError, type PublishPacket, ReasonCode } from '../client/index.ts';
import { clientSettings, propertiesOf } from './client-settings.ts';
import { ExitCode, INTERRUPTED_STATUS, USAGE_STATUS } from './exit-code.ts';
import { failureOf } from './failure.ts';
import { MessagePrinter } from './message-printer.ts';
import { OutputBuffer } from './output-buffer.ts';
import { loadPayload } from './payload-source.ts';
import { runTool } from './run-tool.ts';
import type { ToolIo } from './tool-io.ts';
import type { ToolOptions } from './tool-options.ts';
import { packetTrace } from './trace.ts';

/** @returns the exit status */
export function main(words: readonly string[], io: ToolIo): Promise<number> {
  return runTool('rr', words, io, async (options) => {
    const [topic] = options.topics;
    const { source, responseTopic } = options;
    if (topic === undefined || source === undefined || responseTopic === undefined || source.from === 'lines') {
      return USAGE_STATUS; // refused before
    }
    const loaded = await loadPayload(source, () => io.stdin);
    if ('error' in loaded) {
      io.error(loaded.error);
      return USAGE_STATUS;
    }
    return new Requester(options, io, topic, responseTopic, loaded.payload).run();
  });
}

class Requester {
  readonly #options: ToolOptions;
  readonly #io: ToolIo;
  readonly #topic: string;
  readonly #responseTopic: string;
  readonly #payload: Buffer;
  readonly #out = new OutputBuffer();
  readonly #printer: MessagePrinter;
  readonly #client: Client;
  #isDone = false;
  #sentMs = 0;
  #finish: (status: number) => void = () => {};

  constructor(options: ToolOptions, io: ToolIo, topic: string, responseTopic: string, payload: Buffer) {
    this.#options = options;
    this.#io = io;
    this.#topic = topic;
    this.#responseTopic = responseTopic;
    this.#payload = payload;
    this.#printer = new MessagePrinter(this.#out, {
      format: options.format,
      isVerbose: options.isVerbose,
      hasNewline: options.hasNewline,
      isPretty: options.isPretty,
      isTerminal: io.stdout.isTerminal,
      now: io.now,
      complain: (text) => this.#complain(`${text}\n`),
    });
    this.#client = this.#makeClient();
  }

  async run(): Promise<number> {
    const { timeoutSeconds } = this.#options;
    const ended = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    this.#io.onSignal(() => {
      if (this.#client.isConnected) this.#disconnect(ExitCode.Success, ReasonCode.DisconnectWithWillMessage);
      else this.#end(INTERRUPTED_STATUS);
    });
    const timer =
      timeoutSeconds === undefined ? undefined : this.#io.clock.after(timeoutSeconds * 1000, () => this.#timeOut());
    this.#request().catch((error: unknown) => this.#fail(error as ClientError));
    const status = await ended;
    timer?.cancel();
    return status;
  }

  #makeClient(): Client {
    const options = this.#options;
    const trace = packetTrace(
      options.protocolVersion,
      () => this.#client.clientId,
      (line) => this.#io.stdout.text(`${line}\n`),
    );
    return new Client({
      ...clientSettings(options, this.#io),
      onMessage: (message) => this.#receive(message),
      onDisconnect: (error) => this.#fail(error),
      ...(options.isDebug && { onPacketSent: trace.sent, onPacketReceived: trace.received }),
    });
  }

  /** The subscription stands before the request leaves, so that no response is missed. */
  async #request(): Promise<void> {
    const { qos, protocolVersion, retainHandling, skipRetained } = this.#options;
    await this.#client.start();
    const isV5 = protocolVersion === 5;
    const handling = isV5 ? (retainHandling ?? (skipRetained ? 2 : 0)) : 0;
    const outcome = await this.#client.subscribe(
      { filter: this.#responseTopic, qos, retainHandling: handling },
      propertiesOf(this.#options, 'subscribe'),
    );
    if (outcome.reasonCodes.every((code) => code >= 0x80)) {
      this.#complain('All subscription requests were denied.\n');
      this.#disconnect(ExitCode.Success);
      return;
    }
    this.#sentMs = this.#io.now();
    await this.#client.publish(this.#topic, this.#payload, {
      qos,
      properties: isV5 ? { ...propertiesOf(this.#options, 'publish'), responseTopic: this.#responseTopic } : {},
    });
  }

  #receive(message: PublishPacket): void {
    if (this.#isDone || (this.#options.skipRetained && message.retain)) return;
    const tookMs = this.#io.now() - this.#sentMs;
    this.#printer.print(message);
    if (this.#options.isLatency) this.#out.utf8(`Latency: ${latencyText(tookMs)}\n`);
    this.#io.stdout.write(this.#out.take());
    this.#disconnect(ExitCode.Success);
  }

  #timeOut(): void {
    this.#disconnect(ExitCode.Timeout, ReasonCode.DisconnectWithWillMessage);
    this.#complain('Timed out\n');
  }

  #disconnect(status: number, reasonCode: 0x00 | 0x04 = ReasonCode.Success): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const code = this.#options.protocolVersion === 5 ? reasonCode : ReasonCode.Success;
    void this.#client.disconnect(code, propertiesOf(this.#options, 'disconnect')).then(() => this.#end(status));
  }

  #fail(error: ClientError): void {
    if (this.#isDone || error.kind === 'closed') return;
    this.#isDone = true;
    const { text, status } = failureOf(error, false);
    this.#complain(text);
    this.#client.destroy();
    this.#end(status);
  }

  #end(status: number): void {
    this.#isDone = true;
    this.#finish(status);
  }

  #complain(text: string): void {
    if (!this.#options.isQuiet) this.#io.error(text);
  }
}

/** In the unit that suits it, as Mosquitto 2.1 does. */
export function latencyText(milliseconds: number): string {
  const nanoseconds = Math.round(milliseconds * 1e6);
  if (nanoseconds < 1000) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000) return `${(nanoseconds / 1000).toFixed(6)}µs`;
  if (nanoseconds < 1_000_000_000) return `${(nanoseconds / 1e6).toFixed(6)}ms`;
  return `${Math.floor(nanoseconds / 1e9)}.${String(nanoseconds % 1_000_000_000).padStart(9, '0')}s`;
}
