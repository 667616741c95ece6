import { historySinks, historyTopics, size } from '../history-types.ts';
import { option } from '../option.ts';
import { integer, path } from '../value-types.ts';

/** Messages that are kept in a database, and where else they go. */
export const historyOptions = {
  history_topic: option({
    scope: 'global',
    type: historyTopics(),
    default: [],
    repeat: 'collect',
    reload: 'live',
    isExtension: true,
    doc: 'Keeps the messages of these topics in a database, for plots and exports: numbers, and numbers in JSON, as series; may be repeated. `keep N days` and `max SIZE` limit them; the first line that matches a topic decides. `max 0` keeps nothing here and only feeds `history_sink`. A filter with spaces stands in quotes. See [history](history.md).',
  }),
  history_location: option({
    scope: 'global',
    type: path('directory'),
    default: null,
    reload: 'restart',
    isExtension: true,
    doc: 'Directory of the history database `history.db`; that of `persistence_location`, or the working directory, when not given.',
  }),
  history_max_size: option({
    scope: 'global',
    type: size(1024 ** 2),
    default: 1024 ** 3,
    unit: 'bytes',
    reload: 'live',
    isExtension: true,
    doc: 'How large the history database may grow, at least 1M. Then its oldest messages make room for new ones.',
  }),
  history_write_interval: option({
    scope: 'global',
    type: integer({ min: 1, max: 3600 }),
    default: 1,
    unit: 's',
    reload: 'live',
    isExtension: true,
    doc: 'How long messages are gathered before they are written to the history database together. What is gathered is lost in a power cut; a long interval spares an SD card.',
  }),
  history_sink: option({
    scope: 'global',
    type: historySinks(),
    default: [],
    repeat: 'collect',
    reload: 'live',
    isExtension: true,
    doc: 'Sends what `history_topic` keeps to InfluxDB, VictoriaMetrics or QuestDB as well, by line protocol over HTTP; may be repeated. `max SIZE` (16M) is what may wait for a server that does not answer, 64K to 1G; then the oldest is dropped.',
  }),
};
