import { useEffect } from 'preact/hooks';
import { ClientsScreen } from './clients/screen.tsx';
import { formatRate } from './format.ts';
import { language, t } from './i18n.ts';
import { counters, feedState } from './live/feed.ts';
import { MessagesScreen } from './messages/screen.tsx';
import { isOffline } from './offline.ts';
import { OverviewScreen } from './overview/screen.tsx';
import { isPaletteOpen, Palette } from './palette.tsx';
import { linkTo, route, type Screen, screens } from './router.ts';
import { isReduced, logOut, session } from './session.ts';
import { SettingsScreen } from './settings/screen.tsx';
import { TopicsScreen } from './topics/screen.tsx';
import { Button } from './ui/button.tsx';
import { Icon } from './ui/icon.tsx';
import { Shown } from './ui/shown.tsx';

/** Screens that need the broker's own interface. */
const fullOnly: readonly Screen[] = ['overview', 'clients'];

const views = {
  overview: OverviewScreen,
  topics: TopicsScreen,
  messages: MessagesScreen,
  clients: ClientsScreen,
  settings: SettingsScreen,
} as const;

export function Shell() {
  const shown = isReduced.value ? screens.filter((screen) => !fullOnly.includes(screen)) : screens;
  const wanted = route.value.screen;
  const screen = shown.find((one) => one === wanted) ?? shown[0] ?? 'topics';
  const View = views[screen];
  useEffect(() => {
    document.title = `${t(`screen.${screen}`)} · Moustique`;
  }, [t(`screen.${screen}`)]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        isPaletteOpen.value = true;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);

  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        {t('skip')}
      </a>
      <TopBar />
      <nav class="nav" aria-label={t('nav.label')}>
        {shown.map((one) => (
          <a key={one} href={linkTo(one)} aria-current={one === screen ? 'page' : undefined}>
            <Icon name={one} />
            <span>{t(`screen.${one}`)}</span>
          </a>
        ))}
      </nav>
      <main id="main" class={`main ${screen}`} tabIndex={-1} aria-label={t(`screen.${screen}`)}>
        <h1 class="for-reader">{t(`screen.${screen}`)}</h1>
        <Banner />
        <View />
      </main>
      {isPaletteOpen.value ? <Palette /> : null}
    </div>
  );
}

function TopBar() {
  const state = session.value;
  const now = counters.value;
  const name = state.step === 'inside' || state.step === 'reduced' ? state.broker : '';
  return (
    <header class="top">
      <a class="brand" href={linkTo('overview')}>
        <img src="icon.svg" alt="" width="26" height="26" />
        <strong class="wide-text">Moustique</strong>
      </a>
      <span class={`dot ${feedState.value}`} />
      <span class="top-broker cut">
        <Shown text={name} max={80} />
        <span class="for-reader">{t(`feed.${feedState.value}`)}</span>
      </span>
      <span class="grow" />
      {now === undefined ? null : (
        <span class="top-rates muted">
          {t('top.rates', {
            in: formatRate(now.messagesInPerSecond),
            out: formatRate(now.messagesOutPerSecond),
            n: now.clientsConnected,
          })}
        </span>
      )}
      <button
        type="button"
        class="button palette-open"
        aria-keyshortcuts="Control+K"
        onClick={() => {
          isPaletteOpen.value = true;
        }}
      >
        <Icon name="search" />
        <span class="wide-text">{t('palette.open')}</span>
        <kbd class="wide-only" aria-hidden="true">
          Ctrl K
        </kbd>
      </button>
      {state.step === 'inside' ? (
        <span class="top-user wide-only muted">
          <Shown text={state.name} max={40} /> · {t(`role.${state.role}`)}
        </span>
      ) : null}
      <a class="button quiet only-icon" href={`help/${language.value}.html`} target="_blank" title={t('help')}>
        <Icon name="help" />
        <span class="for-reader">{t('help')}</span>
      </a>
      <Button icon="kick" kind="quiet" label={t('logout')} onClick={() => void logOut()} />
    </header>
  );
}

/** What the user has to know wherever he is. */
function Banner() {
  const text = isOffline.value ? t('offline') : feedState.value === 'lost' ? t('feed.lostLong') : undefined;
  return text === undefined ? null : (
    <p class="banner" role="status">
      <Icon name="warning" /> {text}
    </p>
  );
}
