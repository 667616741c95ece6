import { useEffect, useState } from 'preact/hooks';
import { useCall } from '../api/use-call.ts';
import { t } from '../i18n.ts';
import { setState, stateOf } from '../router.ts';
import { rowHeightNow } from '../ui/narrow.ts';
import { VirtualRows } from '../ui/virtual-rows.tsx';
import { TreeRow } from './tree-row.tsx';

export const searchModes = ['substring', 'wildcard', 'regex', 'payload', 'jsonpath', 'client'] as const;
export type SearchMode = (typeof searchModes)[number];

export const currentMode = (): SearchMode => searchModes.find((mode) => mode === stateOf('mode')) ?? 'substring';

/** The search field; what is typed is in the URL at once. */
export function SearchBar() {
  const mode = currentMode();
  return (
    <search class="bar search-bar">
      <input
        type="search"
        class="grow"
        aria-label={t('topics.search')}
        placeholder={t(`search.example.${mode}`)}
        value={stateOf('q')}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setState({ q: event.currentTarget.value }, 'replace')}
        data-testid="topic-search"
      />
      <select
        aria-label={t('search.mode')}
        value={mode}
        onChange={(event) => setState({ mode: event.currentTarget.value }, 'replace')}
        data-testid="search-mode"
      >
        {searchModes.map((one) => (
          <option key={one} value={one}>
            {t(`search.${one}`)}
          </option>
        ))}
      </select>
    </search>
  );
}

/** Until a search is asked again that did not have the names of all topics yet. */
const gatheringMs = 500;

/** Topics that the broker found. */
export function SearchResults() {
  const q = stateOf('q');
  const [isGathering, setGathering] = useState(false);
  const query = { q, mode: currentMode(), limit: '1000', partial: 'true' } as const;
  const { data, error } = useCall('GET /topics/search', { query }, isGathering ? gatheringMs : 0);
  useEffect(() => setGathering(data?.isGathering === true), [data]);
  const [active, setActive] = useState(0);
  const items = data?.items ?? [];
  const select = (topic: string): void => setState({ topic });
  return (
    <section class="panel tree-panel" aria-label={t('search.results')}>
      <div class="bar small muted" role="status">
        {error ??
          (data === undefined
            ? t('loading')
            : t('search.found', { n: data.total, searched: data.searched, ms: Math.round(data.tookMs) }))}
        {data !== undefined && data.total > items.length ? ` ${t('search.first', { n: items.length })}` : ''}
        {data?.isComplete === false ? ` ${t(data.isGathering ? 'search.gathering' : 'search.incomplete')}` : ''}
      </div>
      {data?.isGathering === false && items.length === 0 ? <p class="empty">{t('nothingFound')}</p> : null}
      <VirtualRows
        class="tree flat"
        role="tree"
        label={t('search.results')}
        count={items.length}
        rowHeight={rowHeightNow.value}
        active={Math.min(active, Math.max(0, items.length - 1))}
        onActive={setActive}
        onKey={(event, index) => {
          const row = items[index];
          if (row === undefined || (event.key !== 'Enter' && event.key !== ' ')) return false;
          select(row.topic);
          return true;
        }}
        render={(place) => {
          const row = items[place.index];
          return (
            <TreeRow
              key={place.index}
              place={place}
              row={row === undefined ? undefined : { ...row, level: row.topic, depth: 0, children: 0 }}
              isOpen={false}
              isSelected={row?.topic === stateOf('topic')}
              onToggle={() => undefined}
              onSelect={(topic) => {
                setActive(place.index);
                select(topic);
              }}
            />
          );
        }}
      />
    </section>
  );
}
