import type { BrokerAnswer } from '../api/types.ts';
import { formatDateTime, formatNumber } from '../format.ts';
import { t } from '../i18n.ts';
import { Shown } from '../ui/shown.tsx';

/** Where the broker listens, and for whom. */
export function Listeners({ broker }: { broker: BrokerAnswer }) {
  return (
    <section class="panel" aria-label={t('overview.listeners')}>
      <h2>{t('overview.listeners')}</h2>
      <div class="scroll-x" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th>{t('listeners.where')}</th>
              <th>{t('listeners.protocol')}</th>
              <th>TLS</th>
              <th>{t('listeners.login')}</th>
              <th class="number">{t('listeners.connections')}</th>
            </tr>
          </thead>
          <tbody>
            {broker.listeners.map((row) => (
              <tr key={`${row.host} ${row.port} ${row.path}`}>
                <td>
                  <Shown text={row.path ?? `${row.host ?? '*'}:${row.port}`} max={200} />
                </td>
                <td>{row.protocol}</td>
                <td>
                  {row.tls ? t('yes') : t('no')}
                  {typeof row.certificate?.notAfterMs !== 'number'
                    ? ''
                    : ` · ${t('listeners.until', { time: formatDateTime(row.certificate.notAfterMs) })}`}
                </td>
                <td>
                  {t(
                    row.requiresCertificate
                      ? 'listeners.certificate'
                      : row.allowsAnonymous
                        ? 'listeners.anonymous'
                        : 'listeners.password',
                  )}
                </td>
                <td class="number">{formatNumber(row.connections)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
