import { useCall } from '../api/use-call.ts';
import { t } from '../i18n.ts';
import { Listeners } from '../overview/listeners.tsx';

export function ListenersPane() {
  const { data, error } = useCall('GET /broker', {}, 10_000);
  return data === undefined ? <p class="empty">{error ?? t('loading')}</p> : <Listeners broker={data} />;
}
