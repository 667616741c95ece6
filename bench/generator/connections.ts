/** Connections that do nothing: what each costs to make, to hold in memory, and to leave alone. */
import type { ConnectionsJob, JobResult, Target } from '../job.ts';
import type { ClientEvents } from './client.ts';
import { between, connectAll, Meters, sleep } from './crew.ts';
import { Dialer } from './dialer.ts';

/** Connections made and dropped first, so that code and buffers needed once are not charged to the many. */
const WARMUP_CONNECTIONS = 100;
const SETTLE_MS = 1500;

export async function runConnections(target: Target, job: ConnectionsJob): Promise<JobResult> {
  const dialer = new Dialer(target);
  const meters = new Meters(target.pid);
  const { level, connections } = job;
  let lost = 0;
  const events: ClientEvents = {
    onMessage: () => undefined,
    onDone: () => undefined,
    onLost: () => {
      lost++;
    },
  };

  const baseBytes = meters.residentBytes();
  const first = await connectAll(
    dialer,
    WARMUP_CONNECTIONS,
    (index) => ({ level, clientId: `bench-warm-${index}` }),
    events,
  );
  for (const client of first) client.drop();
  await sleep(SETTLE_MS);

  const warmBytes = meters.residentBytes();
  const start = meters.read();
  const clients = await connectAll(
    dialer,
    connections,
    (index) => ({ level, clientId: `bench-idle-${index}` }),
    events,
  );
  const connected = between(start, meters.read());
  if (job.isSubscribed) {
    for (const [index, client] of clients.entries()) await client.subscribe([`bench/idle${index}/value`], 0);
  }
  await sleep(SETTLE_MS);
  const idleStart = meters.read();
  await sleep(job.windowMs);
  const idle = between(idleStart, meters.read());
  const fullBytes = meters.residentBytes();
  if (lost > 0) throw new Error(`the broker closed ${lost} of ${connections} idle connections`);
  for (const client of clients) client.drop();

  return {
    figures: {
      connectsPerSecond: connections / connected.seconds,
      cpuPerConnectUs: (connected.brokerSeconds / connections) * 1e6,
      bytesPerConnection: (fullBytes - warmBytes) / connections,
      baseMegabytes: baseBytes / 1e6,
      idleCpuPercent: idle.busy.brokerBusy * 100,
    },
    busy: connected.busy,
  };
}
