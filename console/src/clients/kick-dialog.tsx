import { useState } from 'preact/hooks';
import { call } from '../api/call.ts';
import { formatDateTime } from '../format.ts';
import { t } from '../i18n.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { Shown } from '../ui/shown.tsx';
import { say } from '../ui/toast.tsx';

const banChoices = [
  { seconds: 60, key: 'ban.minute' },
  { seconds: 3600, key: 'ban.hour' },
  { seconds: 86_400, key: 'ban.day' },
  { seconds: 2_592_000, key: 'ban.month' },
] as const;

/** Ends a connection; with a ban, keeps the Client Identifier out for a time. */
export function KickDialog(props: { clientId: string; ban: boolean; onClose: () => void; onDone: () => void }) {
  const { clientId, ban, onClose, onDone } = props;
  const [seconds, setSeconds] = useState(3600);
  const [endSession, setEndSession] = useState(false);
  const { onSubmit, error, isBusy } = useSubmit(async () => {
    const answer = await call('POST /clients/{clientId}/kick', {
      path: { clientId },
      body: { endSession, ...(ban ? { banSeconds: seconds } : {}) },
    });
    say(
      answer.bannedUntilMs === null
        ? t(answer.wasConnected ? 'clients.kicked' : 'clients.wasAway')
        : t('clients.bannedUntil', { time: formatDateTime(answer.bannedUntilMs) }),
    );
    onDone();
    onClose();
  });
  return (
    <Dialog
      title={t(ban ? 'clients.banTitle' : 'clients.kickTitle')}
      onClose={onClose}
      about={
        <>
          <p>
            <strong>
              <Shown text={clientId} max={300} />
            </strong>
          </p>
          <p class="muted">{t(ban ? 'clients.banLong' : 'clients.kickLong')}</p>
        </>
      }
    >
      <form class="stack" onSubmit={onSubmit}>
        {ban ? (
          <Field label={t('ban.howLong')}>
            {(id) => (
              <select
                id={id}
                value={String(seconds)}
                onChange={(event) => setSeconds(Number(event.currentTarget.value))}
              >
                {banChoices.map((choice) => (
                  <option key={choice.seconds} value={String(choice.seconds)}>
                    {t(choice.key)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        ) : null}
        <label class="check">
          <input
            type="checkbox"
            checked={endSession}
            onChange={(event) => setEndSession(event.currentTarget.checked)}
          />
          {t('clients.endSession')}
        </label>
        <Failure message={error} />
        <div class="bar end">
          <Button onClick={onClose} autoFocus>
            {t('cancel')}
          </Button>
          <Button type="submit" kind="danger" disabled={isBusy} testId="kick-confirm">
            {t(ban ? 'clients.banNow' : 'clients.kick')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
