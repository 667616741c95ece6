import { urlOf } from '../api/call.ts';
import type { ShownMessage } from '../api/types.ts';
import { t } from '../i18n.ts';
import { isReduced } from '../session.ts';
import { saveFile } from '../ui/copy.ts';
import { Icon } from '../ui/icon.tsx';
import { toCsv, toJsonLines } from './export.ts';

/** Save what is listed, or what the history has of the filter (streamed by the broker, whatever its size). */
export function ExportMenu({ messages, filter }: { messages: () => readonly ShownMessage[]; filter: string }) {
  const close = (event: Event): void => {
    if (event.currentTarget instanceof HTMLElement) event.currentTarget.closest('details')?.removeAttribute('open');
  };
  return (
    <details class="menu">
      <summary class="button quiet">
        <Icon name="download" /> <span class="wide-text">{t('export.title')}</span>
      </summary>
      <div class="menu-box">
        <button
          type="button"
          onClick={(event) => {
            saveFile('messages.csv', 'text/csv', toCsv(messages()));
            close(event);
          }}
        >
          {t('export.listCsv')}
        </button>
        <button
          type="button"
          onClick={(event) => {
            saveFile('messages.jsonl', 'application/jsonl', toJsonLines(messages()));
            close(event);
          }}
        >
          {t('export.listJsonl')}
        </button>
        {isReduced.value ? null : (
          <>
            <a href={urlOf('/history/export', { filter, format: 'csv' })} download="history.csv" onClick={close}>
              {t('export.historyCsv')}
            </a>
            <a href={urlOf('/history/export', { filter, format: 'jsonl' })} download="history.jsonl" onClick={close}>
              {t('export.historyJsonl')}
            </a>
          </>
        )}
      </div>
    </details>
  );
}
