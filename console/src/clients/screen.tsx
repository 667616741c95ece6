import { t } from '../i18n.ts';
import { route, setState, stateOf } from '../router.ts';
import { Tabs } from '../ui/tabs.tsx';
import { Bans } from './bans.tsx';
import { ClientDetail } from './client-detail.tsx';
import { ClientList } from './client-list.tsx';
import { MatchesForm, ReceiversForm } from './who-receives.tsx';

const panes = ['list', 'who', 'bans'] as const;

/** Who is connected, who gets what, who is kept out. */
export function ClientsScreen() {
  const pane = panes.find((one) => one === stateOf('pane')) ?? 'list';
  const client = route.value.state['client'];
  return (
    <div class={`split${client === undefined ? '' : ' has-detail'}`}>
      <div class="side">
        <Tabs
          label={t('screen.clients')}
          value={pane}
          tabs={panes.map((value) => ({ value, text: t(`clients.${value}`) }))}
          onChange={(value) => setState({ pane: value === 'list' ? '' : value })}
        />
        {pane === 'list' ? <ClientList /> : null}
        {pane === 'who' ? (
          <div class="panel scroll stack">
            <ReceiversForm />
            <MatchesForm />
          </div>
        ) : null}
        {pane === 'bans' ? <Bans /> : null}
      </div>
      <div class="detail">
        {client === undefined ? (
          <p class="empty">{t('clients.choose')}</p>
        ) : (
          <ClientDetail key={client} clientId={client} />
        )}
      </div>
    </div>
  );
}
