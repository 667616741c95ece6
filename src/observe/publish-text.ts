/** How a text is to be published. */
export interface PublishTextOptions {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Message Expiry Interval in seconds; none when left out. */
  readonly expirySeconds?: number;
}

/** The way of `$SYS` values and log lines into the broker, which publishes them as a client without a name. */
export type PublishText = (topicName: string, payload: string, options: PublishTextOptions) => void;
