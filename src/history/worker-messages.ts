/** What the event loop and the worker tell each other. */
import type { AnswerOf, Question, RequestOf } from './answers.ts';
import type { Batch } from './batch.ts';
import type { FaultData } from './history-fault.ts';
import type { KeeperFigures } from './keeper.ts';
import type { Report } from './open-database.ts';
import type { HistorySettings } from './settings.ts';

export type ToWorker =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question; readonly request: RequestOf<Question> }
  | { readonly kind: 'figures'; readonly id: number }
  | { readonly kind: 'settings'; readonly settings: HistorySettings }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** The database cannot be used; the worker ends. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'done'; readonly messages: number; readonly refused: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: AnswerOf<Question> | KeeperFigures }
  | { readonly kind: 'fault'; readonly id: number; readonly fault: FaultData }
  | { readonly kind: 'log'; readonly level: Parameters<Report>[0]; readonly text: string }
  | { readonly kind: 'closed' };
