import { useState } from 'preact/hooks';
import { call } from '../api/call.ts';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { Shown } from '../ui/shown.tsx';
import { nameOfSeries, type SeriesKey, sameSeries, seriesMax } from './series-key.ts';

/** Fields of the topic to switch on and off, and a search for fields of other topics. */
export function SeriesPicker(props: {
  topic: string;
  fields: readonly SeriesKey[];
  keys: readonly SeriesKey[];
  onChange: (keys: readonly SeriesKey[]) => void;
}) {
  const { keys, onChange } = props;
  const [other, setOther] = useState('');
  const [found, setFound] = useState<readonly SeriesKey[]>([]);
  const has = (key: SeriesKey): boolean => keys.some((one) => sameSeries(one, key));
  const toggle = (key: SeriesKey): void =>
    onChange(has(key) ? keys.filter((one) => !sameSeries(one, key)) : [...keys, key].slice(-seriesMax));
  const shown = [...props.fields, ...keys.filter((key) => !props.fields.some((one) => sameSeries(one, key)))];
  const search = async (): Promise<void> => {
    const filter = other.trim() === '' ? '#' : other.trim();
    const answer = await call('GET /history/series', { query: { filter, limit: '50' } }).catch(() => ({ items: [] }));
    setFound(answer.items);
  };
  return (
    <div class="series-picker">
      <div class="bar small" role="group" aria-label={t('plot.series')}>
        {shown.slice(0, 40).map((key) => (
          <Button key={`${key.topic}\t${key.field}`} kind="quiet" pressed={has(key)} onClick={() => toggle(key)}>
            <span class={`swatch s${(keys.findIndex((one) => sameSeries(one, key)) % seriesMax) + 1}`} />
            <Shown text={nameOfSeries(key, key.topic !== props.topic)} max={80} />
          </Button>
        ))}
        <details class="menu">
          <summary class="button quiet">{t('plot.add')}</summary>
          <form
            class="menu-box stack"
            onSubmit={(event) => {
              event.preventDefault();
              void search();
            }}
          >
            <label class="stack">
              {t('who.filter')}
              <input
                class="mono"
                value={other}
                placeholder="#"
                onInput={(event) => setOther(event.currentTarget.value)}
              />
            </label>
            <Button type="submit">{t('who.ask')}</Button>
            {found.map((key) => (
              <button key={`${key.topic}\t${key.field}`} type="button" onClick={() => toggle(key)}>
                {has(key) ? '✓ ' : ''}
                <Shown text={nameOfSeries(key, true)} max={120} />
              </button>
            ))}
          </form>
        </details>
      </div>
    </div>
  );
}
