import { useState } from 'preact/hooks';
import { useCall } from '../api/use-call.ts';
import { formatRate, formatShare } from '../format.ts';
import { t } from '../i18n.ts';
import { TopicInput } from '../messages/topic-input.tsx';
import { linkTo, setState, stateOf } from '../router.ts';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Shown } from '../ui/shown.tsx';

/** Who would get a message with this topic, and why. */
export function WhoReceives({ topic }: { topic: string }) {
  const { data, error } = useCall('GET /subscriptions/receivers', { query: { topic } });
  if (data === undefined) return <p class="empty">{error ?? t('loading')}</p>;
  return (
    <div class="scroll" data-testid="receivers">
      <p role="status">
        {t('who.count', { n: data.count })} {data.isComplete ? '' : t('who.incomplete')}
      </p>
      {data.clients.length === 0 ? null : (
        <div class="scroll-x" tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th>{t('who.client')}</th>
                <th>{t('who.filter')}</th>
                <th>QoS</th>
                <th>{t('who.may')}</th>
              </tr>
            </thead>
            <tbody>
              {data.clients.map((row) => (
                <tr key={`${row.clientId} ${row.filter}`}>
                  <td>
                    <span class={`dot ${row.isConnected ? 'live' : 'away'}`} />{' '}
                    <a href={linkTo('clients', { client: row.clientId })}>
                      <Shown text={row.clientId} max={200} />
                    </a>
                  </td>
                  <td>
                    <Shown text={row.filter} max={200} />
                  </td>
                  <td>{row.qos}</td>
                  <td>{row.mayReceive ? t('yes') : <strong>{t('no')}</strong>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data.groups.map((group) => (
        <section key={`${group.name} ${group.filter}`}>
          <h3>
            {t('who.group')} <Shown text={group.name} max={100} />{' '}
            <span class="muted">
              <Shown text={group.filter} max={200} />
            </span>
          </h3>
          <ul class="bare">
            {group.members.map((member) => (
              <li key={member.clientId}>
                <span class={`dot ${member.isConnected ? 'live' : 'away'}`} />{' '}
                <a href={linkTo('clients', { client: member.clientId })}>
                  <Shown text={member.clientId} max={200} />
                </a>{' '}
                <span class="muted">
                  QoS {member.qos}
                  {group.taken > 0 &&
                    ` · ${t('who.taken', { n: member.taken, share: formatShare(member.taken / group.taken) })}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function AskForm(props: { label: string; name: string; button: string }) {
  const [typed, setTyped] = useState(stateOf(props.name));
  return (
    <form
      class="bar filters"
      onSubmit={(event) => {
        event.preventDefault();
        setState({ [props.name]: typed });
      }}
    >
      <Field label={props.label} class="grow row-field">
        {(id) => <TopicInput id={id} value={typed} onInput={setTyped} required />}
      </Field>
      <Button type="submit">{props.button}</Button>
    </form>
  );
}

export function ReceiversForm() {
  const topic = stateOf('who');
  return (
    <section class="stack tight">
      <h2>{t('who.title')}</h2>
      <AskForm label={t('publish.topic')} name="who" button={t('who.ask')} />
      {topic === '' ? null : <WhoReceives topic={topic} />}
    </section>
  );
}

export function MatchesForm() {
  const filter = stateOf('match');
  return (
    <section class="stack tight">
      <h2>{t('matches.title')}</h2>
      <AskForm label={t('who.filter')} name="match" button={t('who.ask')} />
      {filter === '' ? null : <Matches filter={filter} />}
    </section>
  );
}

function Matches({ filter }: { filter: string }) {
  const { data, error } = useCall('GET /subscriptions/matches', { query: { filter } });
  if (data === undefined) return <p class="empty">{error ?? t('loading')}</p>;
  return (
    <div data-testid="matches">
      <p role="status">
        {t('matches.count', { n: data.topics })}{' '}
        {t('matches.more', { retained: data.retained, rate: formatRate(data.ratePerSecond) })}{' '}
        {data.isComplete ? '' : t('search.incomplete')}
      </p>
      <ul class="bare">
        {data.first.map((topic) => (
          <li key={topic}>
            <a href={linkTo('topics', { topic })}>
              <Shown text={topic} max={300} />
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
