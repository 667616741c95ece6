import { t } from '../i18n.ts';
import { route } from '../router.ts';
import type { SessionState } from '../session.ts';
import { ConnectOther } from './connect-other.tsx';
import { FirstRun } from './first-run.tsx';
import { LanguageAndTheme } from './language-and-theme.tsx';
import { Login } from './login.tsx';
import { Unreachable } from './unreachable.tsx';

/** In front of the console: the first start, the login, or the way to another broker. */
export function Gate({ state }: { state: Exclude<SessionState, { step: 'inside' | 'reduced' | 'asking' }> }) {
  const token = route.value.screen === 'welcome' ? (route.value.state['token'] ?? '') : '';
  const other = route.value.state['other'] !== undefined;
  return (
    <main class="gate" id="main">
      <div class="gate-box">
        <header class="gate-head">
          <img src="icon.svg" alt="" width="48" height="48" />
          <div>
            <h1>Moustique</h1>
            <p class="muted">{t('gate.tagline')}</p>
          </div>
        </header>
        {other ? (
          <ConnectOther />
        ) : state.step === 'unreachable' ? (
          <Unreachable message={state.message} />
        ) : state.step === 'first-run' ? (
          <FirstRun token={token} />
        ) : (
          <Login />
        )}
        <LanguageAndTheme />
      </div>
    </main>
  );
}
