import { call, messageOf } from '../api/call.ts';
import { useCall } from '../api/use-call.ts';
import { formatDateTime } from '../format.ts';
import { t } from '../i18n.ts';
import { mayOperate } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';

/** Client Identifiers that are kept out, by whom and until when. */
export function Bans() {
  const { data, error, reload } = useCall('GET /bans', {}, 5000);
  const lift = async (clientId: string): Promise<void> => {
    try {
      await call('DELETE /bans/{clientId}', { path: { clientId } });
      say(t('bans.lifted'));
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
    reload();
  };
  const items = data?.items ?? [];
  return (
    <section class="panel scroll" aria-label={t('clients.bans')}>
      {error === undefined ? null : <p class="failure">{error}</p>}
      {data !== undefined && items.length === 0 ? <p class="empty">{t('bans.none')}</p> : null}
      {items.length === 0 ? null : (
        <table class="table">
          <thead>
            <tr>
              <th>Client Identifier</th>
              <th>{t('bans.until')}</th>
              <th>{t('bans.by')}</th>
              <th>
                <span class="for-reader">{t('bans.lift')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((ban) => (
              <tr key={ban.clientId}>
                <td>
                  <Shown text={ban.clientId} max={200} />
                </td>
                <td>{formatDateTime(ban.untilMs)}</td>
                <td>
                  <Shown text={ban.by} max={100} />
                </td>
                <td>
                  {mayOperate.value ? <Button onClick={() => void lift(ban.clientId)}>{t('bans.lift')}</Button> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
