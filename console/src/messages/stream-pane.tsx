import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call, messageOf } from '../api/call.ts';
import type { ShownMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { DiffDialog } from '../inspect/diff-dialog.tsx';
import { MessageView } from '../inspect/message-view.tsx';
import { useView } from '../live/current.ts';
import { serverNow, type ViewWish } from '../live/feed.ts';
import { isReduced } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { tallRowHeight } from '../ui/narrow.ts';
import { say } from '../ui/toast.tsx';
import { VirtualRows } from '../ui/virtual-rows.tsx';
import { ExportMenu } from './export-menu.tsx';
import { GapRow, MessageRow } from './message-row.tsx';
import { shownFromStored } from './stored-message.ts';
import { appendMessages, emptyStream, fillGap, type Gap, isGap, type StreamState } from './stream-model.ts';

/** Messages asked of the history for one gap. */
const fillMax = 1000;

/** Everything that arrives on some filters, as it arrives; pausing loses nothing that the broker still has. */
export function StreamPane({ filters, search = '' }: { filters: readonly string[]; search?: string }) {
  const [stream, setStream] = useState<StreamState>(emptyStream);
  const [isPaused, setPaused] = useState(false);
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ShownMessage | undefined>(undefined);
  const [marked, setMarked] = useState<readonly ShownMessage[]>([]);
  const [error, setError] = useState('');
  /** A jump in the numbers up to this time comes of a pause. */
  const pausedUntilMs = useRef(0);

  const wish = useMemo<ViewWish>(
    () => ({ type: 'stream', filters: [...filters], limitPerSecond: 200, ...(search === '' ? {} : { search }) }),
    [filters.join('\n'), search],
  );
  useEffect(() => {
    setStream(emptyStream);
    setError('');
  }, [wish]);
  const view = useView(wish, (answer) => {
    if (answer.type === 'error') setError(answer.message);
    if (answer.type !== 'messages') return;
    const until = pausedUntilMs.current;
    setStream((before) => appendMessages(before, answer.messages, until));
  });

  const pause = (wanted: boolean): void => {
    if (wanted === isPaused) return;
    setPaused(wanted);
    if (wanted) {
      view.current?.pause();
    } else {
      pausedUntilMs.current = serverNow();
      view.current?.resume();
    }
  };
  const fill = async (gap: Gap): Promise<void> => {
    try {
      const found = await historyBetween(filters, gap);
      setStream((before) => fillGap(before, gap, found));
      say(t('stream.filled', { n: found.length }));
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
  };
  const mark = (message: ShownMessage): void =>
    setMarked((before) =>
      before.includes(message) ? before.filter((one) => one !== message) : [...before, message].slice(-2),
    );

  const { rows } = stream;
  const last = Math.max(0, rows.length - 1);
  const at = isPaused ? Math.min(active, last) : last;
  return (
    <div class="stream" data-testid="stream">
      <div class="bar small">
        <Button
          icon={isPaused ? 'play' : 'pause'}
          kind={isPaused ? 'primary' : 'plain'}
          pressed={isPaused}
          onClick={() => pause(!isPaused)}
        >
          {isPaused ? t('stream.resume') : t('stream.pause')}
        </Button>
        <Button icon="trash" kind="quiet" onClick={() => setStream({ ...emptyStream, lastSeq: stream.lastSeq })}>
          {t('stream.clear')}
        </Button>
        <Button
          icon="diff"
          kind="quiet"
          disabled={marked.length !== 2}
          onClick={() => setChosen(undefined)}
          label={t('diff.marked', { n: marked.length })}
        />
        <ExportMenu
          messages={() => rows.flatMap((row) => (isGap(row) ? [] : [row]))}
          filter={filters[filters.length - 1] ?? '#'}
        />
        <span class="grow" />
        <span class="muted" role="status">
          {error === '' ? t('stream.shown', { n: rows.length }) : error}
          {stream.missing > 0 ? ` · ${t('stream.missing', { n: stream.missing })}` : ''}
        </span>
      </div>
      {marked.length === 2 && chosen === undefined ? <Compare marked={marked} onClose={() => setMarked([])} /> : null}
      <VirtualRows
        class="messages"
        role="listbox"
        label={t('stream.label')}
        count={rows.length}
        rowHeight={tallRowHeight.value}
        active={at}
        reveal={isPaused ? -1 : stream.seen}
        onActive={(index) => {
          // Whoever walks through the list wants it to stand still.
          pause(true);
          setActive(index);
        }}
        onKey={(event, index) => {
          const row = rows[index];
          if (row === undefined || isGap(row)) return false;
          if (event.key === 'Enter') setChosen(row);
          else if (event.key === ' ') mark(row);
          else return false;
          return true;
        }}
        render={(place) => {
          const row = rows[place.index];
          if (row === undefined) return null;
          if (isGap(row)) {
            return (
              <GapRow
                key={place.index}
                place={place}
                gap={row}
                {...(isReduced.value ? {} : { onFill: () => void fill(row) })}
              />
            );
          }
          return (
            <MessageRow
              key={place.index}
              place={place}
              message={row}
              isMarked={marked.includes(row)}
              onMark={() => mark(row)}
              onOpen={() => {
                pause(true);
                setActive(place.index);
                setChosen(row);
              }}
            />
          );
        }}
      />
      {rows.length === 0 ? <p class="empty">{t('stream.waiting')}</p> : null}
      {chosen === undefined ? null : (
        <section class="chosen" aria-label={t('message.label')}>
          <div class="bar small">
            <strong class="grow cut">{t('message.label')}</strong>
            <Button icon="close" kind="quiet" label={t('close')} onClick={() => setChosen(undefined)} />
          </div>
          <MessageView key={`${chosen.atMs} ${chosen.topic}`} message={chosen} />
        </section>
      )}
    </div>
  );
}

function Compare({ marked, onClose }: { marked: readonly ShownMessage[]; onClose: () => void }) {
  const [first, second] = marked.toSorted((a, b) => a.atMs - b.atMs);
  return first === undefined || second === undefined ? null : (
    <DiffDialog before={first} after={second} onClose={onClose} />
  );
}

/** What the history has for the times of a gap. */
async function historyBetween(filters: readonly string[], gap: Gap): Promise<ShownMessage[]> {
  const found: ShownMessage[] = [];
  const filter = filters.find((one) => one.endsWith('#')) ?? filters[0] ?? '#';
  let cursor: string | undefined;
  do {
    const page = await call('GET /history/messages', {
      query: {
        filter,
        fromMs: String(Math.floor(gap.fromMs)),
        toMs: String(Math.ceil(gap.toMs)),
        limit: String(fillMax),
        order: 'oldest',
        ...(cursor === undefined ? {} : { cursor }),
      },
    });
    found.push(...page.items.map(shownFromStored));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && found.length < gap.gap + fillMax);
  return found;
}
