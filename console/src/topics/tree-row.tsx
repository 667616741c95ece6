import type { TopicRow } from '../api/types.ts';
import { formatBytes, formatRate, formatShort } from '../format.ts';
import { t } from '../i18n.ts';
import { spellInvisible } from '../inspect/invisible.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import type { RowPlace } from '../ui/virtual-rows.tsx';

/** One node: its level, what is below it, its last value. */
export function TreeRow(props: {
  place: RowPlace;
  row: TopicRow | undefined;
  isOpen: boolean;
  isSelected: boolean;
  onToggle: (topic: string, wanted: boolean) => void;
  onSelect: (topic: string) => void;
}) {
  const { place, row, isOpen } = props;
  if (row === undefined) {
    return (
      <div class="row tree-row" role="treeitem" tabIndex={place.tabIndex} style={place.style} aria-label={t('loading')}>
        <span class="skeleton" />
      </div>
    );
  }
  return (
    <div
      class={`row tree-row${props.isSelected ? ' selected' : ''}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-expanded={row.children === 0 ? undefined : isOpen}
      aria-selected={props.isSelected}
      aria-label={labelOf(row)}
      tabIndex={place.tabIndex}
      style={place.style}
      data-topic={row.topic}
      onClick={() => props.onSelect(row.topic)}
      onDblClick={() => row.children > 0 && props.onToggle(row.topic, !isOpen)}
    >
      <span class="indent" style={{ width: `${Math.min(row.depth, 12) * 16}px` }} />
      <span
        class={`twist${isOpen ? ' open' : ''}`}
        onClick={(event) => {
          if (row.children === 0) return;
          event.stopPropagation();
          props.onToggle(row.topic, !isOpen);
        }}
      >
        {row.children > 0 ? <Icon name="chevron" /> : null}
      </span>
      <span class="tree-level cut">
        {row.level === '' ? <span class="muted">{t('topics.emptyLevel')}</span> : <Shown text={row.level} max={200} />}
      </span>
      {row.children > 0 ? (
        <span class="tree-below muted small">
          {formatShort(row.topicsBelow)}
          {row.hasMoreBelow ? '+' : ''}
        </span>
      ) : null}
      {row.hasValue ? <LastValue row={row} /> : null}
    </div>
  );
}

function LastValue({ row }: { row: TopicRow }) {
  return (
    <>
      <span class="tree-value cut">
        {row.value === null ? (
          <span class="muted">{t('payload.binary', { size: formatBytes(row.sizeBytes) })}</span>
        ) : (
          <Shown text={row.value} max={200} />
        )}
      </span>
      <span class="tree-flag">{row.isRetained ? <Icon name="retained" /> : null}</span>
      <span class="tree-spark">{row.ring === undefined ? null : <Sparkline values={row.ring} />}</span>
      <span class="tree-rate muted small">{row.ratePerSecond > 0 ? `${formatRate(row.ratePerSecond)}/s` : ''}</span>
    </>
  );
}

/** What a screen reader says of a row. */
function labelOf(row: TopicRow): string {
  const parts = [row.level === '' ? t('topics.emptyLevel') : spellInvisible(row.level)];
  if (row.children > 0) parts.push(t('topics.below', { n: row.topicsBelow }));
  if (row.hasValue)
    parts.push(
      row.value === null ? t('payload.binary', { size: formatBytes(row.sizeBytes) }) : spellInvisible(row.value),
    );
  if (row.isRetained) parts.push(t('retained.flag'));
  return parts.join(', ');
}
