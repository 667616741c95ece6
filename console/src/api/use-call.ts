import { useEffect, useState } from 'preact/hooks';
import { type Answer, type CallOptions, call, isAbort, messageOf, type RouteKey } from './call.ts';

/** What is known of an answer: the last good one stays while a newer is asked for. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: string | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/**
 * Ask a route whenever the key changes, and again every so many milliseconds while the page is visible.
 *
 * @param key - undefined: ask nothing
 */
export function useCall<K extends RouteKey>(
  route: K,
  options: CallOptions<K> | undefined,
  everyMs = 0,
): Loaded<Answer<K>> {
  const [state, setState] = useState<Omit<Loaded<Answer<K>>, 'reload'>>({
    data: undefined,
    error: undefined,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  const key = options === undefined ? undefined : JSON.stringify([route, options.path, options.query]);

  useEffect(
    () => setState({ data: undefined, error: undefined, isLoading: key !== undefined }),
    [route, JSON.stringify(options?.path)],
  );
  useEffect(() => {
    if (options === undefined) return undefined;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        if (document.visibilityState === 'visible' || everyMs === 0) {
          const data = await call(route, { ...options, signal: stop.signal });
          setState({ data, error: undefined, isLoading: false });
        }
      } catch (error) {
        if (isAbort(error)) return;
        setState((before) => ({ ...before, error: messageOf(error), isLoading: false }));
      }
      if (everyMs > 0 && !stop.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [key, everyMs, round]);
  return { ...state, reload: () => setRound((before) => before + 1) };
}
