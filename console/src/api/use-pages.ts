import { useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, messageOf } from './call.ts';

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

/** How long somebody who types is waited for. */
const typingMs = 120;
/** A page is asked for when fewer rows than this are left below what is visible. */
const aheadRows = 50;

export interface Pages<Item, P extends Page<Item>> {
  readonly items: readonly Item[];
  /** The newest page; undefined before the first. */
  readonly page: P | undefined;
  readonly error: string;
  /** To be told which rows are visible: asks for the next page where they end. */
  readonly onRange: (from: number, to: number) => void;
  readonly reload: () => void;
}

/**
 * A list that comes page by page: from the beginning when the question changes, further when it is looked at.
 *
 * @param query - the question, without a cursor
 * @param ask - sends it
 */
export function usePages<Query extends object, Item, P extends Page<Item>>(
  query: Query,
  ask: (query: Query & { readonly cursor?: string }, signal: AbortSignal) => Promise<P & Page<Item>>,
): Pages<Item, P> {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [page, setPage] = useState<P | undefined>(undefined);
  const [error, setError] = useState('');
  const [round, setRound] = useState(0);
  /** The request that is on its way: there is at most one. */
  const asking = useRef<AbortController | undefined>(undefined);

  const load = async (cursor?: string): Promise<void> => {
    asking.current?.abort();
    const stop = new AbortController();
    asking.current = stop;
    try {
      const answer = await ask(cursor === undefined ? query : { ...query, cursor }, stop.signal);
      setError('');
      setPage(answer);
      setItems((before) => (cursor === undefined ? answer.items : [...before, ...answer.items]));
    } catch (failure) {
      if (!isAbort(failure)) setError(messageOf(failure));
    } finally {
      if (asking.current === stop) asking.current = undefined;
    }
  };
  useEffect(() => {
    asking.current?.abort();
    asking.current = undefined;
    const timer = setTimeout(() => void load(), typingMs);
    return () => {
      clearTimeout(timer);
      asking.current?.abort();
    };
  }, [JSON.stringify(query), round]);

  const onRange = (_: number, to: number): void => {
    const cursor = page?.nextCursor ?? undefined;
    if (cursor !== undefined && asking.current === undefined && to > items.length - aheadRows) void load(cursor);
  };
  return { items, page, error, onRange, reload: () => setRound((before) => before + 1) };
}
