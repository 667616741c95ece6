import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ClientDetail as Detail } from '../api/types.ts';
import { useCall } from '../api/use-call.ts';
import { formatBytes, formatDateTime, formatDuration, formatNumber } from '../format.ts';
import { t } from '../i18n.ts';
import { linkTo, setState } from '../router.ts';
import { mayOperate } from '../session.ts';
import { Button } from '../ui/button.tsx';
import { Shown } from '../ui/shown.tsx';
import { versionName } from './client-list.tsx';
import { KickDialog } from './kick-dialog.tsx';
import { QueuePeek } from './queue-peek.tsx';

/** One client: where from, what it subscribes, owes and is owed. */
export function ClientDetail({ clientId }: { clientId: string }) {
  const { data, error, reload } = useCall('GET /clients/{clientId}', { path: { clientId } }, 2000);
  const [asks, setAsks] = useState<'kick' | 'ban' | undefined>(undefined);
  return (
    <section class="panel inspector" aria-label={t('clients.detail')} data-testid="client-detail">
      <div class="bar inspector-head">
        <Button icon="back" kind="quiet" label={t('back')} onClick={closeDetail} />
        <h2 class="grow cut">
          <Shown text={clientId} max={300} />
        </h2>
        {mayOperate.value ? (
          <>
            <Button icon="kick" kind="danger" disabled={data?.isConnected !== true} onClick={() => setAsks('kick')}>
              {t('clients.kick')}
            </Button>
            <Button icon="ban" kind="danger" onClick={() => setAsks('ban')}>
              {t('clients.ban')}
            </Button>
          </>
        ) : null}
      </div>
      <div class="scroll">
        {data === undefined ? <p class="empty">{error ?? t('loading')}</p> : <Facts client={data} />}
        {data === undefined ? null : <Subscriptions client={data} />}
        {data === undefined || data.queuedMessages + data.inFlight === 0 ? null : (
          <QueuePeek clientId={clientId} onChange={reload} />
        )}
      </div>
      {asks === undefined ? null : (
        <KickDialog clientId={clientId} ban={asks === 'ban'} onClose={() => setAsks(undefined)} onDone={reload} />
      )}
    </section>
  );
}

function closeDetail(): void {
  setState({ client: '' });
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.side [role=option][tabindex="0"]')?.focus());
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div class="fact">
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

function Facts({ client }: { client: Detail }) {
  const { will } = client;
  return (
    <dl class="facts">
      <Fact name={t('clients.state')}>
        <span class={`dot ${client.isConnected ? 'live' : 'away'}`} />{' '}
        {t(client.isConnected ? 'clients.state.connected' : 'clients.state.away')}
      </Fact>
      <Fact name={t('clients.user')}>
        {client.username === null ? t('clients.anonymous') : <Shown text={client.username} />}
      </Fact>
      <Fact name={t('clients.address')}>
        {client.address === null ? '–' : `${client.address}${client.port === null ? '' : `:${client.port}`}`}
      </Fact>
      <Fact name={t('clients.protocol')}>
        {client.protocolVersion === null ? '–' : versionName(client.protocolVersion)}
      </Fact>
      <Fact name={t('clients.listener')}>{client.listenerPort}</Fact>
      <Fact name="TLS">{client.tls === null ? t('no') : `${client.tls.version} ${client.tls.cipher}`}</Fact>
      <Fact name="Keep Alive">{client.keepAliveSeconds === null ? '–' : formatDuration(client.keepAliveSeconds)}</Fact>
      <Fact name={t('clients.due')}>
        {client.keepAliveDueInSeconds === null
          ? t('never')
          : formatDuration(Math.max(0, Math.round(client.keepAliveDueInSeconds)))}
      </Fact>
      <Fact name={t('clients.idle')}>
        {client.idleSeconds === null ? '–' : formatDuration(Math.round(client.idleSeconds))}
      </Fact>
      <Fact name={t('clients.queue')}>
        {formatNumber(client.queuedMessages)} · {formatBytes(client.queuedBytes)}
      </Fact>
      <Fact name={t('clients.inFlight')}>
        {formatNumber(client.inFlight)} · {formatBytes(client.inFlightBytes)}
      </Fact>
      <Fact name={t('clients.pending')}>{formatBytes(client.socketPendingBytes)}</Fact>
      <Fact name={t('clients.dropped')}>
        {client.dropsByReason.length === 0
          ? t(client.hasDroppedMessages ? 'yes' : 'no')
          : client.dropsByReason.map(({ reason, help, count }) => (
              <div key={reason} title={help}>
                {formatNumber(count)} <span class="muted">{reason}</span>
              </div>
            ))}
      </Fact>
      {client.lastError === null ? null : (
        <Fact name={t('clients.lastError')}>
          <Shown text={client.lastError.reason} max={300} />{' '}
          <span class="muted small">{formatDateTime(client.lastError.atMs)}</span>
        </Fact>
      )}
      <Fact name={t('clients.session')}>
        {client.expiresMs !== null
          ? formatDateTime(client.expiresMs)
          : client.sessionExpirySeconds === null
            ? t('never')
            : client.sessionExpirySeconds === 0
              ? t('clients.withConnection')
              : formatDuration(client.sessionExpirySeconds)}
      </Fact>
      {client.bannedUntilMs === null ? null : (
        <Fact name={t('clients.banned')}>{formatDateTime(client.bannedUntilMs)}</Fact>
      )}
      {will === null ? null : (
        <Fact name="Will">
          <Shown text={will.topic} max={200} />:{' '}
          <Shown text={'text' in will.payload ? will.payload.text : will.payload.base64} max={200} />{' '}
          <span class="muted">
            (QoS {will.qos}
            {will.isRetained ? `, ${t('retained.flag')}` : ''})
          </span>
        </Fact>
      )}
    </dl>
  );
}

function Subscriptions({ client }: { client: Detail }) {
  const rows = client.subscriptionList;
  return (
    <section>
      <h3>{t('clients.subscriptions', { n: client.subscriptions })}</h3>
      {rows.length === 0 ? null : (
        <div class="scroll-x" tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th>{t('who.filter')}</th>
                <th>QoS</th>
                <th>{t('clients.options')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.filter}>
                  <td>
                    <a href={linkTo('messages', { filter: row.filter.replace(/^\$share\/[^/]+\//, '') })}>
                      <Shown text={row.filter} max={200} />
                    </a>
                  </td>
                  <td>{row.qos}</td>
                  <td class="muted small">
                    {[
                      row.noLocal ? 'No Local' : '',
                      row.retainAsPublished ? 'Retain As Published' : '',
                      row.retainHandling === 0 ? '' : `Retain Handling ${row.retainHandling}`,
                      row.identifier === null ? '' : `Subscription Identifier ${row.identifier}`,
                    ]
                      .filter((part) => part !== '')
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {client.subscriptionsOmitted > 0 ? (
        <p class="muted">{t('clients.omitted', { n: client.subscriptionsOmitted })}</p>
      ) : null}
    </section>
  );
}
