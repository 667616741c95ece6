import { useCall } from '../api/use-call.ts';
import { formatDateTime } from '../format.ts';
import { t } from '../i18n.ts';
import { Shown } from '../ui/shown.tsx';

/** Who changed what through the console. */
export function AuditPane() {
  const { data, error } = useCall('GET /audit', {}, 10_000);
  const items = data?.items ?? [];
  return (
    <section class="panel scroll" aria-label={t('settings.audit')}>
      {error === undefined ? null : <p class="failure">{error}</p>}
      {items.length === 0 ? <p class="empty">{data === undefined ? t('loading') : t('audit.none')}</p> : null}
      {items.length === 0 ? null : (
        <div class="scroll-x" tabIndex={0}>
          <table class="table stacked">
            <thead>
              <tr>
                <th>{t('message.at')}</th>
                <th>{t('login.user')}</th>
                <th>{t('clients.address')}</th>
                <th>{t('audit.what')}</th>
                <th>{t('audit.status')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((row, index) => (
                <tr key={index}>
                  <td class="nowrap muted">{formatDateTime(row.atMs)}</td>
                  <td>
                    <Shown text={row.user} max={100} />
                  </td>
                  <td class="muted">{row.address}</td>
                  <td>
                    <code>
                      <Shown text={`${row.method} ${row.path}`} max={200} />
                    </code>{' '}
                    <Shown text={row.detail} max={300} />
                  </td>
                  <td>{row.status}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
