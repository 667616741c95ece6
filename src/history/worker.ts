/** Entry of the worker thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { invariant } from '../base/invariant.ts';
import { faultData } from './history-fault.ts';
import { Keeper } from './keeper.ts';
import type { HistorySettings } from './settings.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

invariant(parentPort !== null, 'this file is run as a worker');
const port = parentPort;
const tell = (message: FromWorker): void => port.postMessage(message);

try {
  const keeper = new Keeper(
    workerData as HistorySettings, // given by history-service.ts
    systemClock(),
    (level, text) => tell({ kind: 'log', level, text }),
    (messages, refused) => tell({ kind: 'done', messages, refused }),
  );
  port.on('message', (message: ToWorker) => obey(keeper, message));
  tell({ kind: 'ready' });
} catch (error) {
  tell({ kind: 'refused', why: error instanceof Error ? error.message : String(error) });
}

function obey(keeper: Keeper, message: ToWorker): void {
  switch (message.kind) {
    case 'batch':
      keeper.accept(message.batch);
      return;
    case 'ask':
      answer(message.id, () => keeper.answer(message.question, message.request));
      return;
    case 'figures':
      answer(message.id, () => keeper.figures());
      return;
    case 'settings':
      keeper.change(message.settings);
      return;
    case 'close':
      void keeper.close().finally(() => {
        tell({ kind: 'closed' });
        port.close();
      });
      return;
  }
}

function answer(id: number, get: () => Extract<FromWorker, { kind: 'answer' }>['answer']): void {
  try {
    tell({ kind: 'answer', id, answer: get() });
  } catch (error) {
    tell({ kind: 'fault', id, fault: faultData(error) });
  }
}
