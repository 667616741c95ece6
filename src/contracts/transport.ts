/**
 * An ordered, lossless stream of bytes between the broker and one peer.
 *
 * The transport promises to call its handler one event at a time, never from inside `write`, and `onClose` exactly once. The
 * connection promises to set `handler` before it gives up control, and not to touch bytes it has handed over until
 * `pendingBytes` is 0, unless the transport copies them.
 */
export interface Peer {
  /** Address as text, IPv4 in its own notation; the socket's path for Unix sockets. */
  readonly address: string;
  /** 0 for Unix sockets. */
  readonly port: number;
  /** What the TLS handshake told; null without TLS. */
  readonly tls: PeerTls | null;
}

export interface PeerTls {
  /** As OpenSSL names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  readonly version: string;
  readonly cipher: string;
  /** User name from the client certificate, null when there is none or it is unusable. */
  readonly identity: string | null;
  /** Whose pre-shared key the client has; absent and null: it showed none. */
  readonly pskIdentity?: string | null;
  /** Whether the client's certificate is not good; such a peer gets no connection. */
  readonly isRefused?: boolean;
  /** Whether a load balancer found the client's certificate good; absent where there is none. */
  readonly hasCertificate?: boolean;
}

export interface TransportHandler {
  /** Bytes arrived; `bytes[start..end)` is valid during the call only. */
  onData(bytes: Buffer, start: number, end: number): void;
  /** Everything that was written has left. */
  onDrain(): void;
  /** The stream is over. `code` is Node's error code such as `ECONNRESET`, null when the peer simply closed. */
  onClose(code: string | null): void;
}

export interface Transport {
  readonly peer: Peer;
  handler: TransportHandler | null;
  /** Bytes written that the operating system has not taken yet. */
  readonly pendingBytes: number;
  /** Whether `write` is done with the bytes when it returns, so that they may be touched again although `pendingBytes` is not 0. */
  readonly copiesBytes?: boolean;
  /**
   * @param answerFrom - where an answer begins that the peer waits for, behind a packet that it answers at once; 0: nowhere.
   *   What is before goes first, and the answer as soon as the peer has confirmed that, so that it need not wait for us to
   *   confirm its own answer before it may send again (RFC 896 and a delayed acknowledgement: 40 ms)
   */
  write(bytes: Buffer, answerFrom?: number): void;
  /** Stops and restarts reading; bytes already read are still delivered. */
  pause(): void;
  resume(): void;
  /** Sends what is pending, then closes; a peer that does not take it is cut off after a short time. */
  end(): void;
  /** Closes at once and forgets what is pending. */
  destroy(): void;
}
