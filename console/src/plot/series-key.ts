/** Which series a plot shows, as its URL writes them: one per line, topic and field with a tab between. */

export interface SeriesKey {
  readonly topic: string;
  /** '' for payloads that are plain numbers. */
  readonly field: string;
}

export const seriesMax = 6;

export const formatSeries = (keys: readonly SeriesKey[]): string =>
  keys.map(({ topic, field }) => `${topic}\t${field}`).join('\n');

export const parseSeries = (text: string): readonly SeriesKey[] =>
  text === ''
    ? []
    : text
        .split('\n')
        .slice(0, seriesMax)
        .map((line) => {
          const mark = line.lastIndexOf('\t');
          return mark === -1 ? { topic: line, field: '' } : { topic: line.slice(0, mark), field: line.slice(mark + 1) };
        });

export const sameSeries = (a: SeriesKey, b: SeriesKey): boolean => a.topic === b.topic && a.field === b.field;

/** What a plot calls a series. */
export const nameOfSeries = ({ topic, field }: SeriesKey, whole: boolean): string => {
  if (field === '') return topic;
  return whole ? `${topic} · ${field}` : field;
};
