/** Who gets the messages that arrive: an interceptor for a topic, else the callback and the stream. */
import type { PublishPacket } from '../codec/packet.ts';
import { MessageStream } from './message-stream.ts';

export class Deliveries {
  readonly #onMessage: ((message: PublishPacket) => unknown) | undefined;
  readonly #resume: () => void;
  /** Topic Name → who takes its messages; as many as the program asks for. */
  readonly #interceptors = new Map<string, (message: PublishPacket) => void>();
  #stream: MessageStream | undefined;
  #isOver = false;

  /** @param resume - goes on reading from the broker */
  constructor(onMessage: ((message: PublishPacket) => unknown) | undefined, resume: () => void) {
    this.#onMessage = onMessage;
    this.#resume = resume;
  }

  /** Returns false when reading should pause. */
  deliver(packet: PublishPacket): boolean {
    const interceptor = this.#interceptors.get(packet.topic);
    if (interceptor !== undefined) {
      interceptor(packet);
      return true;
    }
    const isWelcome = this.#onMessage?.(packet) !== false;
    return (this.#stream?.push(packet) ?? true) && isWelcome;
  }

  /** A new stream; an earlier one ends. */
  stream(): MessageStream {
    this.#stream?.end();
    const stream = new MessageStream(this.#resume, () => {
      if (this.#stream === stream) this.#stream = undefined;
    });
    this.#stream = stream;
    if (this.#isOver) stream.end();
    return stream;
  }

  intercept(topic: string, handler: (message: PublishPacket) => void): () => void {
    this.#interceptors.set(topic, handler);
    return () => this.#interceptors.delete(topic);
  }

  /** No more messages will come. */
  end(): void {
    this.#isOver = true;
    this.#stream?.end();
  }
}
