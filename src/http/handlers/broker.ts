/** The broker as a whole. */
import { getHeapStatistics } from 'node:v8';
import { version } from '../../base/version.ts';
import { deliveryDrops } from '../../contracts/drop-reason.ts';
import type { Store } from '../../contracts/store.ts';
import { effectiveConfig } from '../effective-config.ts';
import type { HandlersOf } from '../handler.ts';
import { roleByConfig } from '../identity.ts';
import type { ListenerRow } from '../schema/broker.ts';
import type { HttpServices } from '../services.ts';
import type { ListenerView } from '../surroundings.ts';

export function brokerHandlers(
  services: HttpServices,
): HandlersOf<'getBroker' | 'getConfig' | 'listUsers' | 'listAudit' | 'getLog'> {
  const { surroundings, state, audit, index, rates, log, startedMs } = services;
  const { broker, clock, config, listeners } = surroundings;
  return {
    async getBroker() {
      const gauges = broker.gauges();
      const { store, stats } = broker.engine;
      const { rss, heapUsed } = process.memoryUsage();
      const history = await surroundings
        .history()
        ?.stats()
        .catch(() => null);
      return {
        version,
        uptimeSeconds: Math.floor((clock.monotonicMs() - startedMs) / 1000),
        nowMs: clock.nowMs(),
        clients: {
          connected: gauges.clientsConnected,
          total: gauges.clientsTotal,
          maximum: Math.max(rates.clientsMaximum, gauges.clientsConnected),
        },
        subscriptions: { ordinary: gauges.subscriptionsCount, shared: gauges.sharedSubscriptionsCount },
        retained: { count: gauges.retainedCount },
        stored: { count: gauges.messagesStored, bytes: gauges.messagesStoredBytes },
        waiting: { packets: gauges.packetsOutCount, bytes: gauges.packetsOutBytes },
        rates: rates.rates,
        totals: rates.totals,
        dropsByReason: Object.entries(deliveryDrops).map(([reason, { label, help }]) => ({
          ...{ reason: label, help },
          count: stats.deliveriesDropped[reason as keyof typeof deliveryDrops],
        })),
        store: {
          durability: durabilityOf(config().global),
          trouble: store.trouble,
          freeDiskBytes: surroundings.freeDiskBytes(),
          commits: commitsOf(store),
        },
        eventLoopDelayMs: rates.eventLoopDelayMs,
        memory: {
          ...{ rssBytes: rss, heapBytes: heapUsed },
          heapMaximumBytes: Math.max(heapUsed, rates.heapMaximumBytes),
          heapLimitBytes: getHeapStatistics().heap_size_limit,
        },
        topicIndex: { topics: index.count, bytes: index.bytes, maxBytes: index.bytesMax, evicted: index.evicted },
        history:
          history === null || history === undefined ? null : { bytes: history.usedBytes, maxBytes: history.maxBytes },
        listeners: listeners()
          .filter(({ isOpen }) => isOpen)
          .map(listenerRow),
        series: rates.series,
      };
    },
    getConfig: () => ({ file: config().file, items: effectiveConfig(config()) }),
    listUsers() {
      const connections = new Map<string, number>();
      for (const { publisher, outlet } of broker.engine.sessions.values()) {
        if (outlet === null || publisher.username === null) continue;
        connections.set(publisher.username, (connections.get(publisher.username) ?? 0) + 1);
      }
      const items = [...state.accounts].map(([name, { role }]) => ({
        ...{ name, role: role as typeof role | null, source: 'console', connections: 0 },
      }));
      const seen = new Set<string>();
      for (const { users, config: own } of listeners()) {
        if (users === null || own.passwordFile === null || seen.has(own.passwordFile)) continue;
        seen.add(own.passwordFile);
        for (const name of users.keys()) {
          const role = roleByConfig(surroundings, name);
          items.push({ name, role, source: own.passwordFile, connections: connections.get(name) ?? 0 });
        }
      }
      return { items, total: items.length };
    },
    listAudit: () => ({ items: audit.entries, total: audit.entries.length }),
    getLog: ({ query }) => ({ items: log.after(query.after ?? 0), lastSeq: log.lastSeq }),
  };
}

function commitsOf({ commits }: Pick<Store, 'commits'>) {
  if (commits === undefined) return null;
  const { count, seconds } = commits;
  return { count, meanMs: count === 0 ? 0 : Math.round((seconds / count) * 100_000) / 100 };
}

function durabilityOf({
  persistence,
  persistenceSync,
}: {
  readonly persistence: boolean;
  readonly persistenceSync: unknown;
}) {
  if (!persistence) return 'memory';
  return persistenceSync === 'commit' ? 'durable' : 'fast';
}

export function listenerRow({ config, port, connections, certificateEndsMs }: ListenerView): ListenerRow {
  return {
    ...{ port, connections, host: config.host, path: config.path, protocol: config.protocol },
    tls: config.certfile !== null || config.pskHint !== null,
    requiresCertificate: config.certfile !== null && config.requireCertificate,
    allowsAnonymous: config.allowAnonymous,
    mountPoint: config.mountPoint,
    certificate: config.certfile === null ? null : { file: config.certfile, notAfterMs: certificateEndsMs },
  };
}
