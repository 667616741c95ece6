import { language, t } from '../i18n.ts';
import { installOffer } from '../offline.ts';
import { linkTo, setState, stateOf } from '../router.ts';
import { isReduced, logOut, role, session } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { LanguageAndTheme } from '../welcome/language-and-theme.tsx';
import { AuditPane } from './audit-pane.tsx';
import { ConfigPane } from './config-pane.tsx';
import { ListenersPane } from './listeners-pane.tsx';
import { TokensPane } from './tokens-pane.tsx';

const panes = ['console', 'config', 'listeners', 'tokens', 'audit'] as const;

/** This console, and what the broker was told to be. */
export function SettingsScreen() {
  const isAdmin = role.value === 'admin';
  const shown = panes.filter((pane) => pane === 'console' || (!isReduced.value && (isAdmin || pane === 'listeners')));
  const pane = shown.find((one) => one === stateOf('pane')) ?? 'console';
  return (
    <div class="single">
      <Tabs
        label={t('screen.settings')}
        value={pane}
        tabs={shown.map((value) => ({ value, text: t(`settings.${value}`) }))}
        onChange={(value) => setState({ pane: value === 'console' ? '' : value })}
      />
      {pane === 'console' ? <ConsolePane /> : null}
      {pane === 'config' ? <ConfigPane /> : null}
      {pane === 'listeners' ? <ListenersPane /> : null}
      {pane === 'tokens' ? <TokensPane /> : null}
      {pane === 'audit' ? <AuditPane /> : null}
    </div>
  );
}

function ConsolePane() {
  const state = session.value;
  const install = installOffer.value;
  return (
    <section class="panel stack scroll" aria-label={t('settings.console')}>
      <h2>{t('settings.look')}</h2>
      <LanguageAndTheme />
      <h2>{t('settings.account')}</h2>
      {state.step === 'inside' ? (
        <p>
          <Shown text={state.name} max={200} /> · {t(`role.${state.role}`)}
          <br />
          <span class="muted">{t(`role.${state.role}.what`)}</span>
        </p>
      ) : (
        <p>{t('other.reduced')}</p>
      )}
      <div class="bar">
        <Button icon="kick" onClick={() => void logOut()}>
          {t('logout')}
        </Button>
        <a class="button" href={linkTo('overview', { other: '1' })} onClick={() => void logOut()}>
          <Icon name="plug" /> {t('other.link')}
        </a>
      </div>
      <h2>{t('settings.install')}</h2>
      <p class="muted">{t('settings.installLong')}</p>
      {install === undefined ? null : (
        <div class="bar">
          <Button icon="download" kind="primary" onClick={() => void install()}>
            {t('settings.installNow')}
          </Button>
        </div>
      )}
      <p>
        <a href={`help/${language.value}.html`} target="_blank">
          {t('help')}
        </a>
      </p>
      <p class="muted small">{t('settings.version', { version: MOUSTIQUE_VERSION })}</p>
    </section>
  );
}
