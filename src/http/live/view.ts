/** What a page looks at; it makes at most one frame each time it is asked. */
import type { LiveAnswer } from '../schema/live.ts';

export interface View {
  /** What has changed since the last frame; null: nothing. */
  frame(nowMs: number): LiveAnswer | null;
  pause(isPaused: boolean): void;
  close(): void;
}
