/** What was stored, read through the contract of the history. */
import type { History, HistoryFault } from '../../contracts/history.ts';
import type { HandlersOf } from '../handler.ts';
import { HttpProblem } from '../problem.ts';
import type { HttpServices } from '../services.ts';
import { shownPayload } from '../shown-message.ts';

const mediaTypes = { csv: 'text/csv; charset=utf-8', jsonl: 'application/jsonl' } as const;

export function historyHandlers({
  surroundings,
}: HttpServices): HandlersOf<'historySeries' | 'historyQuery' | 'historyMessages' | 'historyExport' | 'historyStats'> {
  const ask = async <Answer>(question: (history: History) => Promise<Answer>): Promise<Answer> => {
    const history = surroundings.history();
    if (history === null) {
      throw new HttpProblem(404, 'no-history', 'Nothing is stored: the configuration has no history_topic line.');
    }
    try {
      return await question(history);
    } catch (error) {
      throw problemOf(error);
    }
  };
  return {
    historySeries: ({ query }) =>
      ask(async (history) => {
        const { series, next } = await history.series(defined(query));
        return { items: [...series], nextCursor: next };
      }),
    historyQuery: ({ query }) =>
      ask(async (history) => {
        const result = await history.query(defined(query));
        const series = result.series.map(({ topic, field, ...columns }) => {
          const { times, count, min, max, avg, last, gaps } = columns;
          return {
            ...{ topic, field, times: [...times], count: [...count], min: [...min], max: [...max] },
            ...{ avg: [...avg], last: [...last], gaps: [...gaps] },
          };
        });
        return { ...result, series };
      }),
    historyMessages: ({ query: { cursor, order = 'newest', ...query } }) =>
      ask(async (history) => {
        const from = cursor === undefined ? {} : { [order === 'newest' ? 'before' : 'after']: cursor };
        const { messages, next } = await history.messages({ ...defined(query), ...from, order });
        const items = messages.map(({ id, timeMs, topic, qos, retain, clientId, payload }) => ({
          ...{ id, atMs: timeMs, topic, qos, isRetained: retain, publisherClientId: clientId },
          payload: shownPayload(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)),
          sizeBytes: payload.byteLength,
        }));
        return { items, nextCursor: next === null ? null : String(next) };
      }),
    historyExport: ({ query: { what = 'messages', ...query } }) =>
      ask(async (history) => {
        const pieces = history.exported({ ...defined(query), what });
        // The first piece is looked at here, so that a fault still becomes an answer.
        const first = await pieces.next();
        const body = new ReadableStream<Uint8Array>({
          start(controller) {
            if (first.done !== true) controller.enqueue(first.value);
            else controller.close();
          },
          async pull(controller) {
            const piece = await pieces.next();
            if (piece.done === true) controller.close();
            else controller.enqueue(piece.value);
          },
          async cancel() {
            await pieces.return?.();
          },
        });
        const headers = {
          'Content-Type': mediaTypes[query.format],
          'Content-Disposition': `attachment; filename="history.${query.format}"`,
        };
        return new Response(body, { headers });
      }),
    historyStats: () =>
      ask(async (history) => {
        const stats = await history.stats();
        return {
          ...stats,
          rules: stats.rules.map((rule) => ({ ...rule })),
          sinks: stats.sinks.map((sink) => ({ ...sink })),
        };
      }),
  };
}

/** Without what was not given, as the contract has it. */
function defined<T extends object>(query: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof T]: Exclude<T[Name], undefined> }; // nothing else was taken away
}

function problemOf(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'HistoryFault') return error;
  const { code, message, parameter } = error as HistoryFault;
  switch (code) {
    case 'invalid':
      return new HttpProblem(400, 'invalid-field', `query: ${message}`, parameter ?? undefined);
    case 'busy':
      return new HttpProblem(503, 'busy', message);
    default:
      return new HttpProblem(503, 'unavailable', message);
  }
}
