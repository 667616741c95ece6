/** The contract on top of questions that are answered somewhere: by the worker, or from a file. */
import type { History, HistoryExportRequest, HistoryStats } from '../contracts/history.ts';
import type { Ask } from './answers.ts';
import { type ExportPiece, type ExportPlace, exportHead } from './export.ts';

export function askedHistory(ask: Ask, stats: () => Promise<HistoryStats>): History {
  return {
    series: (request) => ask('series', request),
    query: (request) => ask('query', request),
    messages: (request) => ask('messages', request),
    exported: (request) => exported(ask, request),
    stats,
  };
}

async function* exported(ask: Ask, request: HistoryExportRequest): AsyncGenerator<Uint8Array, void> {
  const begin = await ask('exportBegin', request);
  const head = exportHead(request);
  if (head !== '') yield Buffer.from(head);
  for (let place: ExportPlace | null = begin; place !== null; ) {
    const piece: ExportPiece = await ask('exportPiece', [request, place]);
    if (piece.bytes.length > 0) yield piece.bytes;
    place = piece.next;
  }
}
