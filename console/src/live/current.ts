/** The feed of this page, and how a component looks into it. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Feed, View, ViewAnswer, ViewWish } from './feed.ts';

export const currentFeed = signal<Feed | undefined>(undefined);

/**
 * A view that lives as long as the component; a changed wish is sent on.
 *
 * @param wish - undefined: nothing is visible
 */
export function useView(
  wish: ViewWish | undefined,
  onAnswer: (answer: ViewAnswer) => void,
): { readonly current: View | undefined } {
  const feed = currentFeed.value;
  const view = useRef<View | undefined>(undefined);
  const handler = useRef(onAnswer);
  handler.current = onAnswer;
  const key = wish === undefined ? '' : JSON.stringify(wish);
  const asked = useRef('');

  useEffect(() => {
    if (feed === undefined || wish === undefined) return undefined;
    asked.current = key;
    view.current = feed.open(wish, (answer) => handler.current(answer));
    return () => {
      view.current?.close();
      view.current = undefined;
    };
  }, [feed, wish?.type]);
  useEffect(() => {
    if (wish === undefined || asked.current === key) return;
    asked.current = key;
    view.current?.ask(wish);
  }, [key]);
  return view;
}
