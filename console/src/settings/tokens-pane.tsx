import { useState } from 'preact/hooks';
import { call, messageOf } from '../api/call.ts';
import { useCall } from '../api/use-call.ts';
import { formatDateTime } from '../format.ts';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { copyText } from '../ui/copy.ts';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';

/** Read-only tokens for programs and wall displays. */
export function TokensPane() {
  const { data, error, reload } = useCall('GET /tokens', {});
  const [made, setMade] = useState<string | undefined>(undefined);
  const form = useSubmit(async (fields) => {
    const days = Number(fields.get('days') ?? 0);
    const body = { name: String(fields.get('name') ?? ''), ...(days > 0 ? { days } : {}) };
    setMade((await call('POST /tokens', { body })).token);
    reload();
  });
  const end = async (tokenId: string): Promise<void> => {
    try {
      await call('DELETE /tokens/{tokenId}', { path: { tokenId } });
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
    reload();
  };
  return (
    <section class="panel stack scroll" aria-label={t('settings.tokens')}>
      <p class="muted">{t('tokens.what')}</p>
      <form class="bar filters" onSubmit={form.onSubmit}>
        <Field label={t('tokens.name')} class="grow row-field">
          {(id) => <input id={id} name="name" required maxLength={100} />}
        </Field>
        <Field label={t('tokens.days')} class="row-field">
          {(id) => <input id={id} name="days" type="number" min={1} max={3650} />}
        </Field>
        <Button type="submit" kind="primary" icon="plus" disabled={form.isBusy}>
          {t('tokens.make')}
        </Button>
      </form>
      <Failure message={form.error ?? error} />
      {made === undefined ? null : (
        <div class="bar note" role="status">
          <span>{t('tokens.once')}</span>
          <code class="grow wrap">{made}</code>
          <Button icon="copy" label={t('copy')} onClick={() => void copyText(made)} />
        </div>
      )}
      <table class="table">
        <tbody>
          {(data?.items ?? []).map((token) => (
            <tr key={token.id}>
              <th scope="row">
                <Shown text={token.name} max={100} />
              </th>
              <td>{formatDateTime(token.createdMs)}</td>
              <td>{token.expiresMs === null ? t('never') : formatDateTime(token.expiresMs)}</td>
              <td>
                <Button icon="trash" kind="danger" label={t('tokens.end')} onClick={() => void end(token.id)} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
