/** Questions and how they are answered from an open database: one table for the worker and for the command line. */
import type {
  HistoryExportRequest,
  HistoryMessagesRequest,
  HistoryQuery,
  HistorySeriesRequest,
} from '../contracts/history.ts';
import { type ExportPlace, exportBegin, exportPiece } from './export.ts';
import { query } from './query.ts';
import { readMessages } from './read-messages.ts';
import { readSeries } from './read-series.ts';
import type { Reader } from './reader.ts';

const answers = {
  series: (reader: Reader, request: HistorySeriesRequest) => readSeries(reader, request),
  query: (reader: Reader, request: HistoryQuery) => query(reader, request),
  messages: (reader: Reader, request: HistoryMessagesRequest) => readMessages(reader, request),
  exportBegin: (reader: Reader, request: HistoryExportRequest) => exportBegin(reader, request),
  exportPiece: (reader: Reader, [request, place]: readonly [HistoryExportRequest, ExportPlace]) =>
    exportPiece(reader, request, place),
};

export type Question = keyof typeof answers;
export type RequestOf<Name extends Question> = Parameters<(typeof answers)[Name]>[1];
export type AnswerOf<Name extends Question> = ReturnType<(typeof answers)[Name]>;

/**
 * The answer to a question.
 *
 * @throws HistoryFault
 */
export function answerOf<Name extends Question>(
  reader: Reader,
  question: Name,
  request: RequestOf<Name>,
): AnswerOf<Name> {
  const answer: unknown = answers[question];
  return (answer as (reader: Reader, request: RequestOf<Name>) => AnswerOf<Name>)(reader, request); // the one of that name
}

/** Gets an answer, wherever it comes from. */
export type Ask = <Name extends Question>(question: Name, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;
