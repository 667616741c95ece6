import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { useView } from '../live/current.ts';
import type { ViewWish } from '../live/feed.ts';
import { setState, stateOf } from '../router.ts';
import { announce } from '../ui/announce.tsx';
import { Button } from '../ui/button.tsx';
import { rowHeightNow } from '../ui/narrow.ts';
import { VirtualRows } from '../ui/virtual-rows.tsx';
import {
  applyAnswer,
  blocksOf,
  emptyWindow,
  formatOpen,
  openByItself,
  openMax,
  parseOpen,
  type TreeWindow,
} from './tree-model.ts';
import { TreeRow } from './tree-row.tsx';

const sorts = ['name', 'rate', 'recent'] as const;

/** The topic tree with live values. Only the visible rows are known here; the broker keeps the rest. */
export function TopicTree() {
  const openText = stateOf('open');
  const open = useMemo(() => parseOpen(openText), [openText]);
  const sort = sorts.find((one) => one === stateOf('sort')) ?? 'name';
  const [tree, setTree] = useState<TreeWindow>(emptyWindow);
  const [range, setRange] = useState({ from: 0, to: 64 });
  const [active, setActive] = useState(0);
  const announced = useRef(0);

  const wish: ViewWish = { type: 'tree', expanded: [...open], from: range.from, to: range.to, sort, rings: true };
  const view = useView(wish, (answer) => setTree((before) => applyAnswer(before, answer)));
  useEffect(() => {
    if (tree.newTopics > announced.current) announce(t('topics.new', { n: tree.newTopics }));
    announced.current = tree.newTopics;
  }, [tree.newTopics]);

  const isTouched = useRef(openText !== '');
  useEffect(() => {
    if (isTouched.current) return;
    const more = openByItself(tree, open);
    if (more.length > 0) setState({ open: formatOpen(new Set([...open, ...more])) }, 'replace');
  }, [tree.total]);

  const rowAt = (index: number) => tree.rows[index - tree.from];
  const toggle = (topic: string, wanted: boolean): void => {
    isTouched.current = true;
    // As the URL has it now: a row that did not change was drawn some time ago.
    const next = parseOpen(stateOf('open'));
    if (wanted && next.size < openMax) next.add(topic);
    else next.delete(topic);
    setState({ open: formatOpen(next) }, 'replace');
  };
  const select = (topic: string): void => setState({ topic, tab: stateOf('tab') });
  const onKey = (event: KeyboardEvent, index: number): boolean => {
    const row = rowAt(index);
    if (row === undefined) return false;
    if (event.key === 'Enter' || event.key === ' ') select(row.topic);
    else if (event.key === 'ArrowRight' && row.children > 0 && !open.has(row.topic)) toggle(row.topic, true);
    else if (event.key === 'ArrowRight' && row.children > 0) setActive(index + 1);
    else if (event.key === 'ArrowLeft' && open.has(row.topic)) toggle(row.topic, false);
    else if (event.key === 'ArrowLeft') {
      const above = tree.rows.findLastIndex((one, at) => at < index - tree.from && one.depth === row.depth - 1);
      if (above !== -1) setActive(tree.from + above);
    } else return false;
    return true;
  };

  return (
    <section class="panel tree-panel" aria-label={t('topics.tree')}>
      <div class="bar">
        <label class="inline">
          {t('topics.sort')}
          <select value={sort} onChange={(event) => setState({ sort: event.currentTarget.value })}>
            {sorts.map((one) => (
              <option key={one} value={one}>
                {t(`topics.sort.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <span class="grow" />
        {tree.newTopics > 0 || sort !== 'name' ? (
          <Button
            icon="refresh"
            kind={tree.newTopics > 0 ? 'primary' : 'quiet'}
            testId="new-topics"
            onClick={() => view.current?.ask({ ...wish, refresh: true })}
          >
            {tree.newTopics > 0 ? t('topics.new', { n: tree.newTopics }) : t('topics.sortAgain')}
          </Button>
        ) : (
          <span class="muted small">{t('topics.rows', { n: tree.total })}</span>
        )}
        {open.size > 0 ? (
          <Button
            kind="quiet"
            onClick={() => {
              isTouched.current = true;
              setState({ open: '' }, 'replace');
            }}
          >
            {t('topics.closeAll')}
          </Button>
        ) : null}
      </div>
      {tree.isLoaded && tree.from === 0 && tree.rows.every((row) => row.topic.startsWith('$')) ? (
        <div class="empty">
          <p>{t('topics.none')}</p>
          <code>moustique_pub -t test/val -m Bonjour</code>
        </div>
      ) : null}
      <VirtualRows
        class="tree"
        role="tree"
        label={t('topics.tree')}
        count={tree.total}
        rowHeight={rowHeightNow.value}
        active={Math.min(active, Math.max(0, tree.total - 1))}
        onActive={setActive}
        onRange={(from, to) => {
          const next = blocksOf(from, to);
          if (next.from !== range.from || next.to !== range.to) setRange(next);
        }}
        onKey={onKey}
        render={(place) => (
          <TreeRow
            key={place.index}
            place={place}
            row={rowAt(place.index)}
            isOpen={open.has(rowAt(place.index)?.topic ?? '')}
            isSelected={rowAt(place.index)?.topic === stateOf('topic') && stateOf('topic') !== ''}
            onToggle={toggle}
            onSelect={(topic) => {
              setActive(place.index);
              select(topic);
            }}
          />
        )}
      />
    </section>
  );
}
