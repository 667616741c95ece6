import type { BrokerAnswer } from '../api/types.ts';
import { formatNumber } from '../format.ts';
import { t } from '../i18n.ts';

/** What was given up, by reason, most first; the broker's own words say what a reason means. */
export function Drops({ broker }: { broker: BrokerAnswer }) {
  const rows = broker.dropsByReason.filter((row) => row.count > 0).toSorted((a, b) => b.count - a.count);
  return (
    <section class="panel" aria-label={t('overview.drops')}>
      <h2>{t('overview.drops')}</h2>
      <p class="muted small">{t('overview.drops.what')}</p>
      {rows.length === 0 ? (
        <p class="empty">{t('overview.drops.none')}</p>
      ) : (
        <table class="table">
          <tbody>
            {rows.map((row) => (
              <tr key={row.reason}>
                <th scope="row">
                  {row.reason}
                  <p class="explain">{row.help}</p>
                </th>
                <td class="number">{formatNumber(row.count)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
