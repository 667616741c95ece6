import { useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { StoredSeries } from '../api/types.ts';
import { formatDateTime, formatNumber } from '../format.ts';
import { language, t } from '../i18n.ts';
import { colour, theme } from '../theme.ts';
import { type Aligned, align } from './align.ts';

export const coloursMax = 6;

/** Lines with a band from least to greatest value. Dragging zooms, Shift and dragging pans. */
export function Plot(props: {
  series: readonly StoredSeries[];
  names: readonly string[];
  fromMs: number;
  toMs: number;
  onRange: (fromMs: number, toMs: number) => void;
}) {
  const { series, names, fromMs, toMs } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  /** The series that the plot shows. */
  const shown = useRef<readonly StoredSeries[] | null>(null);
  const handler = useRef(props.onRange);
  handler.current = props.onRange;
  const shownTheme = theme.value;
  const shownLanguage = language.value;

  useLayoutEffect(() => {
    const place = box.current;
    if (place === null) return undefined;
    const made = new uPlot(
      optionsOf(place, names, fromMs, toMs, (from, to) => handler.current(from, to)),
      dataOf(align(series)),
      place,
    );
    plot.current = made;
    shown.current = series;
    const sizes = new ResizeObserver(() => made.setSize(sizeOf(place)));
    sizes.observe(place);
    return () => {
      plot.current = null;
      sizes.disconnect();
      made.destroy();
    };
  }, [names.join('\n'), shownTheme, shownLanguage]);

  // Another window or other data: the plot stays, and its data are aligned only when they are others.
  useLayoutEffect(() => {
    const made = plot.current;
    if (made === null) return;
    made.batch(() => {
      if (shown.current !== series) made.setData(dataOf(align(series)), false);
      shown.current = series;
      made.setScale('x', { min: fromMs / 1000, max: toMs / 1000 });
    });
  }, [series, fromMs, toMs]);

  const points = series.reduce((sum, one) => sum + one.times.length, 0);
  return (
    <div
      ref={box}
      class="plot"
      role="img"
      aria-label={t('plot.label', { names: names.join(', '), n: points })}
      data-testid="plot"
      data-points={points}
      data-from={fromMs}
      data-first={series[0]?.times[0]}
    />
  );
}

const sizeOf = (place: HTMLElement) => ({
  width: Math.max(200, place.clientWidth),
  height: Math.max(180, Math.min(420, Math.round(place.clientWidth * 0.5))),
});

const dataOf = (aligned: Aligned): uPlot.AlignedData =>
  [
    aligned.times,
    ...aligned.columns.flatMap(({ mean, minimum, maximum }) => [mean, minimum, maximum]),
  ] as uPlot.AlignedData;

function optionsOf(
  place: HTMLElement,
  names: readonly string[],
  fromMs: number,
  toMs: number,
  onRange: (fromMs: number, toMs: number) => void,
): uPlot.Options {
  const ink = colour('muted');
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: '12px system-ui, sans-serif' };
  return {
    ...sizeOf(place),
    scales: { x: { time: true, min: fromMs / 1000, max: toMs / 1000 } },
    axes: [
      { ...axis, values: (_, ticks) => timeLabels(ticks) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => formatNumber(tick)) },
    ],
    series: [
      { label: t('plot.time'), value: (_, value) => (value === null ? '–' : formatDateTime(value * 1000)) },
      ...names.flatMap((name, index) => seriesOf(name, index)),
    ],
    bands: names.map((_, index) => ({
      series: [index * 3 + 3, index * 3 + 2] as [number, number],
      fill: `${colour(`series-${(index % coloursMax) + 1}`)}33`,
    })),
    cursor: { drag: { x: true, y: false, setScale: false } },
    plugins: [panning(onRange)],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onRange(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000);
        },
      ],
    },
  };
}

function seriesOf(name: string, index: number): uPlot.Series[] {
  const stroke = colour(`series-${(index % coloursMax) + 1}`);
  const value = (_: uPlot, number: number | null): string => (number === null ? '–' : formatNumber(number));
  const edge = { stroke: `${stroke}66`, width: 1, points: { show: false }, value };
  return [
    { label: name, stroke, width: 2, points: { size: 4 }, value },
    { ...edge, label: t('plot.minimum') },
    { ...edge, label: t('plot.maximum') },
  ];
}

/** Hours within a day, days beyond. */
function timeLabels(ticks: readonly number[]): string[] {
  const step = ((ticks[1] ?? 0) - (ticks[0] ?? 0)) * 1000;
  const format = new Intl.DateTimeFormat(language.value, {
    ...(step >= 86_400_000
      ? { day: 'numeric', month: 'short' }
      : { hour: '2-digit', minute: '2-digit', hour12: false }),
    ...(step < 60_000 ? { second: '2-digit' } : {}),
  });
  return ticks.map((tick) => format.format(tick * 1000));
}

/** Shift and dragging moves the window; the new data are asked for when it stops. */
function panning(onRange: (fromMs: number, toMs: number) => void): uPlot.Plugin {
  return {
    hooks: {
      ready: [
        (plot) => {
          plot.over.addEventListener('pointerdown', (event) => {
            if (!event.shiftKey && event.button !== 1) return;
            event.preventDefault();
            event.stopImmediatePropagation();
            const start = event.clientX;
            const min = plot.scales['x']?.min ?? 0;
            const max = plot.scales['x']?.max ?? 1;
            const unit = (max - min) / plot.over.clientWidth;
            let shift = 0;
            const onMove = (move: PointerEvent): void => {
              shift = (start - move.clientX) * unit;
              plot.setScale('x', { min: min + shift, max: max + shift });
            };
            const onUp = (): void => {
              window.removeEventListener('pointermove', onMove);
              window.removeEventListener('pointerup', onUp);
              if (shift !== 0) onRange((min + shift) * 1000, (max + shift) * 1000);
            };
            window.addEventListener('pointermove', onMove);
            window.addEventListener('pointerup', onUp);
          });
        },
      ],
    },
  };
}
