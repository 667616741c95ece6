import { t } from '../i18n.ts';
import { linkTo } from '../router.ts';
import { askSession } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Failure } from '../ui/form.tsx';

/** The shell started, and no broker answers: without network, or on a page that no broker serves. */
export function Unreachable({ message }: { message: string }) {
  return (
    <div class="stack">
      <h2>{t('unreachable.title')}</h2>
      <Failure message={message} />
      <p>{t('unreachable.text')}</p>
      <Button icon="refresh" kind="primary" onClick={() => void askSession()}>
        {t('retry')}
      </Button>
      <a href={linkTo('overview', { other: '1' })}>{t('other.link')}</a>
    </div>
  );
}
