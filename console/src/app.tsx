import { t } from './i18n.ts';
import { session } from './session.ts';
import { Shell } from './shell.tsx';
import { Announcer } from './ui/announce.tsx';
import { Toasts } from './ui/toast.tsx';
import { Gate } from './welcome/gate.tsx';

/** What is shown depends on who is there. */
export function App() {
  const state = session.value;
  return (
    <>
      {state.step === 'asking' ? (
        <p class="splash" role="status">
          {t('loading')}
        </p>
      ) : state.step === 'inside' || state.step === 'reduced' ? (
        <Shell />
      ) : (
        <Gate state={state} />
      )}
      <Toasts />
      <Announcer />
    </>
  );
}
