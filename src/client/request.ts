/**
 * Requests and responses (MQTT 5.0 §4.10): one response topic, and Correlation Data to tell the responses apart.
 *
 * At most 65,535 requests may be open at the same time.
 */
import type { Timer } from '../base/clock.ts';
import type { PublishPacket, QoS } from '../codec/packet.ts';
import type { Client } from './client.ts';
import { ClientError } from './client-error.ts';

/** Options of {@link RequestChannel.request}. */
export interface RequestOptions {
  /** Default 1. */
  readonly qos?: QoS;
  /** Milliseconds until the request is given up; default 10,000. */
  readonly timeoutMs?: number;
}

interface OpenRequest {
  resolve(message: PublishPacket): void;
  reject(error: ClientError): void;
  readonly timer: Timer;
}

const OPEN_MAX = 65_535;

export class RequestChannel {
  readonly #client: Client;
  readonly #responseTopic: string;
  /** Correlation Data in hexadecimal → request. */
  readonly #open = new Map<string, OpenRequest>();
  #stop: (() => void) | undefined;

  /** @param responseTopic - a topic that nobody else uses, such as `responses/<client id>` */
  constructor(client: Client, responseTopic: string) {
    if (client.protocolVersion !== 5) throw new ClientError('invalid', 'requests need MQTT 5.0');
    this.#client = client;
    this.#responseTopic = responseTopic;
  }

  /** Subscribes to the response topic. To be called once, before the first request. */
  async start(): Promise<void> {
    this.#stop = this.#client.intercept(this.#responseTopic, (message) => this.#receive(message));
    const { reasonCodes } = await this.#client.subscribe({ filter: this.#responseTopic, qos: 1 });
    if ((reasonCodes[0] ?? 0x80) >= 0x80) {
      throw new ClientError('rejected', `the broker refused the subscription to ${this.#responseTopic}`);
    }
  }

  /**
   * Publishes a request and waits for its response.
   *
   * @throws ClientError - `timeout`, or what publish throws
   */
  request(topic: string, payload: Buffer | string, options: RequestOptions = {}): Promise<PublishPacket> {
    if (this.#open.size >= OPEN_MAX) return Promise.reject(new ClientError('full', 'too many requests are open'));
    const correlationData = this.#client.clock.randomBytes(16);
    const key = correlationData.toString('hex');
    return new Promise((resolve, reject) => {
      const timer = this.#client.clock.after(options.timeoutMs ?? 10_000, () => {
        this.#open.delete(key);
        reject(new ClientError('timeout', `no response to a request on ${topic}`));
      });
      this.#open.set(key, { resolve, reject, timer });
      this.#client
        .publish(topic, payload, {
          qos: options.qos ?? 1,
          properties: { responseTopic: this.#responseTopic, correlationData },
        })
        .catch((error: unknown) => {
          timer.cancel();
          this.#open.delete(key);
          reject(error);
        });
    });
  }

  /** Unsubscribes; open requests are given up. */
  async close(): Promise<void> {
    this.#stop?.();
    for (const request of this.#open.values()) {
      request.timer.cancel();
      request.reject(new ClientError('closed', 'the request channel was closed'));
    }
    this.#open.clear();
    if (this.#client.isConnected) await this.#client.unsubscribe(this.#responseTopic);
  }

  #receive(message: PublishPacket): void {
    const key = message.properties.correlationData?.toString('hex') ?? '';
    const request = this.#open.get(key);
    if (request === undefined) return; // too late, or not ours
    this.#open.delete(key);
    request.timer.cancel();
    request.resolve(message);
  }
}
