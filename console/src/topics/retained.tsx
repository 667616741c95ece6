import { useState } from 'preact/hooks';
import { call } from '../api/call.ts';
import type { RetainedRow } from '../api/types.ts';
import { useCall } from '../api/use-call.ts';
import { usePages } from '../api/use-pages.ts';
import { formatAgo, formatBytes } from '../format.ts';
import { t } from '../i18n.ts';
import { serverNow } from '../live/feed.ts';
import { setState, stateOf } from '../router.ts';
import { mayOperate } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { tallRowHeight } from '../ui/narrow.ts';
import { Shown } from '../ui/shown.tsx';
import { type RowPlace, VirtualRows } from '../ui/virtual-rows.tsx';
import { DeleteRetained, undoDelete } from './delete-retained.tsx';

const sorts = ['topic', 'age', 'size'] as const;
const pageSize = 500;

/** Retained messages: find them, sort them, delete them by filter, put them back. */
export function RetainedPane() {
  const filter = stateOf('rf');
  const search = stateOf('rs');
  const sort = sorts.find((one) => one === stateOf('rsort')) ?? 'topic';
  const [active, setActive] = useState(0);
  const [isDeleting, setDeleting] = useState(false);
  const bin = useCall('GET /retained/bin', {}, 10_000);

  const { items, page, error, onRange, reload } = usePages(
    {
      limit: String(pageSize),
      sort,
      ...(sort === 'topic' ? {} : { order: 'descending' as const }),
      // Without a filter: everything but topics that begin with $, as `#` has it, here as in a deletion.
      filter: filter === '' ? '#' : filter,
      ...(search === '' ? {} : { search }),
    },
    (asked, signal) => call('GET /retained', { query: asked, signal }),
  );
  const refresh = (): void => {
    reload();
    bin.reload();
  };

  return (
    <section class="panel tree-panel" aria-label={t('retained.title')}>
      <div class="bar filters">
        <Field label={t('retained.filter')} class="grow row-field">
          {(id) => (
            <input
              id={id}
              class="mono"
              placeholder="#"
              value={filter}
              spellcheck={false}
              onInput={(event) => setState({ rf: event.currentTarget.value }, 'replace')}
            />
          )}
        </Field>
        <Field label={t('retained.search')} class="row-field">
          {(id) => (
            <input
              id={id}
              type="search"
              value={search}
              onInput={(event) => setState({ rs: event.currentTarget.value }, 'replace')}
            />
          )}
        </Field>
        <Field label={t('topics.sort')} class="row-field">
          {(id) => (
            <select id={id} value={sort} onChange={(event) => setState({ rsort: event.currentTarget.value })}>
              {sorts.map((one) => (
                <option key={one} value={one}>
                  {t(`retained.sort.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <div class="bar small">
        <span class="muted grow" role="status" data-testid="retained-count">
          {error !== ''
            ? error
            : page === undefined
              ? t('loading')
              : t('retained.count', { n: page.total, size: formatBytes(page.totalBytes) })}
        </span>
        <Button icon="refresh" kind="quiet" label={t('refresh')} onClick={refresh} />
        {mayOperate.value ? (
          <Button
            icon="trash"
            kind="danger"
            disabled={page === undefined || page.total === 0}
            onClick={() => setDeleting(true)}
          >
            {t('retained.delete')}
          </Button>
        ) : null}
      </div>
      {(bin.data?.items ?? []).map((one) => (
        <div key={one.undoId} class="bar note">
          <span class="grow">{t('retained.inBin', { n: one.count, filter: one.filter })}</span>
          {mayOperate.value ? (
            <Button icon="undo" onClick={() => void undoDelete(one.undoId).then(refresh)} testId="retained-undo">
              {t('undo')}
            </Button>
          ) : null}
        </div>
      ))}
      <VirtualRows
        class="messages retained-list"
        role="listbox"
        label={t('retained.title')}
        count={items.length}
        total={page?.total ?? 0}
        rowHeight={tallRowHeight.value}
        active={Math.min(active, Math.max(0, items.length - 1))}
        onActive={setActive}
        onRange={onRange}
        onKey={(event, index) => {
          const row = items[index];
          if (row === undefined || (event.key !== 'Enter' && event.key !== ' ')) return false;
          setState({ topic: row.topic });
          return true;
        }}
        render={(place) => <Row key={place.index} place={place} row={items[place.index]} />}
      />
      {page?.total === 0 ? <p class="empty">{t('retained.none')}</p> : null}
      {isDeleting ? (
        <DeleteRetained
          filter={filter === '' ? '#' : filter}
          search={search}
          onClose={() => setDeleting(false)}
          onDone={refresh}
        />
      ) : null}
    </section>
  );
}

function Row({ place, row }: { place: RowPlace; row: RetainedRow | undefined }) {
  if (row === undefined) return null;
  return (
    <div
      class={`row message-row${row.topic === stateOf('topic') ? ' selected' : ''}`}
      role="option"
      {...place.aria}
      aria-selected={row.topic === stateOf('topic')}
      tabIndex={place.tabIndex}
      style={place.style}
      data-topic={row.topic}
      onClick={() => setState({ topic: row.topic })}
    >
      <span class="message-topic cut">
        <Shown text={row.topic} max={200} />
      </span>
      <span class="message-value cut">
        {row.value === null ? (
          <span class="muted">{t('payload.binary', { size: formatBytes(row.sizeBytes) })}</span>
        ) : (
          <Shown text={row.value} max={200} />
        )}
      </span>
      <span class="message-flags muted small">
        {formatBytes(row.sizeBytes)}
        {row.atMs === null ? '' : ` · ${formatAgo(row.atMs, serverNow())}`}
      </span>
    </div>
  );
}
