import { useEffect, useRef, useState } from 'preact/hooks';
import { call, isAbort, messageOf, urlOf } from '../api/call.ts';
import type { ShownMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { MessageView } from '../inspect/message-view.tsx';
import { NoHistory } from '../plot/no-history.tsx';
import { RangePicker, rangeOf } from '../plot/range-picker.tsx';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { tallRowHeight } from '../ui/narrow.ts';
import { VirtualRows } from '../ui/virtual-rows.tsx';
import { MessageRow } from './message-row.tsx';
import { shownFromStored } from './stored-message.ts';

const pageSize = 200;
/** Messages listed at most; whoever needs more exports them. */
const listedMax = 10_000;

interface Listed {
  readonly items: readonly ShownMessage[];
  readonly cursor: string | null;
  readonly error: string;
  readonly isNone: boolean;
  readonly isLoading: boolean;
}

/** What the broker stored of a filter, page by page. */
export function HistoryMessages({ filter }: { filter: string }) {
  const [listed, setListed] = useState<Listed>({ items: [], cursor: null, error: '', isNone: false, isLoading: true });
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ShownMessage | undefined>(undefined);
  const range = rangeOf();
  const span = { filter, fromMs: String(range.fromMs), toMs: String(range.toMs) };

  const asking = useRef<AbortController | undefined>(undefined);

  const load = async (cursor: string | undefined): Promise<void> => {
    // What another filter asked for must not come after this.
    asking.current?.abort();
    const stop = new AbortController();
    asking.current = stop;
    setListed((before) => ({ ...before, isLoading: true }));
    try {
      const page = await call('GET /history/messages', {
        query: { ...span, limit: String(pageSize), ...(cursor === undefined ? {} : { cursor }) },
        signal: stop.signal,
      });
      setListed((before) => ({
        items: [...(cursor === undefined ? [] : before.items), ...page.items.map(shownFromStored)],
        cursor: page.nextCursor,
        error: '',
        isNone: false,
        isLoading: false,
      }));
    } catch (error) {
      if (isAbort(error)) return;
      const isNone = (error as { code?: string }).code === 'no-history';
      setListed({ items: [], cursor: null, error: messageOf(error), isNone, isLoading: false });
    }
  };
  useEffect(() => {
    setChosen(undefined);
    void load(undefined);
    return () => asking.current?.abort();
  }, [filter, range.key]);

  if (listed.isNone) return <NoHistory filter={filter} />;
  const { items } = listed;
  return (
    <div class="stream">
      <RangePicker />
      <div class="bar small">
        <span class="muted" role="status">
          {listed.error !== ''
            ? listed.error
            : listed.isLoading
              ? t('loading')
              : t('stream.shown', { n: items.length })}
        </span>
        <span class="grow" />
        <a class="button quiet" href={urlOf('/history/export', { ...span, format: 'csv' })} download="history.csv">
          <Icon name="download" /> CSV
        </a>
        <a class="button quiet" href={urlOf('/history/export', { ...span, format: 'jsonl' })} download="history.jsonl">
          <Icon name="download" /> JSONL
        </a>
      </div>
      <VirtualRows
        class="messages"
        role="listbox"
        label={t('messages.history')}
        count={items.length}
        rowHeight={tallRowHeight.value}
        active={Math.min(active, Math.max(0, items.length - 1))}
        onActive={setActive}
        onKey={(event, index) => {
          if (event.key !== 'Enter' && event.key !== ' ') return false;
          setChosen(items[index]);
          return true;
        }}
        render={(place) => {
          const message = items[place.index];
          return message === undefined ? null : (
            <MessageRow
              key={place.index}
              place={place}
              message={message}
              isMarked={message === chosen}
              onMark={() => setChosen(message)}
              onOpen={() => {
                setActive(place.index);
                setChosen(message);
              }}
            />
          );
        }}
      />
      {listed.cursor !== null && items.length < listedMax ? (
        <Button disabled={listed.isLoading} onClick={() => void load(listed.cursor ?? undefined)}>
          {t('more')}
        </Button>
      ) : null}
      {items.length === 0 && !listed.isLoading ? <p class="empty">{t('history.nothing')}</p> : null}
      {chosen === undefined ? null : (
        <section class="chosen" aria-label={t('message.label')}>
          <div class="bar small">
            <strong class="grow">{t('message.label')}</strong>
            <Button icon="close" kind="quiet" label={t('close')} onClick={() => setChosen(undefined)} />
          </div>
          <MessageView key={`${chosen.atMs} ${chosen.topic}`} message={chosen} />
        </section>
      )}
    </div>
  );
}
