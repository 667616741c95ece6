/** What a client may do. Asked on the way of every message, so implementations should answer at once when they can. */
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Publisher } from './message.ts';

/** Publish to a Topic Name, or subscribe to a Topic Filter. */
export type Action = 'publish' | 'subscribe';

export interface Authorizer {
  /**
   * @param topic - Topic Name for `publish`, Topic Filter (with `$share/group/`) for `subscribe`
   * @returns whether it is allowed; a rejected promise counts as no
   */
  authorize(client: Publisher, action: Action, topic: string): MaybePromise<boolean>;
}
