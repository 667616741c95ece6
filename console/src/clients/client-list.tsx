import { useEffect, useState } from 'preact/hooks';
import { call, type QueryOf } from '../api/call.ts';
import type { ClientRow } from '../api/types.ts';
import { usePages } from '../api/use-pages.ts';
import { formatDuration, formatShort } from '../format.ts';
import { t } from '../i18n.ts';
import { counters } from '../live/feed.ts';
import { setState, stateOf } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { tallRowHeight } from '../ui/narrow.ts';
import { Shown } from '../ui/shown.tsx';
import { type RowPlace, VirtualRows } from '../ui/virtual-rows.tsx';

const pageSize = 200;
const sorts = ['clientId', 'username', 'address', 'queue', 'subscriptions', 'idle'] as const;
const states = ['all', 'connected', 'away', 'v3', 'v4', 'v5', 'idle'] as const;
const idleSeconds = 60;

/** What the filters of the URL ask. */
function queryNow(): QueryOf<'GET /clients'> {
  const sort = sorts.find((one) => one === stateOf('sort')) ?? 'clientId';
  const state = states.find((one) => one === stateOf('state')) ?? 'all';
  const descending = sort === 'queue' || sort === 'subscriptions' || sort === 'idle';
  return {
    limit: String(pageSize),
    sort,
    order: descending ? 'descending' : 'ascending',
    ...(stateOf('find') === '' ? {} : { search: stateOf('find') }),
    ...(state === 'connected' ? { connected: 'true' as const } : {}),
    ...(state === 'away' ? { connected: 'false' as const } : {}),
    ...(state === 'v3' ? { version: '3' as const } : {}),
    ...(state === 'v4' ? { version: '4' as const } : {}),
    ...(state === 'v5' ? { version: '5' as const } : {}),
    ...(state === 'idle' ? { idleSeconds: String(idleSeconds) } : {}),
  };
}

export function ClientList() {
  const [active, setActive] = useState(0);
  const query = queryNow();
  const { items, page, error, onRange, reload } = usePages(query, (asked, signal) =>
    call('GET /clients', { query: asked, signal }),
  );
  const changed = counters.value?.clientsChanged ?? 0;
  const [asOf, setAsOf] = useState(changed);
  useEffect(() => setAsOf(counters.peek()?.clientsChanged ?? 0), [page]);
  const isStale = page !== undefined && asOf !== changed;

  return (
    <section class="panel tree-panel" aria-label={t('clients.list')}>
      <Filters />
      <div class="bar small">
        <span class="muted grow" role="status" data-testid="client-count">
          {error !== '' ? error : page === undefined ? t('loading') : t('clients.count', { n: page.total })}
        </span>
        <Button icon="refresh" kind={isStale ? 'primary' : 'quiet'} onClick={reload}>
          {isStale ? t('clients.changed') : t('refresh')}
        </Button>
      </div>
      <VirtualRows
        class="messages clients-list"
        role="listbox"
        label={t('clients.list')}
        count={items.length}
        total={page?.total ?? 0}
        rowHeight={tallRowHeight.value}
        active={Math.min(active, Math.max(0, items.length - 1))}
        onActive={setActive}
        onRange={onRange}
        onKey={(event, index) => {
          const row = items[index];
          if (row === undefined || (event.key !== 'Enter' && event.key !== ' ')) return false;
          setState({ client: row.clientId });
          return true;
        }}
        render={(place) => <Row key={place.index} place={place} row={items[place.index]} pick={setActive} />}
      />
      {page?.total === 0 ? <NoClient isFiltered={query.search !== undefined || stateOf('state') !== ''} /> : null}
    </section>
  );
}

function NoClient({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <p class="empty">{t('clients.none')}</p>
  ) : (
    <div class="empty">
      <p>{t('clients.nobody')}</p>
      <code>moustique_sub -t '#' -v</code>
    </div>
  );
}

function Filters() {
  return (
    <div class="bar filters">
      <Field label={t('clients.find')} class="grow row-field">
        {(id) => (
          <input
            id={id}
            type="search"
            value={stateOf('find')}
            spellcheck={false}
            onInput={(event) => setState({ find: event.currentTarget.value }, 'replace')}
          />
        )}
      </Field>
      <Field label={t('clients.state')} class="row-field">
        {(id) => (
          <select id={id} value={stateOf('state')} onChange={(event) => setState({ state: event.currentTarget.value })}>
            {states.map((one) => (
              <option key={one} value={one === 'all' ? '' : one}>
                {t(`clients.state.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={t('topics.sort')} class="row-field">
        {(id) => (
          <select
            id={id}
            value={stateOf('sort') || 'clientId'}
            onChange={(event) => setState({ sort: event.currentTarget.value })}
          >
            {sorts.map((one) => (
              <option key={one} value={one}>
                {t(`clients.sort.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </div>
  );
}

export const versionName = (version: 3 | 4 | 5 | null): string =>
  version === null ? '' : `MQTT ${{ 3: '3.1', 4: '3.1.1', 5: '5.0' }[version]}`;

function Row(props: { place: RowPlace; row: ClientRow | undefined; pick: (index: number) => void }) {
  const { row, place } = props;
  if (row === undefined) return null;
  const isSelected = row.clientId === stateOf('client');
  return (
    <div
      class={`row client-row${isSelected ? ' selected' : ''}`}
      role="option"
      {...place.aria}
      aria-selected={isSelected}
      tabIndex={place.tabIndex}
      style={place.style}
      data-client={row.clientId}
      onClick={() => {
        props.pick(place.index);
        setState({ client: row.clientId });
      }}
    >
      <span class={`dot ${row.isConnected ? 'live' : 'away'}`} />
      <span class="client-id cut">
        <Shown text={row.clientId} max={200} />
        <span class="for-reader">, {t(row.isConnected ? 'clients.state.connected' : 'clients.state.away')}</span>
      </span>
      <span class="client-user cut muted">{row.username === null ? '' : <Shown text={row.username} max={100} />}</span>
      <span class="client-address cut muted">{row.address ?? ''}</span>
      <span class="client-facts muted small cut">
        {[
          versionName(row.protocolVersion),
          t('clients.subscriptions', { n: row.subscriptions }),
          row.queuedMessages > 0 ? t('clients.queued', { n: formatShort(row.queuedMessages) }) : '',
          row.idleSeconds !== null && row.idleSeconds >= 1 ? formatDuration(Math.round(row.idleSeconds)) : '',
        ]
          .filter((part) => part !== '')
          .join(' · ')}
      </span>
    </div>
  );
}
