/**
 * Dates as text by a C `strftime` format, in local time.
 *
 * The format is cut into parts once; formatting a date then walks the parts. Names of days and months are those of the
 * C locale, because Mosquitto never sets another one.
 */

type Part = string | ((date: Date) => string);

const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** Directives that stand for a longer format, as in the C locale. */
const compound: Readonly<Record<string, string>> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  r: '%I:%M:%S %p',
  R: '%H:%M',
  T: '%H:%M:%S',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

/** How a numeric directive is padded unless a flag says otherwise. */
interface NumberField {
  readonly width: number;
  readonly pad: '0' | ' ';
  readonly of: (date: Date) => number;
}

const numbers: Readonly<Record<string, NumberField>> = {
  C: { width: 2, pad: '0', of: (date) => Math.floor(date.getFullYear() / 100) },
  d: { width: 2, pad: '0', of: (date) => date.getDate() },
  e: { width: 2, pad: ' ', of: (date) => date.getDate() },
  g: { width: 2, pad: '0', of: (date) => isoWeek(date).year % 100 },
  G: { width: 1, pad: '0', of: (date) => isoWeek(date).year },
  H: { width: 2, pad: '0', of: (date) => date.getHours() },
  I: { width: 2, pad: '0', of: (date) => date.getHours() % 12 || 12 },
  j: { width: 3, pad: '0', of: (date) => dayOfYear(date) + 1 },
  k: { width: 2, pad: ' ', of: (date) => date.getHours() },
  l: { width: 2, pad: ' ', of: (date) => date.getHours() % 12 || 12 },
  m: { width: 2, pad: '0', of: (date) => date.getMonth() + 1 },
  M: { width: 2, pad: '0', of: (date) => date.getMinutes() },
  s: { width: 1, pad: '0', of: (date) => Math.floor(date.getTime() / 1000) },
  S: { width: 2, pad: '0', of: (date) => date.getSeconds() },
  u: { width: 1, pad: '0', of: (date) => date.getDay() || 7 },
  U: { width: 2, pad: '0', of: (date) => Math.floor((dayOfYear(date) + 7 - date.getDay()) / 7) },
  V: { width: 2, pad: '0', of: (date) => isoWeek(date).week },
  w: { width: 1, pad: '0', of: (date) => date.getDay() },
  W: { width: 2, pad: '0', of: (date) => Math.floor((dayOfYear(date) + 7 - ((date.getDay() + 6) % 7)) / 7) },
  y: { width: 2, pad: '0', of: (date) => ((date.getFullYear() % 100) + 100) % 100 },
  Y: { width: 1, pad: '0', of: (date) => date.getFullYear() },
};

const texts: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => (dayNames[date.getDay()] ?? '').slice(0, 3),
  A: (date) => dayNames[date.getDay()] ?? '',
  b: (date) => (monthNames[date.getMonth()] ?? '').slice(0, 3),
  B: (date) => monthNames[date.getMonth()] ?? '',
  h: (date) => (monthNames[date.getMonth()] ?? '').slice(0, 3),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  z: utcOffset,
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};

/**
 * Cuts a format into a function from time to text.
 *
 * Understood: every directive of C99 and POSIX (`%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %m %M %n %p %r %R %S
 * %t %T %u %U %V %w %W %x %X %y %Y %z %Z %%`), `%k %l %P %s` of GNU, its flags `- _ 0 ^ #` and field widths up to 99,
 * and the modifiers `E` and `O` (without effect in the C locale). Anything else stays in the text as written.
 *
 * @param format - as in `log_timestamp_format` of mosquitto.conf, or `-F '%@X'` of mosquitto_sub
 * @returns a function of milliseconds since 1970 giving the local time as text
 */
export function compileStrftime(format: string): (unixMs: number) => string {
  const parts = cut(format);
  return (unixMs) => join(parts, new Date(unixMs));
}

/** One date by one format; see {@link compileStrftime}, which is the cheaper way for many dates. */
export function strftime(format: string, unixMs: number): string {
  return compileStrftime(format)(unixMs);
}

function join(parts: readonly Part[], date: Date): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : part(date);
  return text;
}

function cut(format: string): Part[] {
  const parts: Part[] = [];
  const directive = /%([-_0^#]*)(\d{0,2})[EO]?([A-Za-z%])/g;
  let end = 0;
  for (const match of format.matchAll(directive)) {
    const [whole, flags = '', width = '', letter = ''] = match;
    if (match.index > end) parts.push(format.slice(end, match.index));
    parts.push(field(whole, flags, Number(width), letter));
    end = match.index + whole.length;
  }
  if (end < format.length) parts.push(format.slice(end));
  return parts;
}

function field(whole: string, flags: string, width: number, letter: string): Part {
  const number = numbers[letter];
  const flag = [...flags].findLast((one) => one !== '^' && one !== '#');
  if (number !== undefined) {
    const pad = flag === '_' ? ' ' : flag === '0' ? '0' : number.pad;
    const least = flag === '-' ? 0 : Math.max(width, number.width);
    return (date) => String(number.of(date)).padStart(least, pad);
  }
  const longer = compound[letter];
  const inner = longer === undefined ? undefined : cut(longer);
  const text = letter === 'Z' ? zoneNamer() : texts[letter];
  if (inner === undefined && text === undefined) return whole;
  const hasCapitals = flags.includes('^') || (flags.includes('#') && letter !== 'p' && letter !== 'Z');
  const hasSmall = flags.includes('#') && !hasCapitals;
  return (date) => {
    let value = inner === undefined ? (text?.(date) ?? '') : join(inner, date);
    if (hasCapitals) value = value.toUpperCase();
    if (hasSmall) value = value.toLowerCase();
    return flag === '-' ? value : value.padStart(width, flag === '0' ? '0' : ' ');
  };
}

/** Days since 1 January, 0..365. */
function dayOfYear(date: Date): number {
  const here = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((here - Date.UTC(date.getFullYear(), 0, 1)) / 86_400_000);
}

/** Week and its year by ISO 8601: weeks begin on Monday, week 1 holds the year's first Thursday. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(
    Date.UTC(date.getFullYear(), date.getMonth(), date.getDate() + 3 - ((date.getDay() + 6) % 7)),
  );
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1 };
}

function utcOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const hours = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${hours}${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
}

/**
 * The abbreviation of the local time zone. Unicode data knows an abbreviation only in the English of places where it is
 * in use (CET in Britain, EST in America) and else says GMT+1: the first real name of these is taken.
 */
function zoneNamer(): (date: Date) => string {
  const formats = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA'].map(
    (locale) => new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }),
  );
  return (date) => {
    const names = formats.map(
      (format) => format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value,
    );
    return names.find((name) => name !== undefined && !/^GMT[+-]/.test(name)) ?? names[0] ?? '';
  };
}
