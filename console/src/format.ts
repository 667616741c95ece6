/** Numbers, sizes, times and durations as the user's language writes them. */

import { computed } from '@preact/signals';
import { language } from './i18n.ts';

const plain = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 2 }));
const short = computed(() => new Intl.NumberFormat(language.value, { notation: 'compact', maximumFractionDigits: 1 }));
const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
const sizes = computed(() =>
  byteUnits.map(
    (unit) =>
      new Intl.NumberFormat(language.value, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: 1,
      }),
  ),
);
/** B, or o in French. */
const byteSign = computed(
  () =>
    new Intl.NumberFormat(language.value, { style: 'unit', unit: 'byte', unitDisplay: 'narrow' })
      .formatToParts(0)
      .find((part) => part.type === 'unit')?.value ?? 'B',
);
const clockTime = computed(
  () =>
    new Intl.DateTimeFormat(language.value, {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hour12: false,
    }),
);
const momentFormat = computed(
  () =>
    new Intl.DateTimeFormat(language.value, {
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      hour12: false,
    }),
);
const dayAndTime = computed(
  () => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium', hour12: false }),
);
const relative = computed(() => new Intl.RelativeTimeFormat(language.value, { numeric: 'auto', style: 'short' }));
const durationUnits = computed(() =>
  (['day', 'hour', 'minute', 'second', 'millisecond'] as const).map(
    (unit) =>
      new Intl.NumberFormat(language.value, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 }),
  ),
);

const percent = computed(() => new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 }));

/** Such as 37 %. @param share - 0 to 1 */
export const formatShare = (share: number): string => percent.value.format(share);

export const formatNumber = (value: number): string => plain.value.format(value);

/** Such as 12K: for places with little room. */
export const formatShort = (value: number): string => (value < 10_000 ? plain : short).value.format(value);

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${plain.value.format(Math.round(bytes))}\u00a0${byteSign.value}`;
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return sizes.value[unit]?.format(value) ?? String(bytes);
}

/** Per second; small rates keep two digits. */
export const formatRate = (perSecond: number): string =>
  perSecond > 0 && perSecond < 0.01 ? '<0.01' : formatShort(perSecond < 10 ? perSecond : Math.round(perSecond));

/** Time of day with milliseconds. @param at - ms since 1970 */
export const formatClock = (at: number): string => clockTime.value.format(at);

/** Day and time with milliseconds. @param at - ms since 1970 */
export const formatMoment = (at: number): string => momentFormat.value.format(at);

export const formatDateTime = (at: number): string => dayAndTime.value.format(at);

/** Date, time and milliseconds, the same in every language, for files and for comparing. */
export const formatIso = (at: number): string => new Date(at).toISOString();

/** Such as "5 min. ago". */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.round((at - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 60) return relative.value.format(seconds, 'second');
  if (size < 3600) return relative.value.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return relative.value.format(Math.round(seconds / 3600), 'hour');
  return relative.value.format(Math.round(seconds / 86_400), 'day');
}

const durationSizes = [86_400, 3600, 60, 1, 0.001] as const;

/** The two largest units of a duration. */
export function formatDuration(seconds: number): string {
  const first = durationSizes.findIndex((size) => seconds >= size);
  if (first === -1) return durationUnits.value[3]?.format(0) ?? '0';
  const size = durationSizes[first] ?? 1;
  if (first >= 3) return durationUnits.value[first]?.format(seconds / size) ?? '';
  const whole = Math.floor(seconds / size);
  const next = durationSizes[first + 1] ?? 1;
  const rest = Math.floor((seconds - whole * size) / next);
  const head = durationUnits.value[first]?.format(whole) ?? '';
  return rest === 0 ? head : `${head} ${durationUnits.value[first + 1]?.format(rest) ?? ''}`;
}
