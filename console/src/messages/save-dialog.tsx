import { useEffect } from 'preact/hooks';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { say } from '../ui/toast.tsx';
import { type Draft, messageOf } from './draft.ts';
import { changeSaved, loadSaved, saved, withMessage } from './saved.ts';

/** Keep the message of the form, under a name, in a collection. */
export function SaveDialog({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  useEffect(() => void loadSaved().catch(() => undefined), []);
  const { onSubmit, error, isBusy } = useSubmit(async (form) => {
    const collection = String(form.get('collection') ?? '').trim();
    const delay = Number(form.get('delay') ?? 0);
    const message = { ...messageOf(draft, String(form.get('name') ?? '')), ...(delay > 0 ? { delayMs: delay } : {}) };
    await changeSaved((collections) => withMessage(collections, collection, message));
    say(t('saved.done'));
    onClose();
  });
  return (
    <Dialog title={t('saved.save')} onClose={onClose}>
      <form class="stack" onSubmit={onSubmit}>
        <Field label={t('saved.name')}>
          {(id) => <input id={id} name="name" required maxLength={200} value={draft.topic} autofocus />}
        </Field>
        <Field label={t('saved.collection')}>
          {(id) => (
            <>
              <input id={id} name="collection" required maxLength={200} list="collections" value={t('saved.first')} />
              <datalist id="collections">
                {(saved.value?.collections ?? []).map((one) => (
                  <option key={one.name} value={one.name} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field label={t('saved.delay')}>
          {(id) => <input id={id} name="delay" type="number" min={0} max={86_400_000} value="0" />}
        </Field>
        <Failure message={error} />
        <div class="bar end">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" kind="primary" disabled={isBusy}>
            {t('saved.save')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
