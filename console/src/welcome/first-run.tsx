import { useState } from 'preact/hooks';
import { t } from '../i18n.ts';
import { go, linkTo } from '../router.ts';
import { makeFirstUser } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';
import { Icon } from '../ui/icon.tsx';

const passwordMin = 8;

/** There is no default password: the link in the broker's log makes the first administrator. */
export function FirstRun({ token }: { token: string }) {
  return token === '' ? <WhereIsTheLink /> : <FirstUser token={token} />;
}

function WhereIsTheLink() {
  return (
    <div class="stack">
      <h2>{t('first.title')}</h2>
      <p>{t('first.where')}</p>
      <pre class="sample">http://localhost:9883/#/welcome?token=…</pre>
      <p class="muted small">{t('first.why')}</p>
      <a href={linkTo('overview', { other: '1' })}>{t('other.link')}</a>
    </div>
  );
}

function FirstUser({ token }: { token: string }) {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const isLong = password.length >= passwordMin;
  const isSame = password !== '' && password === again;
  const { onSubmit, error, isBusy } = useSubmit(async (form) => {
    if (!isLong || !isSame) throw new Error(t(isLong ? 'first.notSame' : 'first.tooShort'));
    await makeFirstUser(token, String(form.get('username') ?? ''), password);
    go('overview');
  });
  return (
    <form class="stack" onSubmit={onSubmit}>
      <h2>{t('first.title')}</h2>
      <p>{t('first.make')}</p>
      <Field label={t('login.user')}>
        {(id) => <input id={id} name="username" autocomplete="username" required value="admin" />}
      </Field>
      <Field label={t('first.password')}>
        {(id) => (
          <input
            id={id}
            name="password"
            type="password"
            autocomplete="new-password"
            required
            autofocus
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t('first.again')}>
        {(id) => (
          <input
            id={id}
            name="again"
            type="password"
            autocomplete="new-password"
            required
            onInput={(event) => setAgain(event.currentTarget.value)}
          />
        )}
      </Field>
      <ul class="checks" aria-live="polite">
        <li class={isLong ? 'met' : 'unmet'}>
          <Icon name={isLong ? 'check' : 'more'} /> {t('first.tooShort')}
        </li>
        <li class={isSame ? 'met' : 'unmet'}>
          <Icon name={isSame ? 'check' : 'more'} /> {t('first.same')}
        </li>
      </ul>
      <Failure message={error} />
      <Button type="submit" kind="primary" disabled={isBusy}>
        {t('first.enter')}
      </Button>
    </form>
  );
}
