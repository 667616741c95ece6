/** Clients that come and go: TCP connect, CONNECT, CONNACK, DISCONNECT, closed by the broker, again. */
import type { ChurnJob, JobResult, Target } from '../job.ts';
import { type ClientEvents, GeneratorClient } from './client.ts';
import { between, Meters, sleep } from './crew.ts';
import { Dialer } from './dialer.ts';

/** Local addresses used in turn: the side that closes first keeps the port in TIME_WAIT for a minute. */
const LOCAL_ADDRESSES = 16;

export async function runChurn(target: Target, job: ChurnJob): Promise<JobResult> {
  const dialer = new Dialer(target);
  const meters = new Meters(target.pid);
  const events: ClientEvents = { onMessage: () => undefined, onDone: () => undefined, onLost: () => undefined };
  let cycles = 0;
  let isStopped = false;

  const worker = async (number: number): Promise<void> => {
    for (let turn = 0; !isStopped; turn++) {
      const localAddress = `127.0.0.${2 + ((number + turn) % LOCAL_ADDRESSES)}`;
      const options = { level: job.level, clientId: `bench-churn-${number}-${turn}`, localAddress };
      const client = await GeneratorClient.connect(dialer, options, events);
      await client.close();
      cycles++;
    }
  };
  const workers = Array.from({ length: job.parallel }, (_, number) => worker(number));
  const failure = Promise.all(workers).then(() => undefined);

  const run = async (): Promise<JobResult> => {
    await sleep(job.warmupMs);
    const start = meters.read();
    const cyclesBefore = cycles;
    await sleep(job.windowMs);
    const elapsed = between(start, meters.read());
    const done = cycles - cyclesBefore;
    isStopped = true;
    return {
      figures: { cyclesPerSecond: done / elapsed.seconds, cpuPerCycleUs: (elapsed.brokerSeconds / done) * 1e6 },
      busy: elapsed.busy,
    };
  };
  const [result] = await Promise.all([run(), failure]);
  return result;
}
