/** The history of a file, read by another process than the one that writes it. */
import type { History } from '../contracts/history.ts';
import { answerOf } from './answers.ts';
import { askedHistory } from './asked-history.ts';
import { Catalog } from './catalog.ts';
import { storedFigures } from './figures.ts';
import { openForReading } from './open-database.ts';
import type { Reader } from './reader.ts';
import { type HistoryRule, ruleOf } from './rules.ts';
import { inOneRead } from './sqlite.ts';

/**
 * Opens a database for reading; a broker may write it meanwhile.
 *
 * @param rules - those of the broker, where they are known, for its figures by rule
 * @param nowMs - wall clock
 * @throws ForeignDatabase, or what the driver throws
 */
export function openFileHistory(
  file: string,
  rules: readonly HistoryRule[],
  nowMs: number,
): History & { close(): void } {
  const database = openForReading(file, nowMs);
  const catalog = inOneRead(database, () => Catalog.load(database));
  for (const topic of catalog.topics.values()) topic.rule = ruleOf(rules, topic.name);
  const reader: Reader = { database, catalog };
  const history = askedHistory(
    // Errors become rejections, as with the worker.
    async (question, request) => inOneRead(database, () => answerOf(reader, question, request)),
    async () => ({
      ...inOneRead(database, () => storedFigures(reader, file, rules)),
      ...{ file, maxBytes: 0, recorded: 0, dropped: 0, waiting: 0, waitingBytes: 0, lagMs: 0, fault: null, sinks: [] },
    }),
  );
  return { ...history, close: () => database.close() };
}
