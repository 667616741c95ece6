import { useEffect, useMemo, useState } from 'preact/hooks';
import { messageOf } from '../api/call.ts';
import type { ShownMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { DiffDialog } from '../inspect/diff-dialog.tsx';
import { MessageView } from '../inspect/message-view.tsx';
import { useView } from '../live/current.ts';
import type { ViewWish } from '../live/feed.ts';
import { setState, stateOf } from '../router.ts';
import { isReduced } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { tallRowHeight } from '../ui/narrow.ts';
import { say } from '../ui/toast.tsx';
import { VirtualRows } from '../ui/virtual-rows.tsx';
import { changesAt } from './changes.ts';
import { ExportMenu } from './export-menu.tsx';
import { historyBetween } from './history-between.ts';
import { GapRow, MessageRow } from './message-row.tsx';
import { appendMessages, emptyStream, fillGap, type Gap, isGap, nextGap, type StreamState } from './stream-model.ts';

/** Everything that arrives on some filters, as it arrives; pausing loses nothing that the broker still has. */
export function StreamPane({ filters, search = '' }: { filters: readonly string[]; search?: string }) {
  const [stream, setStream] = useState<StreamState>(emptyStream);
  const [isPaused, setPaused] = useState(false);
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ShownMessage | undefined>(undefined);
  const [marked, setMarked] = useState<readonly ShownMessage[]>([]);
  const [error, setError] = useState('');
  /** Counts the times that a gap was looked for. */
  const [sought, setSought] = useState(0);

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
    setStream((before) => appendMessages(before, answer));
  });

  const onlyChanges = stateOf('changes') !== '';
  const { rows } = stream;
  const gaps = rows.filter(isGap).length;
  const last = Math.max(0, rows.length - 1);
  const at = isPaused ? Math.min(active, last) : last;

  const pause = (wanted: boolean): void => {
    if (wanted === isPaused) return;
    setPaused(wanted);
    if (wanted) {
      setActive(last);
      view.current?.pause();
    } else {
      view.current?.resume();
    }
  };
  const goToGap = (): void => {
    const from = isPaused ? at : -1;
    pause(true);
    setActive(nextGap(rows, from));
    setSought((before) => before + 1);
  };
  const fill = async (gap: Gap): Promise<void> => {
    // The newest gap grows as long as the stream moves.
    pause(true);
    try {
      const found = await historyBetween(filters, search, gap);
      let added = 0;
      setStream((before) => {
        const filled = fillGap(before, gap, found);
        added = before.missing - filled.missing;
        return filled;
      });
      say(t('stream.filled', { n: added }));
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
  };
  const mark = (message: ShownMessage): void =>
    setMarked((before) =>
      before.includes(message) ? before.filter((one) => one !== message) : [...before, message].slice(-2),
    );

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
        <Button
          icon="trash"
          kind="quiet"
          onClick={() => setStream({ ...emptyStream, lastSeq: stream.lastSeq, lastMs: stream.lastMs })}
        >
          <span class="wide-text">{t('stream.clear')}</span>
        </Button>
        <Button
          icon="diff"
          kind="quiet"
          disabled={marked.length !== 2}
          onClick={() => setChosen(undefined)}
          label={t('diff.marked', { n: marked.length })}
        />
        <Button
          kind="quiet"
          pressed={onlyChanges}
          onClick={() => setState({ changes: onlyChanges ? '' : '1' }, 'replace')}
        >
          {t('stream.changes')}
        </Button>
        <ExportMenu
          messages={() => rows.flatMap((row) => (isGap(row) ? [] : [row]))}
          filter={filters[filters.length - 1] ?? '#'}
        />
        <span class="grow" />
        {stream.missing === 0 ? null : gaps > 0 ? (
          <Button kind="quiet" icon="warning" onClick={goToGap} title={t('stream.toGap')}>
            {t('stream.missing', { n: stream.missing })}
          </Button>
        ) : (
          <span class="muted">{t('stream.missing', { n: stream.missing })}</span>
        )}
        {/* Not a status: a screen reader would never stop to read it. */}
        <span class="muted">{t('stream.shown', { n: rows.length - gaps })}</span>
        <span class={error === '' ? '' : 'failure'} role="status">
          {error === '' ? null : error}
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
        reveal={isPaused ? -1 - sought : stream.changes}
        onActive={(index) => {
          // Whoever walks through the list wants it to stand still.
          pause(true);
          setActive(index);
        }}
        onKey={(event, index) => {
          const row = rows[index];
          if (row === undefined) return false;
          if (isGap(row)) {
            if (event.key !== 'Enter' || isReduced.value) return false;
            void fill(row);
            return true;
          }
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
              changes={onlyChanges ? changesAt(rows, place.index) : undefined}
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
      {rows.length === 0 ? <p class="empty">{stream.lastSeq === -1 ? t('loading') : t('stream.waiting')}</p> : null}
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
