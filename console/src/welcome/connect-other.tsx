import { t } from '../i18n.ts';
import { connectReduced } from '../mqtt/reduced.ts';
import { go, linkTo } from '../router.ts';
import { session } from '../session.ts';
import { remember, remembered } from '../storage.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Failure, useSubmit } from '../ui/form.tsx';

/** A broker of any make, over MQTT in a WebSocket. Address and user are remembered, the password is not. */
export function ConnectOther() {
  const { onSubmit, error, isBusy } = useSubmit(async (form) => {
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    const filters = text('filters')
      .split(/\s+/)
      .filter((filter) => filter !== '');
    const { url } = await connectReduced({
      url: text('url'),
      username: text('username'),
      password: String(form.get('password') ?? ''),
      filters: filters.length === 0 ? ['#'] : filters,
    });
    remember('other.url', url);
    remember('other.user', text('username'));
    session.value = { step: 'reduced', broker: url.replace(/^wss?:\/\//, '') };
    go('topics');
  });
  return (
    <form class="stack" onSubmit={onSubmit} data-testid="connect-other">
      <h2>{t('other.title')}</h2>
      <p class="muted small">{t('other.what')}</p>
      <Field label={t('other.url')} hint={t('other.urlHint')}>
        {(id) => (
          <input
            id={id}
            name="url"
            class="mono"
            type="url"
            required
            pattern="wss?://.*"
            value={remembered('other.url') ?? `ws://${location.hostname || 'localhost'}:9001`}
          />
        )}
      </Field>
      <div class="form-grid">
        <Field label={t('login.user')}>
          {(id) => <input id={id} name="username" autocomplete="off" value={remembered('other.user') ?? ''} />}
        </Field>
        <Field label={t('login.password')}>
          {(id) => <input id={id} name="password" type="password" autocomplete="off" />}
        </Field>
        <Field label={t('messages.filter')} class="wide">
          {(id) => <input id={id} name="filters" class="mono" value="#" />}
        </Field>
      </div>
      <Failure message={error} />
      <Button type="submit" kind="primary" icon="plug" disabled={isBusy}>
        {t('other.connect')}
      </Button>
      <a href={linkTo('overview')}>{t('back')}</a>
    </form>
  );
}
