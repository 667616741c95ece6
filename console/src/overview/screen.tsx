import type { ComponentChildren } from 'preact';
import type { BrokerAnswer } from '../api/types.ts';
import { useCall } from '../api/use-call.ts';
import { formatBytes, formatDuration, formatNumber, formatRate, formatShort } from '../format.ts';
import { t } from '../i18n.ts';
import { counters } from '../live/feed.ts';
import { linkTo } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { Shown } from '../ui/shown.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { Drops } from './drops.tsx';
import { findingsOf } from './findings.ts';
import { Listeners } from './listeners.tsx';
import { Stat } from './stat.tsx';

/** Is it healthy: one sentence first, then numbers that explain themselves. */
export function OverviewScreen() {
  const { data, error } = useCall('GET /broker', {}, 5000);
  if (data === undefined) return <p class="empty">{error ?? t('loading')}</p>;
  return (
    <div class="overview">
      {error === undefined ? null : <p class="failure">{error}</p>}
      <Health broker={data} />
      <Rates broker={data} />
      <div class="cards">
        <Stat
          name={t('overview.clients')}
          value={formatNumber(counters.value?.clientsConnected ?? data.clients.connected)}
          explain={t('overview.clients.what')}
          link={linkTo('clients')}
        >
          {t('overview.clients.more', { total: data.clients.total, max: data.clients.maximum })}
        </Stat>
        <Stat
          name={t('overview.subscriptions')}
          value={formatNumber(data.subscriptions.ordinary + data.subscriptions.shared)}
          explain={t('overview.subscriptions.what')}
        >
          {t('overview.subscriptions.more', { n: data.subscriptions.shared })}
        </Stat>
        <Stat
          name={t('overview.retained')}
          value={formatNumber(data.retained.count)}
          explain={t('overview.retained.what')}
          link={linkTo('topics', { pane: 'retained' })}
        ></Stat>
        <Stat name={t('overview.stored')} value={formatNumber(data.stored.count)} explain={t('overview.stored.what')}>
          {formatBytes(data.stored.bytes)}
        </Stat>
        <Stat
          name={t('overview.waiting')}
          value={formatNumber(data.waiting.packets)}
          explain={t('overview.waiting.what')}
        >
          {formatBytes(data.waiting.bytes)}
        </Stat>
        <Stat
          name={t('overview.durability')}
          value={t(`durability.${data.store.durability}`)}
          explain={t(`durability.${data.store.durability}.what`)}
        >
          {data.store.freeDiskBytes === null
            ? ''
            : t('overview.freeDisk', { size: formatBytes(data.store.freeDiskBytes) })}
        </Stat>
        <Stat
          name={t('overview.delay')}
          value={`${formatNumber(data.eventLoopDelayMs.p99)} ms`}
          explain={t('overview.delay.what')}
        >
          {t('overview.delay.more', { mean: data.eventLoopDelayMs.mean, max: data.eventLoopDelayMs.maximum })}
        </Stat>
        <Stat name={t('overview.memory')} value={formatBytes(data.memory.rssBytes)} explain={t('overview.memory.what')}>
          {t('overview.memory.more', {
            used: formatBytes(data.memory.heapBytes),
            max: formatBytes(data.memory.heapLimitBytes),
          })}
        </Stat>
        <Stat
          name={t('overview.topics')}
          value={formatNumber(data.topicIndex.topics)}
          explain={t('overview.topics.what')}
          link={linkTo('topics')}
        >
          {t('overview.topics.more', {
            size: formatBytes(data.topicIndex.bytes),
            max: formatBytes(data.topicIndex.maxBytes),
          })}
        </Stat>
        <Stat
          name={t('overview.history')}
          value={data.history === null ? t('overview.history.off') : formatBytes(data.history.bytes)}
          explain={t('overview.history.what')}
        >
          {typeof data.history?.maxBytes !== 'number'
            ? ''
            : t('overview.history.more', { max: formatBytes(data.history.maxBytes) })}
        </Stat>
      </div>
      <div class="two">
        <Drops broker={data} />
        <Listeners broker={data} />
      </div>
      <p class="muted small">
        Moustique {data.version} · {t('overview.uptime', { time: formatDuration(data.uptimeSeconds) })}
      </p>
    </div>
  );
}

function Health({ broker }: { broker: BrokerAnswer }) {
  const findings = findingsOf(broker);
  const worst = findings.some((one) => one.level === 'bad') ? 'bad' : findings.length > 0 ? 'warn' : 'good';
  return (
    <section class={`health ${worst}`} aria-label={t('overview.health')}>
      <h2>
        <Icon name={worst === 'good' ? 'check' : 'warning'} /> {t(`overview.health.${worst}`)}
      </h2>
      {findings.length === 0 ? null : (
        <ul>
          {findings.map((finding) => (
            <li key={finding.text}>
              <Shown text={finding.text} max={500} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Rates({ broker }: { broker: BrokerAnswer }) {
  const now = counters.value;
  const { series, rates, totals } = broker;
  const rate = (
    name: string,
    live: number,
    values: readonly number[],
    more: ComponentChildren,
    text = `${formatRate(live)}/s`,
  ) => (
    <div class="rate">
      <span class="muted">{name}</span>
      <strong>{text}</strong>
      <Sparkline values={values} width={220} height={44} label={t('overview.trend', { name })} />
      <span class="muted small">{more}</span>
    </div>
  );
  return (
    <section class="panel rates" aria-label={t('overview.rates')}>
      {rate(
        t('overview.in'),
        now?.messagesInPerSecond ?? rates.messagesIn.now,
        series.messagesIn,
        t('overview.total', { n: formatShort(totals.messagesIn) }),
      )}
      {rate(
        t('overview.out'),
        now?.messagesOutPerSecond ?? rates.messagesOut.now,
        series.messagesOut,
        t('overview.total', { n: formatShort(totals.messagesOut) }),
      )}
      {rate(
        t('overview.bytes'),
        now?.bytesInPerSecond ?? rates.bytesIn.now,
        series.bytesIn,
        t('overview.bytesOut', { size: formatBytes(now?.bytesOutPerSecond ?? rates.bytesOut.now) }),
        `${formatBytes(now?.bytesInPerSecond ?? rates.bytesIn.now)}/s`,
      )}
      {rate(
        t('overview.dropped'),
        now?.droppedPerSecond ?? rates.dropped.now,
        series.dropped,
        t('overview.total', { n: formatShort(totals.dropped) }),
      )}
    </section>
  );
}
