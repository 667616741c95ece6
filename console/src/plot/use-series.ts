import { useEffect, useState } from 'preact/hooks';
import { CallError, call, isAbort, messageOf } from '../api/call.ts';
import type { StoredSeries } from '../api/types.ts';
import { t } from '../i18n.ts';
import { formatSeries, type SeriesKey } from './series-key.ts';

/** Buckets of one range: about one for two pixels of a plot. */
const bucketsMax = 600;

export interface LoadedSeries {
  readonly series: readonly StoredSeries[];
  readonly error: string;
}

async function ask(
  { topic, field }: SeriesKey,
  fromMs: number,
  toMs: number,
  stop: AbortSignal,
): Promise<StoredSeries> {
  const times = { fromMs: String(Math.round(fromMs)), toMs: String(Math.round(toMs)) };
  const answer = await call('GET /history/query', {
    query: { filter: topic, field, ...times, bucketsMax: String(bucketsMax), seriesMax: '1' },
    signal: stop,
  });
  const nothing = { topic, field, times: [], count: [], min: [], max: [], avg: [], last: [], gaps: [] };
  return answer.series.find((one) => one.topic === topic && one.field === field) ?? nothing;
}

/** The series of a range; while newer ones are asked for the old ones stay. */
export function useSeries(keys: readonly SeriesKey[], fromMs: number, toMs: number): LoadedSeries {
  const [state, setState] = useState<LoadedSeries>({ series: [], error: '' });
  const text = formatSeries(keys);
  useEffect(() => {
    if (keys.length === 0) {
      setState({ series: [], error: '' });
      return undefined;
    }
    const stop = new AbortController();
    Promise.all(keys.map((key) => ask(key, fromMs, toMs, stop.signal))).then(
      (series) => setState({ series, error: '' }),
      (error: unknown) => {
        if (isAbort(error)) return;
        const isNone = error instanceof CallError && error.code === 'no-history';
        setState({ series: [], error: isNone ? t('history.none') : messageOf(error) });
      },
    );
    return () => stop.abort();
  }, [text, fromMs, toMs]);
  return state;
}
