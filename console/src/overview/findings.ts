/** What an administrator should know, worst first: nothing when all is well. */

import type { BrokerAnswer } from '../api/types.ts';
import { formatBytes, formatDateTime, formatNumber } from '../format.ts';
import { t } from '../i18n.ts';

export interface Finding {
  readonly level: 'bad' | 'warn';
  readonly text: string;
}

const certificateSoonMs = 30 * 86_400_000;
const diskLowBytes = 256 * 1024 * 1024;
const delayHighMs = 200;
const memoryHighShare = 0.8;

export function findingsOf(broker: BrokerAnswer): readonly Finding[] {
  const found: Finding[] = [];
  const { store, memory, rates, eventLoopDelayMs, clients } = broker;
  if (store.trouble !== null) found.push({ level: 'bad', text: t('finding.store', { why: store.trouble }) });
  if (store.freeDiskBytes !== null && store.freeDiskBytes < diskLowBytes) {
    found.push({ level: 'bad', text: t('finding.disk', { size: formatBytes(store.freeDiskBytes) }) });
  }
  for (const listener of broker.listeners) {
    const end = listener.certificate?.notAfterMs ?? undefined;
    if (end === undefined) continue;
    const where = { port: String(listener.port), time: formatDateTime(end) };
    if (end < broker.nowMs) found.push({ level: 'bad', text: t('finding.certificateOver', where) });
    else if (end - broker.nowMs < certificateSoonMs)
      found.push({ level: 'warn', text: t('finding.certificateSoon', where) });
  }
  if (rates.dropped.minute > 0) {
    found.push({
      level: 'warn',
      text: t('finding.dropped', { n: Math.max(1, Math.round(rates.dropped.minute * 60)) }),
    });
  }
  if (eventLoopDelayMs.p99 > delayHighMs) {
    found.push({ level: 'warn', text: t('finding.delay', { ms: formatNumber(eventLoopDelayMs.p99) }) });
  }
  if (memory.heapBytes > memory.heapLimitBytes * memoryHighShare) {
    const sizes = { used: formatBytes(memory.heapBytes), max: formatBytes(memory.heapLimitBytes) };
    found.push({ level: 'warn', text: t('finding.memory', sizes) });
  }
  const open = broker.listeners.find(
    (one) => one.allowsAnonymous && !isLocal(one.host) && one.path === null && one.protocol !== 'http_api',
  );
  if (open !== undefined) found.push({ level: 'warn', text: t('finding.open', { port: String(open.port) }) });
  if (store.durability === 'memory' && clients.total > 0) found.push({ level: 'warn', text: t('finding.memoryOnly') });
  return found.toSorted((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
}

const isLocal = (host: string | null): boolean => host !== null && /^(?:localhost|127\.|::1|\[::1\])/.test(host);
