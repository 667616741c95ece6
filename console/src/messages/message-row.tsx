import type { ShownMessage } from '../api/types.ts';
import { formatBytes, formatClock } from '../format.ts';
import { t } from '../i18n.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import type { RowPlace } from '../ui/virtual-rows.tsx';
import type { Gap } from './stream-model.ts';

/** One message as a line: when, where, what. */
export function MessageRow(props: {
  place: RowPlace;
  message: ShownMessage;
  isMarked: boolean;
  /** What is shown instead of the payload. */
  changes?: string | undefined;
  onMark: () => void;
  onOpen: () => void;
}) {
  const { message, place } = props;
  return (
    <div
      class={`row message-row${props.isMarked ? ' marked' : ''}`}
      role="option"
      {...place.aria}
      aria-selected={props.isMarked}
      tabIndex={place.tabIndex}
      style={place.style}
      onClick={(event) => (event.ctrlKey || event.metaKey || event.shiftKey ? props.onMark() : props.onOpen())}
    >
      <span class="message-time muted">{formatClock(message.atMs)}</span>
      <span class="message-topic cut">
        <Shown text={message.topic} max={200} />
      </span>
      <span class="message-value cut">
        {props.changes !== undefined ? (
          props.changes === '' ? (
            <span class="muted">{t('stream.unchanged')}</span>
          ) : (
            <Shown text={props.changes} max={300} />
          )
        ) : 'text' in message.payload ? (
          <Shown text={message.payload.text} max={300} />
        ) : (
          <span class="muted">{t('payload.binary', { size: formatBytes(message.sizeBytes) })}</span>
        )}
      </span>
      <span class="message-flags muted small">
        {message.isRetained ? <Icon name="retained" /> : null} Q{message.qos}
      </span>
    </div>
  );
}

/** Messages that are not in the list; a click, or Enter, gets them. */
export function GapRow({ place, gap, onFill }: { place: RowPlace; gap: Gap; onFill?: () => void }) {
  return (
    <div
      class="row gap-row"
      role="option"
      {...place.aria}
      aria-selected={false}
      tabIndex={place.tabIndex}
      style={place.style}
      onClick={onFill}
    >
      <Icon name="warning" /> {t('stream.gap', { n: gap.gap })}
      {onFill === undefined ? null : <span class="like-link">{t('stream.fill')}</span>}
    </div>
  );
}
