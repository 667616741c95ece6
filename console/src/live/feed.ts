/**
 * The live feed: one WebSocket for all views of the page. A view says what is visible and gets what has changed in it.
 * Each frame costs the server one credit, which is given back when the frame was drawn, so a slow page is asked for less.
 */

import { signal } from '@preact/signals';
import type { LiveAnswer, LiveRequest } from '../api/types.ts';

/** What a view asks for; the feed repeats it when the connection is made again. */
export type ViewRequest = Extract<LiveRequest, { type: 'tree' | 'topics' | 'stream' }>;
/** A request without the name of its view. */
export type ViewWish = ViewRequest extends infer R ? (R extends ViewRequest ? Omit<R, 'view'> : never) : never;
export type ViewAnswer =
  | Extract<LiveAnswer, { type: 'tree' | 'update' | 'messages' }>
  | { readonly type: 'error'; readonly message: string };
export type Counters = Extract<LiveAnswer, { type: 'counters' }>;

export interface View {
  /** Ask for something else in this view. */
  ask(wish: ViewWish): void;
  pause(): void;
  resume(): void;
  close(): void;
}

/** Where live values come from: the broker's own feed, or a broker of another make. */
export interface Feed {
  open(wish: ViewWish, onAnswer: (answer: ViewAnswer) => void): View;
  close(): void;
}

export type FeedState = 'connecting' | 'live' | 'lost';

export const feedState = signal<FeedState>('connecting');
export const counters = signal<Counters | undefined>(undefined);
/** Server's clock minus ours, in ms. */
export const clockSkewMs = signal(0);

/** Time on the server. */
export const serverNow = (): number => Date.now() + clockSkewMs.value;

const creditAtOnce = 50;
const retryFirstMs = 500;
const retryMaxMs = 15_000;

interface OpenView {
  request: ViewRequest;
  isPaused: boolean;
  readonly onAnswer: (answer: ViewAnswer) => void;
}

export class SocketFeed implements Feed {
  readonly #url: string;
  readonly #views = new Map<string, OpenView>();
  #socket: WebSocket | undefined;
  #lastView = 0;
  #retryMs = retryFirstMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toReturn = 0;
  #isClosed = false;

  constructor(url: string) {
    this.#url = url;
    this.#connect();
  }

  open(wish: ViewWish, onAnswer: (answer: ViewAnswer) => void): View {
    this.#lastView += 1;
    const view = `v${this.#lastView}`;
    const entry: OpenView = { request: { ...wish, view } as ViewRequest, isPaused: false, onAnswer };
    this.#views.set(view, entry);
    this.#send(entry.request);
    return {
      ask: (next) => {
        entry.request = { ...next, view } as ViewRequest;
        this.#send(entry.request);
      },
      pause: () => {
        entry.isPaused = true;
        this.#send({ type: 'pause', view });
      },
      resume: () => {
        entry.isPaused = false;
        this.#send({ type: 'resume', view });
      },
      close: () => {
        this.#views.delete(view);
        this.#send({ type: 'close', view });
      },
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    feedState.value = this.#retryMs === retryFirstMs ? 'connecting' : 'lost';
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('message', (event: MessageEvent<string>) =>
      this.#receive(JSON.parse(event.data) as LiveAnswer),
    );
    socket.addEventListener('open', () => {
      this.#retryMs = retryFirstMs;
      feedState.value = 'live';
      for (const { request, isPaused } of this.#views.values()) {
        this.#send(request);
        if (isPaused) this.#send({ type: 'pause', view: request.view });
      }
    });
    socket.addEventListener('close', () => {
      if (this.#isClosed) return;
      feedState.value = 'lost';
      this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(retryMaxMs, this.#retryMs * 2);
    });
  }

  #send(request: LiveRequest): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request));
  }

  #receive(answer: LiveAnswer): void {
    switch (answer.type) {
      case 'hello':
        clockSkewMs.value = answer.nowMs - Date.now();
        return;
      case 'counters':
        counters.value = answer;
        return;
      case 'error':
        if (answer.view !== undefined) this.#views.get(answer.view)?.onAnswer(answer);
        return;
      case 'tree':
      case 'update':
      case 'messages':
        this.#views.get(answer.view)?.onAnswer(answer);
        this.#giveCredit();
        return;
      default:
        answer satisfies never;
    }
  }

  /** Credit goes back after the browser has drawn: a page that cannot keep up gives less. */
  #giveCredit(): void {
    this.#toReturn += 1;
    if (this.#toReturn > 1) return;
    const giveBack = (): void => {
      const frames = Math.min(creditAtOnce, this.#toReturn);
      this.#toReturn = 0;
      this.#send({ type: 'credit', frames });
    };
    if (document.visibilityState === 'visible') requestAnimationFrame(giveBack);
    else setTimeout(giveBack, 1000);
  }
}
