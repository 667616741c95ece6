import { useMemo } from 'preact/hooks';
import type { StoredSeries } from '../api/types.ts';
import { useCall } from '../api/use-call.ts';
import { t } from '../i18n.ts';
import { seriesToCsv } from '../messages/export.ts';
import { setState, stateOf } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { saveFile } from '../ui/copy.ts';
import { align } from './align.ts';
import { NoHistory } from './no-history.tsx';
import { Plot } from './plot.tsx';
import { RangePicker, rangeOf, setRange } from './range-picker.tsx';
import { formatSeries, nameOfSeries, parseSeries, type SeriesKey } from './series-key.ts';
import { SeriesPicker } from './series-picker.tsx';
import { useSeries } from './use-series.ts';

/** The stored values of a topic as a plot; fields of other topics can be laid over it. */
export function HistoryPane({ topic }: { topic: string }) {
  const fields = useCall('GET /history/series', { query: { filter: topic, limit: '200' } });
  const chosen = useMemo(() => parseSeries(stateOf('series')), [stateOf('series')]);
  const own = (fields.data?.items ?? []).filter((one) => one.topic === topic);
  const keys: readonly SeriesKey[] = chosen.length > 0 ? chosen : own.slice(0, 1);
  const range = useMemo(rangeOf, [
    stateOf('range'),
    stateOf('from'),
    stateOf('to-time'),
    Math.floor(Date.now() / 10_000),
  ]);
  const loaded = useSeries(keys, range.fromMs, range.toMs);

  if (fields.error !== undefined && fields.data === undefined) return <NoHistory filter={topic} />;
  if (fields.data === undefined) return <p class="empty">{t('loading')}</p>;
  const change = (next: readonly SeriesKey[]): void => setState({ series: formatSeries(next) });
  return (
    <div class="scroll history-pane">
      <RangePicker />
      <SeriesPicker topic={topic} fields={own} keys={keys} onChange={change} />
      {loaded.error === '' ? null : <p class="failure">{loaded.error}</p>}
      {keys.length === 0 ? <p class="empty">{t('history.noNumbers')}</p> : null}
      {loaded.series.length === 0 ? null : (
        <>
          <Plot
            series={loaded.series}
            names={loaded.series.map((one) => nameOfSeries(one, loaded.series.length > 1))}
            fromMs={range.fromMs}
            toMs={range.toMs}
            onRange={setRange}
          />
          <div class="bar small">
            <span class="muted grow" role="status">
              {t('plot.points', { n: loaded.series.reduce((sum, one) => sum + one.times.length, 0) })} ·{' '}
              {t('plot.help')}
            </span>
            <Button
              icon="download"
              testId="plot-csv"
              onClick={() => saveFile('series.csv', 'text/csv', csvOf(loaded.series))}
            >
              {t('plot.csv')}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}

function csvOf(series: readonly StoredSeries[]): string {
  const { times, columns } = align(series);
  const names = series.flatMap((one) => ['', ' min', ' max'].map((end) => nameOfSeries(one, true) + end));
  return seriesToCsv(
    names,
    times.map((time) => time * 1000),
    columns.flatMap(({ mean, minimum, maximum }) => [mean, minimum, maximum]),
  );
}
