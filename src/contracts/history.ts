/**
 * What may be asked of the history: the messages of `history_topic` lines, in a database that outlives the process.
 *
 * Two views of the same messages. *Messages* are what was published, byte for byte. *Series* are the numbers in them: the
 * payload itself when it is a number, or the numbers of a JSON payload, each under the path that leads to it. Every answer is
 * bounded; what is larger is paged (`messages`) or streamed (`exported`).
 *
 * Whoever implements this is never in the event loop's way: the work is done by a worker thread, and a question waits for at
 * most one batch of writing. Questions never throw at once; their promises are rejected with a {@link HistoryFault}.
 *
 * Topic Filters here are those of MQTT without `$share`: `#` leaves out topics that begin with `$`. Times are milliseconds since
 * 1970 (wall clock of the broker when it accepted the message); a span is `fromMs <= time < toMs`.
 */

/** Why a question has no answer; everything else that a promise is rejected with is a fault of the program. */
export interface HistoryFault extends Error {
  readonly name: 'HistoryFault';
  /**
   * `invalid`: the question makes no sense, the message says why and names the parameter; `busy`: too many questions wait
   * already; `unavailable`: the database cannot be read at the moment (the disk, a broker that stops).
   */
  readonly code: 'invalid' | 'busy' | 'unavailable';
  /** The parameter that is wrong, for `invalid`. */
  readonly parameter: string | null;
}

/** One series: the numbers at one place of the payloads of one topic. */
export interface HistorySeries {
  readonly topic: string;
  /**
   * Where in the payload: '' when the payload itself is the number, else the path into the JSON value: `t`, `sensor.t`,
   * `list[0].t`. A key with characters other than letters, digits, `_`, `-` and those above U+007F stands in brackets:
   * `["a.b"].t`. `true` and `false` count as 1 and 0.
   */
  readonly field: string;
  /** Samples stored. */
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly lastValue: number;
}

export interface HistorySeriesRequest {
  /** Topic Filter; absent: every topic. */
  readonly filter?: string;
  /** 1..1000; absent: 1000. */
  readonly limit?: number;
  /** `next` of the answer before. */
  readonly cursor?: string;
}

export interface HistorySeriesPage {
  /** By topic, then field, in the order of their code points. */
  readonly series: readonly HistorySeries[];
  /** Cursor of what follows; null at the end. */
  readonly next: string | null;
}

/** What to plot. */
export interface HistoryQuery {
  /** Topic Name or Topic Filter. */
  readonly filter: string;
  /** One field of each topic; absent: all of them. */
  readonly field?: string;
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Width of a bucket in ms, at least 1; absent: such that there are at most `bucketsMax`. It is widened to the next of 1, 2, 5,
   * 10, 15, 30 s, 1, 2, 5, 10, 15, 30 min, 1, 2, 3, 6, 12 h, days, where there would be more than `bucketsMax` buckets.
   */
  readonly bucketMs?: number;
  /** 1..5000 per series; absent: 1000. */
  readonly bucketsMax?: number;
  /** 1..100 series; absent: 20. Which were left out is told by `isTruncated`. */
  readonly seriesMax?: number;
}

/**
 * The numbers of one series in buckets, column by column: index i of every column is the same bucket.
 *
 * A bucket without samples is not there: times jump where nothing was stored.
 */
export interface HistoryBuckets {
  readonly topic: string;
  readonly field: string;
  /** Start of each bucket in ms, a multiple of `bucketMs`, growing. */
  readonly times: readonly number[];
  readonly count: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly avg: readonly number[];
  /** The value stored last in the bucket. */
  readonly last: readonly number[];
  /**
   * Where a plot should have a hole: indexes i such that between `times[i - 1]` and `times[i]` much more time lies than between
   * others of the series (more than 5 times the median, and at least two buckets).
   */
  readonly gaps: readonly number[];
}

export interface HistoryQueryResult {
  readonly fromMs: number;
  readonly toMs: number;
  /** The width used. */
  readonly bucketMs: number;
  readonly series: readonly HistoryBuckets[];
  /** More series match than were asked for. */
  readonly isTruncated: boolean;
}

/** A message as it was published. */
export interface HistoryMessage {
  /**
   * Identity and order: microseconds since 1970, made unique; the last three digits only order messages of one millisecond. It
   * is a safe integer, and the cursor of the message: give it as `after` or `before`.
   */
  readonly id: number;
  readonly timeMs: number;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  /** Whether it was published with RETAIN. */
  readonly retain: boolean;
  /** Client Identifier of the publisher; '' for the broker itself. */
  readonly clientId: string;
  /** Valid as long as somebody holds it. */
  readonly payload: Uint8Array;
}

export interface HistoryMessagesRequest {
  /** Topic Name or Topic Filter. */
  readonly filter: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Only those with a greater id. */
  readonly after?: number;
  /** Only those with a smaller id. */
  readonly before?: number;
  /** `newest`: from the end backwards, absent: that. `oldest`: from the beginning onwards. */
  readonly order?: 'newest' | 'oldest';
  /** 1..1000; absent: 100. Payloads of a page have at most 4 MiB together, but one message always fits. */
  readonly limit?: number;
}

export interface HistoryMessagesPage {
  /** In the order asked for. May be fewer than `limit`, even none, although more follow. */
  readonly messages: readonly HistoryMessage[];
  /**
   * Where to go on in the same direction: give it as `before` (newest) or `after` (oldest). Null at the end.
   */
  readonly next: number | null;
}

/** `csv`: RFC 4180 with a head line, formula-safe. `jsonl`: one JSON object per line. Both UTF-8. */
export type HistoryFormat = 'csv' | 'jsonl';

export interface HistoryExportRequest {
  readonly format: HistoryFormat;
  /** `messages`: whole payloads. `samples`: the numbers, one per line. */
  readonly what: 'messages' | 'samples';
  readonly filter: string;
  /** For samples: one field; absent: all of them. */
  readonly field?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** How much one `history_topic` line holds. */
export interface HistoryRuleStats {
  readonly filter: string;
  /** null: no limit of its own. */
  readonly keepDays: number | null;
  readonly maxBytes: number | null;
  readonly topics: number;
  readonly messages: number;
  /** Bytes of the database that its messages and samples take, estimated from their sizes. */
  readonly bytes: number;
}

/** How one `history_sink` line does. */
export interface HistorySinkStats {
  /** Without user name, password and token. */
  readonly url: string;
  readonly kind: 'influx';
  /** Lines taken by the server, waiting to be sent, and given up, since the start. */
  readonly sent: number;
  readonly waiting: number;
  readonly waitingBytes: number;
  readonly dropped: number;
  /** What the last attempt failed with; null when it did not. */
  readonly fault: string | null;
}

export interface HistoryStats {
  /** Path of the database. */
  readonly file: string;
  readonly driver: 'node:sqlite' | 'node-sqlite3-wasm';
  /** Size of the file, the pages of it in use, and what `history_max_size` allows. */
  readonly fileBytes: number;
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly topics: number;
  readonly series: number;
  readonly messages: number;
  readonly samples: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** Since the start: written, and given up because the disk was too slow or failed. */
  readonly recorded: number;
  readonly dropped: number;
  /** Accepted by the broker and not yet in the database. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** How long the oldest of those has waited, in ms. */
  readonly lagMs: number;
  /** Why nothing is written at the moment; null when all is well. */
  readonly fault: string | null;
  readonly rules: readonly HistoryRuleStats[];
  readonly sinks: readonly HistorySinkStats[];
}

/** How the history keeps up: figures of {@link HistoryStats} that are known at once. */
export type HistoryLoad = Pick<HistoryStats, 'dropped' | 'waiting' | 'waitingBytes' | 'lagMs'>;

/** Everything that may be asked. A broker without `history_topic` has none. */
export interface History {
  /** Which series there are. */
  series(request: HistorySeriesRequest): Promise<HistorySeriesPage>;
  /** Numbers in buckets, for plots. Cheap for any span: long ones are answered from sums kept beside the samples. */
  query(request: HistoryQuery): Promise<HistoryQueryResult>;
  /** Messages, page by page, in both directions. */
  messages(request: HistoryMessagesRequest): Promise<HistoryMessagesPage>;
  /**
   * A whole export, oldest first (samples: series by series), in pieces of at most about 256 KiB. The next piece is made when it
   * is asked for, so memory stays flat however slow the reader is; `return()` of the iterator ends it. What is recorded after
   * the call is not in it.
   */
  exported(request: HistoryExportRequest): AsyncIterableIterator<Uint8Array>;
  stats(): Promise<HistoryStats>;
}
