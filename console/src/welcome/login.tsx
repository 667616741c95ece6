import { t } from '../i18n.ts';
import { linkTo } from '../router.ts';
import { logIn } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';

export function Login() {
  const { onSubmit, error, isBusy } = useSubmit((form) =>
    logIn(String(form.get('username') ?? ''), String(form.get('password') ?? '')),
  );
  return (
    <form class="stack" onSubmit={onSubmit}>
      <h2>{t('login.title')}</h2>
      <Field label={t('login.user')}>
        {(id) => <input id={id} name="username" autocomplete="username" required autofocus />}
      </Field>
      <Field label={t('login.password')}>
        {(id) => <input id={id} name="password" type="password" autocomplete="current-password" required />}
      </Field>
      <Failure message={error} />
      <Button type="submit" kind="primary" disabled={isBusy}>
        {t('login.enter')}
      </Button>
      <p class="muted small">{t('login.who')}</p>
      <a href={linkTo('overview', { other: '1' })}>{t('other.link')}</a>
    </form>
  );
}
