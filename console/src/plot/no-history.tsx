import { t } from '../i18n.ts';
import { Shown } from '../ui/shown.tsx';

/** Nothing is stored: which line makes the broker do it. */
export function NoHistory({ filter }: { filter: string }) {
  return (
    <div class="stack empty-block">
      <p>{t('history.none')}</p>
      <pre class="sample">
        history_topic <Shown text={filter} max={300} /> keep 30 days
      </pre>
    </div>
  );
}
