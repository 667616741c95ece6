/** What machines ask: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever starts and watches processes. */
import type { IncomingMessage } from 'node:http';
import type { Hono } from 'hono';
import { Exporter } from '../observe/prometheus.ts';
import { refuse } from './mosquitto-routes.ts';
import { HttpProblem } from './problem.ts';
import type { HttpServices } from './services.ts';
import type { HttpListener } from './surroundings.ts';

const plain = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };

/** @returns what adds them to the application of a listener */
export function operatorRoutes(services: () => HttpServices) {
  const exporter = new Exporter();
  return (app: Hono<{ Bindings: { incoming: IncomingMessage } }>, listener: HttpListener): void => {
    app.get('/healthz', () => new Response('ok\n', { headers: plain }));
    app.get('/readyz', () => {
      const { trouble } = services().surroundings.broker.engine.store;
      const text = trouble === null ? 'ready\n' : `not ready: the store cannot write: ${trouble}\n`;
      return new Response(text, { status: trouble === null ? 200 : 503, headers: plain });
    });
    app.get('/metrics', async (context) => {
      // Whom the listener lets in, and whoever may read in the console.
      if (!(await mayRead(services(), context.env.incoming, listener))) {
        const refused = await refuse(context, '/metrics', listener);
        if (refused !== null) return refused;
      }
      const text = await exporter.text(sourceOf(services()), figuresOf(services()));
      return new Response(text, { headers: { 'Content-Type': exporter.contentType, 'Cache-Control': 'no-store' } });
    });
  };
}

async function mayRead(
  { identities }: HttpServices,
  incoming: IncomingMessage,
  listener: HttpListener,
): Promise<boolean> {
  const { authorization, cookie } = incoming.headers;
  if (authorization === undefined && cookie === undefined) return false;
  // A user of the broker without a role is asked about by the listener's rules.
  if (authorization?.toLowerCase().startsWith('basic') === true && listener.provesPasswords) return false;
  try {
    return (await identities.of(incoming, listener)) !== null;
  } catch (error) {
    if (error instanceof HttpProblem) return false;
    throw error;
  }
}

function sourceOf({ surroundings: { broker } }: HttpServices) {
  return { stats: broker.stats, gauges: broker.gauges(), heapBytes: process.memoryUsage().heapUsed };
}

function figuresOf({ surroundings, rates, index, startedMs }: HttpServices) {
  const { mean, p99, maximum } = rates.eventLoopDelayMs;
  const { user, system } = process.cpuUsage();
  return {
    uptimeSeconds: Math.floor((surroundings.clock.monotonicMs() - startedMs) / 1000),
    eventLoopDelaySeconds: { mean: mean / 1000, p99: p99 / 1000, maximum: maximum / 1000 },
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    freeDiskBytes: surroundings.freeDiskBytes(),
    commits: surroundings.broker.engine.store.commits ?? null,
    isStoreSafe: surroundings.broker.engine.store.trouble === null,
    history: surroundings.historyLoad(),
    topicIndex: { topics: index.count, bytes: index.bytes, evicted: index.evicted },
  };
}
