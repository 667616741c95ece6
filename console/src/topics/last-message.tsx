import { useEffect, useRef, useState } from 'preact/hooks';
import { call, messageOf } from '../api/call.ts';
import type { ShownMessage } from '../api/types.ts';
import { formatRate } from '../format.ts';
import { t } from '../i18n.ts';
import { DiffDialog } from '../inspect/diff-dialog.tsx';
import { MessageView } from '../inspect/message-view.tsx';
import { useView } from '../live/current.ts';
import { setState } from '../router.ts';
import { isReduced } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { say } from '../ui/toast.tsx';
import { appendRing } from './tree-model.ts';

/** What the broker sends of one payload at most. */
const wholeBytesMax = 16 * 1024 * 1024;

interface Live {
  readonly message: ShownMessage | undefined;
  readonly before: ShownMessage | undefined;
  readonly count: number;
  readonly ratePerSecond: number;
  readonly ring: readonly number[];
  readonly isLoaded: boolean;
}

const nothing: Live = { message: undefined, before: undefined, count: 0, ratePerSecond: 0, ring: [], isLoaded: false };

/** The last message of a topic, kept up to date until it is held. */
export function LastMessage({ topic }: { topic: string }) {
  const [live, setLive] = useState(nothing);
  const [held, setHeld] = useState<ShownMessage | undefined>(undefined);
  const [compared, setCompared] = useState<readonly [ShownMessage, ShownMessage] | undefined>(undefined);
  const known = useRef(false);

  useEffect(() => {
    if (isReduced.value) return;
    call('GET /topics/last', { query: { topic } }).then(
      (answer) => {
        if (known.current) return;
        setLive({
          message: answer.message ?? undefined,
          before: undefined,
          count: answer.count,
          ratePerSecond: answer.ratePerSecond,
          ring: answer.ring,
          isLoaded: true,
        });
      },
      () => setLive((was) => ({ ...was, isLoaded: true })),
    );
  }, [topic]);
  useView({ type: 'topics', topics: [topic], rings: true, whole: true }, (answer) => {
    if (answer.type !== 'update') return;
    const row = answer.rows.find((one) => one.topic === topic);
    if (row === undefined) return;
    known.current = row.message !== undefined || known.current;
    setLive((was) => ({
      message: row.message ?? was.message,
      before: row.message === undefined || row.count === was.count ? was.before : was.message,
      count: row.count,
      ratePerSecond: row.ratePerSecond,
      ring: appendRing(was.ring, row.ringAdded ?? []),
      isLoaded: true,
    }));
  });

  // A payload above 1 MiB comes only when it is asked for, and then stands still.
  const loadWhole = async (): Promise<void> => {
    try {
      const { message } = await call('GET /topics/last', { query: { topic, bytesMax: String(wholeBytesMax) } });
      if (message === null || message.isTruncated) say(t('payload.notWhole'), 'failed');
      else setHeld(message);
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
  };
  const shown = held ?? live.message;
  if (shown === undefined) return <p class="empty">{live.isLoaded ? t('inspector.noValue') : t('loading')}</p>;
  return (
    <div class="last-message">
      <div class="bar small">
        <span class="muted">{t('inspector.count', { n: live.count, rate: formatRate(live.ratePerSecond) })}</span>
        <Sparkline values={live.ring} label={t('inspector.sparkline', { n: live.ring.length })} />
        <span class="grow" />
        <Button
          icon={held === undefined ? 'pause' : 'play'}
          pressed={held !== undefined}
          onClick={() => setHeld(held === undefined ? shown : undefined)}
        >
          {held === undefined ? t('inspector.hold') : t('inspector.follow')}
        </Button>
        <Button
          icon="diff"
          disabled={live.before === undefined && held === undefined}
          onClick={() => {
            const before = held ?? live.before;
            if (before !== undefined && live.message !== undefined) setCompared([before, live.message]);
          }}
        >
          {held === undefined ? t('diff.withBefore') : t('diff.withHeld')}
        </Button>
      </div>
      <MessageView
        message={shown}
        onWhole={isReduced.value ? undefined : () => void loadWhole()}
        onPath={isReduced.value ? undefined : (path) => setState({ tab: 'plot', series: seriesOf(topic, path) })}
      />
      {compared === undefined ? null : (
        <DiffDialog before={compared[0]} after={compared[1]} onClose={() => setCompared(undefined)} />
      )}
    </div>
  );
}

/** A series as the plot's URL writes it: the history names fields without `$.`. */
const seriesOf = (topic: string, path: string): string => `${topic}\t${path.replace(/^\$\.?/, '')}`;
