/** The generator process: one job from the runner, one answer, the end. */
import type { GeneratorReply, GeneratorRequest, JobResult } from '../job.ts';
import { runChurn } from './churn.ts';
import { runConnections } from './connections.ts';
import { runFlow } from './flow.ts';
import { runLatency } from './latency.ts';
import { isProbe, runProbe } from './probe.ts';
import { runStalled } from './stalled.ts';
import { runOffline, runRetained } from './stored.ts';

function run({ target, job }: GeneratorRequest): Promise<JobResult> {
  switch (job.kind) {
    case 'flow':
      return runFlow(target, job);
    case 'latency':
      return runLatency(target, job);
    case 'stalled':
      return runStalled(target, job);
    case 'connections':
      return runConnections(target, job);
    case 'churn':
      return runChurn(target, job);
    case 'retained':
      return runRetained(target, job);
    case 'offline':
      return runOffline(target, job);
  }
}

/** Without figures that came out as no number (nothing delivered, no CPU used): JSON has no NaN. */
function finite(result: JobResult): JobResult {
  return {
    ...result,
    figures: Object.fromEntries(Object.entries(result.figures).filter(([, n]) => Number.isFinite(n))),
  };
}

function answer(reply: GeneratorReply): void {
  process.send?.(reply, undefined, undefined, () => process.exit(0));
}

/** Waits for the runner's one request. */
function awaitRequest(): void {
  const failed = (error: unknown): void => answer({ error: error instanceof Error ? error.message : String(error) });
  process.on('uncaughtException', failed);
  process.on('unhandledRejection', failed);
  process.on('disconnect', () => process.exit(1)); // the runner is gone
  process.once('message', (request) => {
    // The runner is built from the same sources, so what it sends is a request.
    run(request as GeneratorRequest).then((result) => answer({ result: finite(result) }), failed);
  });
}

if (isProbe) await runProbe();
else awaitRequest();
