/** One page: its views, its credit. */
import * as v from 'valibot';
import type { MessageSocket, MessageSocketHandler } from '../../transport/message-socket.ts';
import { type LiveAnswer, liveRequest } from '../schema/live.ts';
import type { HttpServices } from '../services.ts';
import { StreamView } from './stream-view.ts';
import { TopicsView } from './topics-view.ts';
import { TreeView } from './tree-view.ts';
import type { View } from './view.ts';

const viewsMax = 16;
const firstCredit = 8;
const creditMax = 10_000;
/** A page that does not read gets nothing more until it does. */
const pendingBytesMax = 1024 * 1024;

export class LiveConnection implements MessageSocketHandler {
  readonly #services: HttpServices;
  readonly #socket: MessageSocket;
  readonly #onClosed: (connection: LiveConnection) => void;
  /** By the page's own name for it. */
  readonly #views = new Map<string, View>();
  #credit = firstCredit;

  constructor(
    services: HttpServices,
    socket: MessageSocket,
    intervalMs: number,
    onClosed: (connection: LiveConnection) => void,
  ) {
    this.#services = services;
    this.#socket = socket;
    this.#onClosed = onClosed;
    socket.handler = this;
    this.#send({ type: 'hello', nowMs: services.surroundings.clock.nowMs(), intervalMs, credit: firstCredit });
  }

  onText(text: string): void {
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      this.#send({ type: 'error', message: 'not JSON' });
      return;
    }
    const result = v.safeParse(liveRequest, given, { abortEarly: true });
    if (!result.success) {
      const [issue] = result.issues;
      this.#send({ type: 'error', message: `${v.getDotPath(issue) ?? ''}: ${issue.message}` });
      return;
    }
    const request = result.output;
    if (request.type === 'credit') {
      this.#credit = Math.min(creditMax, this.#credit + request.frames);
      return;
    }
    const known = this.#views.get(request.view);
    switch (request.type) {
      case 'pause':
      case 'resume':
        known?.pause(request.type === 'pause');
        return;
      case 'close':
        known?.close();
        this.#views.delete(request.view);
        return;
      case 'tree':
        if (known instanceof TreeView) known.change(request);
        else this.#open(request.view, () => new TreeView(this.#services, request));
        return;
      case 'topics':
        this.#open(request.view, () => new TopicsView(this.#services, request));
        return;
      case 'stream':
        this.#open(request.view, () => new StreamView(this.#services, request));
        return;
      default:
        request satisfies never;
    }
  }

  onClose(): void {
    for (const view of this.#views.values()) view.close();
    this.#views.clear();
    this.#onClosed(this);
  }

  /** What has changed, one frame for each view. */
  tick(nowMs: number): void {
    for (const view of this.#views.values()) {
      if (this.#credit === 0 || this.#socket.pendingBytes > pendingBytesMax) return;
      const frame = view.frame(nowMs);
      if (frame === null) continue;
      this.#credit--;
      this.#send(frame);
    }
  }

  /** @param text - a frame as JSON, the same for every page */
  sendText(text: string): void {
    if (this.#socket.pendingBytes <= pendingBytesMax) this.#socket.send(text);
  }

  probe(): void {
    this.#socket.probe();
  }

  end(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  #open(name: string, make: () => View): void {
    this.#views.get(name)?.close();
    this.#views.delete(name);
    if (this.#views.size >= viewsMax) {
      this.#send({ type: 'error', view: name, message: `There may be ${viewsMax} views.` });
      return;
    }
    this.#views.set(name, make());
  }

  #send(frame: LiveAnswer): void {
    this.#socket.send(JSON.stringify(frame));
  }
}
