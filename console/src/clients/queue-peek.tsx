import { useState } from 'preact/hooks';
import { call, messageOf } from '../api/call.ts';
import { useCall } from '../api/use-call.ts';
import { formatBytes, formatDateTime } from '../format.ts';
import { t } from '../i18n.ts';
import { mayOperate } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';

/** The head of what waits for a client; it can be thrown away after the count was seen. */
export function QueuePeek({ clientId, onChange }: { clientId: string; onChange: () => void }) {
  const { data, error, reload } = useCall('GET /sessions/{clientId}/queue', {
    path: { clientId },
    query: { limit: '50' },
  });
  const [asks, setAsks] = useState(false);
  const purge = async (): Promise<void> => {
    setAsks(false);
    try {
      const { purgedMessages } = await call('DELETE /sessions/{clientId}/queue', { path: { clientId } });
      say(t('queue.purged', { n: purgedMessages }));
      reload();
      onChange();
    } catch (failure) {
      say(messageOf(failure), 'failed');
    }
  };
  return (
    <section>
      <div class="bar">
        <h3 class="grow">{t('queue.title')}</h3>
        {mayOperate.value && (data?.queuedMessages ?? 0) > 0 ? (
          <Button icon="trash" kind="danger" onClick={() => setAsks(true)}>
            {t('queue.purge')}
          </Button>
        ) : null}
      </div>
      {error === undefined ? null : <p class="failure">{error}</p>}
      <div class="scroll-x" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th>{t('message.at')}</th>
              <th>{t('publish.topic')}</th>
              <th>{t('publish.payload')}</th>
              <th>QoS</th>
            </tr>
          </thead>
          <tbody>
            {(data?.items ?? []).map((message, index) => (
              <tr key={index}>
                <td class="muted nowrap">{formatDateTime(message.atMs)}</td>
                <td>
                  <Shown text={message.topic} max={200} />
                </td>
                <td>
                  {'text' in message.payload ? (
                    <Shown text={message.payload.text} max={120} />
                  ) : (
                    <span class="muted">{t('payload.binary', { size: formatBytes(message.sizeBytes) })}</span>
                  )}
                </td>
                <td>{message.qos}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {asks ? (
        <Dialog
          title={t('queue.purge')}
          onClose={() => setAsks(false)}
          about={t('queue.willPurge', { n: data?.queuedMessages ?? 0, size: formatBytes(data?.queuedBytes ?? 0) })}
        >
          <div class="bar end">
            <Button onClick={() => setAsks(false)} autoFocus>
              {t('cancel')}
            </Button>
            <Button kind="danger" onClick={() => void purge()}>
              {t('queue.purge')}
            </Button>
          </div>
        </Dialog>
      ) : null}
    </section>
  );
}
