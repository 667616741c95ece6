import { t } from '../i18n.ts';
import { serverNow } from '../live/feed.ts';
import { setState, stateOf } from '../router.ts';
import { Button } from '../ui/button.tsx';

const minute = 60_000;
/** Lengths offered, in ms. */
const choices = {
  '15m': 15 * minute,
  '1h': 60 * minute,
  '6h': 360 * minute,
  '24h': 1440 * minute,
  '7d': 7 * 1440 * minute,
  '30d': 30 * 1440 * minute,
} as const;
type Choice = keyof typeof choices;
const names = Object.keys(choices) as Choice[];

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  /** The same as long as the same is asked for. */
  readonly key: string;
}

/** The range of the URL: `from` and `to`, or a length that ends now (rounded, so that drawing again asks nothing new). */
export function rangeOf(): TimeRange {
  const from = Number(stateOf('from'));
  const to = Number(stateOf('to-time'));
  if (from > 0 && to > from) return { fromMs: from, toMs: to, key: `${from}-${to}` };
  const length = choices[names.find((name) => name === stateOf('range')) ?? '1h'];
  const toMs = Math.ceil(serverNow() / 10_000) * 10_000;
  return { fromMs: toMs - length, toMs, key: `last ${length} at ${toMs}` };
}

export const setRange = (fromMs: number, toMs: number): void =>
  setState({ from: String(Math.round(fromMs)), 'to-time': String(Math.round(toMs)), range: '' });

/** How far back, and one step to either side or closer. */
export function RangePicker() {
  const isFixed = stateOf('from') !== '';
  const chosen = isFixed ? '' : stateOf('range') || '1h';
  const { fromMs, toMs } = rangeOf();
  const span = toMs - fromMs;
  return (
    <div class="bar small ranges" role="group" aria-label={t('range.label')}>
      {names.map((name) => (
        <Button
          key={name}
          kind="quiet"
          pressed={name === chosen}
          onClick={() => setState({ range: name, from: '', 'to-time': '' })}
        >
          {t(`range.${name}`)}
        </Button>
      ))}
      <span class="grow" />
      <span class="bar-part">
        <Button
          kind="quiet"
          label={t('range.earlier')}
          icon="back"
          onClick={() => setRange(fromMs - span / 2, toMs - span / 2)}
        />
        <Button
          kind="quiet"
          label={t('range.later')}
          icon="chevron"
          onClick={() => setRange(fromMs + span / 2, toMs + span / 2)}
        />
        <Button
          kind="quiet"
          testId="zoom-in"
          label={t('range.in')}
          icon="plus"
          onClick={() => setRange(fromMs + span / 4, toMs - span / 4)}
        />
        <Button
          kind="quiet"
          testId="zoom-out"
          label={t('range.out')}
          icon="minus"
          onClick={() => setRange(fromMs - span / 2, toMs + span / 2)}
        />
      </span>
    </div>
  );
}
