/** `moustique_sub`: subscribes and prints what arrives. */
import { nextTick } from 'node:process';
import {
  Client,
  type ClientError,
  filterMatches,
  type Properties,
  type PublishPacket,
  ReasonCode,
  type SubscriptionRequest,
} from '../client/index.ts';
import { clientSettings, propertiesOf } from './client-settings.ts';
import { ExitCode, errnoCode, errnoText, INTERRUPTED_STATUS, USAGE_STATUS } from './exit-code.ts';
import { failureOf } from './failure.ts';
import { MessagePrinter } from './message-printer.ts';
import { OutputBuffer } from './output-buffer.ts';
import { runTool } from './run-tool.ts';
import type { ToolIo } from './tool-io.ts';
import type { ToolOptions } from './tool-options.ts';
import { packetTrace } from './trace.ts';
import { WatchScreen } from './watch-screen.ts';

/** @returns the exit status */
export function main(words: readonly string[], io: ToolIo): Promise<number> {
  return runTool('sub', words, io, async (options) => {
    if (options.skipRetained && options.isRetainedOnly) {
      io.error("\nError: Combining '-R' and '--retained-only' makes no sense.\n");
      return USAGE_STATUS;
    }
    return new Subscriber(options, io).run();
  });
}

/** Waits a second between attempts, for ever, as Mosquitto does. */
const RECONNECT_DELAY_MS = 1000;

/** Printed bytes that are gathered before they are handed on within one turn. */
const GATHERED_BYTES = 65_536;

/** Output that follows an earlier one within this time waits for more. */
const QUICK_SUCCESSION_MS = 1;
const GATHERING_MS = 2;

class Subscriber {
  readonly #options: ToolOptions;
  readonly #io: ToolIo;
  readonly #out = new OutputBuffer();
  readonly #printer: MessagePrinter;
  readonly #watch: WatchScreen | undefined;
  readonly #client: Client;
  /** Printing is over: what still arrives is acknowledged and dropped. */
  #isDone = false;
  #printed = 0;
  #ratedMessages = 0;
  #isFlushScheduled = false;
  #flushedMs = 0;
  #isBlocked = false;
  #finish: (status: number) => void = () => {};
  /** Retained messages whose removal the broker has not acknowledged. */
  #removals = 0;

  constructor(options: ToolOptions, io: ToolIo) {
    this.#options = options;
    this.#io = io;
    this.#printer = new MessagePrinter(this.#out, {
      format: options.format,
      isVerbose: options.isVerbose,
      hasNewline: options.hasNewline && !options.isWatch,
      isPretty: options.isPretty,
      isTerminal: io.stdout.isTerminal,
      now: io.now,
      complain: (text) => this.#complain(`${text}\n`),
    });
    this.#watch = options.isWatch ? new WatchScreen(this.#out) : undefined;
    this.#client = this.#makeClient();
  }

  async run(): Promise<number> {
    const { timeoutSeconds, isMessageRate } = this.#options;
    const ended = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    this.#io.stdout.onDrain(() => this.#unblock());
    this.#io.stdout.onClose((error) => this.#outputEnded(error));
    this.#io.onSignal(() => this.#interrupt());
    const timer =
      timeoutSeconds === undefined ? undefined : this.#io.clock.after(timeoutSeconds * 1000, () => this.#timeOut());
    const rate = isMessageRate ? this.#io.clock.every(1000, () => this.#printRate()) : undefined;
    this.#client.start().catch((error: unknown) => this.#fail(error as ClientError));
    const status = await ended;
    timer?.cancel();
    rate?.cancel();
    this.#flush();
    return status;
  }

  #makeClient(): Client {
    const options = this.#options;
    const settings = clientSettings(options, this.#io);
    const trace = packetTrace(
      options.protocolVersion,
      () => this.#client.clientId,
      (line) => this.#print(`${line}\n`),
    );
    return new Client({
      ...settings,
      connectProperties: this.#connectProperties(settings.connectProperties ?? {}),
      reconnect: {
        initialDelayMs: RECONNECT_DELAY_MS,
        maximumDelayMs: RECONNECT_DELAY_MS,
        shouldRetry: (error, hasConnected) => shouldRetry(error, hasConnected),
      },
      onConnect: () => void this.#subscribe(),
      onConnectFailure: (error) => this.#complain(`${failureOf(error, false).text.trimEnd()} Trying again.\n`),
      onDisconnect: (error, willReconnect) => {
        if (!willReconnect) this.#fail(error);
      },
      onMessage: (message) => this.#receive(message),
      ...(options.isDebug && { onPacketSent: trace.sent, onPacketReceived: trace.received }),
    });
  }

  /** With `-C` the broker need not send more than are wanted. */
  #connectProperties(given: Properties): Properties {
    const { messageCount, protocolVersion } = this.#options;
    const isFew = messageCount !== undefined && messageCount < 20;
    if (protocolVersion !== 5 || !isFew || 'receiveMaximum' in given) return given;
    return { ...given, receiveMaximum: messageCount };
  }

  async #subscribe(): Promise<void> {
    const { topics, unsubscribes, isDebug, isExitAfterSuback } = this.#options;
    try {
      const answers: Promise<unknown>[] = [];
      if (topics.length > 0) {
        const requests = topics.map(this.#request);
        answers.push(
          this.#client.subscribe(requests, propertiesOf(this.#options, 'subscribe'), (outcome) => {
            const codes = outcome.reasonCodes;
            if (isDebug) this.#print(`Subscribed (mid: ${outcome.packetId}): ${codes.join(', ')}\n`);
            if (codes.every((code) => code >= 0x80)) {
              this.#complain('All subscription requests were denied.\n');
              this.#disconnect(ExitCode.Success);
            }
          }),
        );
      }
      for (const filter of unsubscribes) {
        answers.push(this.#client.unsubscribe(filter, propertiesOf(this.#options, 'unsubscribe')));
      }
      await Promise.all(answers);
      if (isExitAfterSuback) this.#disconnect(ExitCode.Success);
    } catch (error) {
      // A lost connection is made again, and so are the subscriptions.
      const { kind } = error as ClientError;
      if (kind === 'unsupported' || kind === 'too-large' || kind === 'invalid') this.#fail(error as ClientError);
    }
  }

  readonly #request = (filter: string): SubscriptionRequest => {
    const { qos, retainAsPublished, skipRetained } = this.#options;
    const isV5 = this.#options.protocolVersion === 5;
    const retainHandling = this.#options.retainHandling ?? (skipRetained ? 2 : 0);
    return {
      filter,
      qos,
      retainAsPublished: isV5 && retainAsPublished,
      retainHandling: isV5 ? retainHandling : 0,
    };
  };

  /** @returns false when reading should pause */
  #receive(message: PublishPacket): boolean {
    const options = this.#options;
    if (this.#isDone) return true;
    if (options.isRetainedOnly && !message.retain) {
      this.#done();
      return true;
    }
    if (options.skipRetained && message.retain) return true;
    if (options.filterOuts.some((filter) => filterMatches(filter, message.topic))) return true;
    if (options.removeRetained && message.retain) this.#remove(message.topic);
    if (options.isMessageRate) {
      this.#ratedMessages++;
      return true;
    }
    if (options.randomFilterPercent < 100 && !this.#isChosen()) return true;
    this.#watch?.begin(message.topic);
    this.#printer.print(message);
    this.#watch?.end();
    this.#scheduleFlush();
    this.#printed++;
    if (this.#printed === options.messageCount) this.#done();
    return !this.#isBlocked;
  }

  #isChosen(): boolean {
    const chance = this.#io.clock.randomBytes(4).readUInt32BE(0) / 2 ** 32;
    return chance * 100 < this.#options.randomFilterPercent;
  }

  #remove(topic: string): void {
    this.#removals++;
    this.#client.send({ topic, payload: Buffer.alloc(0), qos: 1, retain: true, properties: {} }, () => {
      this.#removals--;
      if (this.#isDone && this.#removals === 0) this.#disconnect(ExitCode.Success);
    });
  }

  /** Everything wanted was printed. */
  #done(): void {
    this.#isDone = true;
    if (this.#removals === 0) this.#disconnect(ExitCode.Success);
  }

  #interrupt(): void {
    if (!this.#client.isConnected) {
      this.#end(INTERRUPTED_STATUS);
      return;
    }
    this.#disconnect(ExitCode.Success, ReasonCode.DisconnectWithWillMessage);
  }

  #timeOut(): void {
    this.#disconnect(ExitCode.Timeout, ReasonCode.DisconnectWithWillMessage);
    this.#complain('Timed out\n');
  }

  #disconnect(status: number, reasonCode: 0x00 | 0x04 = ReasonCode.Success): void {
    this.#isDone = true;
    const code = this.#options.protocolVersion === 5 ? reasonCode : ReasonCode.Success;
    void this.#client.disconnect(code, propertiesOf(this.#options, 'disconnect')).then(() => this.#end(status));
  }

  #fail(error: ClientError): void {
    if (this.#isDone || error.kind === 'closed') return;
    const { text, status } = failureOf(error, false);
    this.#complain(text);
    this.#end(status);
  }

  #end(status: number): void {
    this.#isDone = true;
    this.#finish(status);
  }

  #complain(text: string): void {
    if (this.#options.isQuiet) return;
    this.#flush();
    this.#io.error(text);
  }

  /** Nobody reading any more is the usual end of a pipe; anything else is a fault. */
  #outputEnded(error: Error): void {
    const isUsual = errnoCode(error) === 'EPIPE';
    if (!isUsual) this.#complain(`Error: Unable to write: ${errnoText(error)}.\n`);
    this.#end(isUsual ? ExitCode.Success : ExitCode.Errno);
  }

  #printRate(): void {
    this.#print(`${this.#ratedMessages} msgs/s\n`);
    this.#ratedMessages = 0;
  }

  #print(text: string): void {
    this.#out.utf8(text);
    this.#scheduleFlush();
  }

  /**
   * A message that comes alone is written at the end of its turn. When they come in quick succession each turn would cost a system
   * call, so then they are written together, two milliseconds later at most.
   */
  #scheduleFlush(): void {
    if (this.#out.length >= GATHERED_BYTES) this.#flush();
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    const flush = () => {
      this.#isFlushScheduled = false;
      this.#flush();
    };
    if (this.#io.now() - this.#flushedMs < QUICK_SUCCESSION_MS) this.#io.clock.after(GATHERING_MS, flush);
    else nextTick(flush);
  }

  #flush(): void {
    if (this.#out.length === 0) return;
    this.#flushedMs = this.#io.now();
    const { stdout } = this.#io;
    if (stdout.isSynchronous) {
      stdout.write(this.#out.peek());
      this.#out.clear();
    } else if (!stdout.write(this.#out.take())) {
      this.#isBlocked = true;
      this.#client.pause();
    }
  }

  #unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#client.resume();
  }
}

/** A connection that was made once is made again whatever ended it; at first only one that was cut off before CONNACK. */
function shouldRetry(error: ClientError, hasConnected: boolean): boolean {
  switch (error.kind) {
    case 'lost':
    case 'timeout':
      return true;
    case 'dial':
    case 'keep-alive':
    case 'disconnected':
      return hasConnected;
    default:
      return false;
  }
}
