import { useEffect, useState } from 'preact/hooks';
import { call, messageOf } from '../api/call.ts';
import { formatBytes } from '../format.ts';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';

/** First the broker counts, then it deletes; for ten minutes it can be undone. */
export function DeleteRetained(props: { filter: string; search: string; onClose: () => void; onDone: () => void }) {
  const { filter, search, onClose, onDone } = props;
  const [counted, setCounted] = useState<{ count: number; bytes: number } | undefined>(undefined);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const body = { filter, ...(search === '' ? {} : { search }) };
  useEffect(() => {
    call('POST /retained/delete', { body: { ...body, dryRun: true } }).then(setCounted, (error: unknown) =>
      setProblem(messageOf(error)),
    );
  }, []);
  const { onSubmit, error, isBusy } = useSubmit(async () => {
    const answer = await call('POST /retained/delete', { body: { ...body, dryRun: false } });
    const undoId = answer.undoId;
    say(
      t('retained.deleted', { n: answer.count }),
      'done',
      undoId === null ? undefined : { label: t('undo'), run: () => void undoDelete(undoId).then(onDone) },
    );
    onDone();
    onClose();
  });
  return (
    <Dialog
      title={t('retained.deleteTitle')}
      onClose={onClose}
      about={
        <>
          <p data-testid="delete-count">
            {counted === undefined
              ? t('loading')
              : t('retained.willDelete', { n: counted.count, size: formatBytes(counted.bytes) })}
          </p>
          <p>
            <code>
              <Shown text={filter} max={300} />
            </code>
            {search === '' ? null : (
              <>
                {' '}
                · <Shown text={search} max={200} />
              </>
            )}
          </p>
          <p class="muted small">{t('retained.undoLong')}</p>
        </>
      }
    >
      <form class="stack" onSubmit={onSubmit}>
        <Failure message={error ?? problem} />
        <div class="bar end">
          <Button onClick={onClose} autoFocus>
            {t('cancel')}
          </Button>
          <Button
            type="submit"
            kind="danger"
            icon="trash"
            disabled={isBusy || counted === undefined || counted.count === 0}
            testId="delete-confirm"
          >
            {counted === undefined ? t('retained.delete') : t('retained.deleteNow', { n: counted.count })}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Put back what a deletion took. */
export async function undoDelete(undoId: string): Promise<void> {
  try {
    const { restored, skipped } = await call('POST /retained/undo', { body: { undoId } });
    say(skipped === 0 ? t('retained.restored', { n: restored }) : t('retained.restoredSome', { n: restored, skipped }));
  } catch (error) {
    say(messageOf(error), 'failed');
  }
}
