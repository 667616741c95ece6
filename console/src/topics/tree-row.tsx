import { Component } from 'preact';
import type { TopicRow } from '../api/types.ts';
import { formatBytes, formatRate, formatShort } from '../format.ts';
import { t } from '../i18n.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import type { RowPlace } from '../ui/virtual-rows.tsx';

interface TreeRowProps {
  readonly place: RowPlace;
  readonly row: TopicRow | undefined;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  readonly onToggle: (topic: string, wanted: boolean) => void;
  readonly onSelect: (topic: string) => void;
}

/** One node: its level, what is below it, its last value. Drawn again only when something of it changed. */
export class TreeRow extends Component<TreeRowProps> {
  override shouldComponentUpdate(next: TreeRowProps): boolean {
    const { place, row, isOpen, isSelected } = this.props;
    return (
      row !== next.row ||
      isOpen !== next.isOpen ||
      isSelected !== next.isSelected ||
      place.tabIndex !== next.place.tabIndex ||
      place.style.transform !== next.place.style.transform ||
      place.style.height !== next.place.style.height
    );
  }

  override render() {
    return <Drawn {...this.props} />;
  }
}

function Drawn(props: TreeRowProps) {
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
        <>
          <span class="tree-below muted small" aria-hidden="true">
            {formatShort(row.topicsBelow)}
            {row.hasMoreBelow ? '+' : ''}
          </span>
          <span class="for-reader">, {t('topics.below', { n: row.topicsBelow })}</span>
        </>
      ) : null}
      {row.hasValue ? <LastValue row={row} /> : null}
    </div>
  );
}

function LastValue({ row }: { row: TopicRow }) {
  return (
    <>
      <span class="for-reader">, </span>
      <span class="tree-value cut">
        {row.value === null ? (
          <span class="muted">{t('payload.binary', { size: formatBytes(row.sizeBytes) })}</span>
        ) : (
          <Shown text={row.value} max={200} />
        )}
      </span>
      <span class="tree-flag">
        {row.isRetained ? (
          <>
            <Icon name="retained" />
            <span class="for-reader">, {t('retained.flag')}</span>
          </>
        ) : null}
      </span>
      <span class="tree-spark">{row.ring === undefined ? null : <Sparkline values={row.ring} />}</span>
      <span class="tree-rate muted small" aria-hidden="true">
        {row.ratePerSecond > 0 ? `${formatRate(row.ratePerSecond)}/s` : ''}
      </span>
    </>
  );
}
