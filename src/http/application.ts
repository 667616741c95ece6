/**
 * The routes as a Hono application for one listener: every request is checked by its row of the table — who asks, where from,
 * query, body — before its function runs. Whatever goes wrong becomes an answer; nothing reaches the broker.
 */
import type { IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import * as v from 'valibot';
import { version } from '../base/version.ts';
import type { HandlerRequest, Handlers } from './handler.ts';
import type { Identity } from './identity.ts';
import { addMosquittoRoutes, refuse } from './mosquitto-routes.ts';
import { checkOrigin } from './origin.ts';
import { HttpProblem } from './problem.ts';
import { hasBody, readJson } from './request-body.ts';
import { type Route, type RouteName, routes, type Schema } from './routes.ts';
import type { Role } from './schema/parts.ts';
import { securityHeaders } from './security-headers.ts';
import type { HttpServices } from './services.ts';
import { staticFile } from './static-files.ts';
import type { HttpListener } from './surroundings.ts';

type Bindings = { Bindings: { incoming: IncomingMessage } };

const bodyBytesMax = 64 * 1024;
const ranks: readonly Role[] = ['viewer', 'operator', 'admin'];

export function createApplication(services: HttpServices, handlers: Handlers, listener: HttpListener): Hono<Bindings> {
  const app = new Hono<Bindings>({ strict: true });
  const { surroundings } = services;
  const { httpDir } = listener.config;
  app.use(async (context, next) => {
    await next();
    // What others put into http_dir has rules of its own.
    if (httpDir !== null && !context.req.path.startsWith('/api/')) return;
    const { httpFrameAncestors } = surroundings.config().global;
    for (const [name, value] of Object.entries(securityHeaders(httpFrameAncestors))) context.header(name, value);
    if (context.req.path.startsWith('/api/')) context.header('Cache-Control', 'no-store');
  });
  addMosquittoRoutes(app, surroundings, listener, version);
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.on(route.method, `/api/v1${route.path.replaceAll(/\{(\w+)\}/g, ':$1')}`, (context) =>
      answer(name, route, handlers, services, listener, context.env.incoming),
    );
  }
  services.addOperatorRoutes(app, listener);
  app.all('/api/*', (context) => {
    const isKnown = knownPath(new URL(context.req.url).pathname);
    if (context.req.method === 'GET' || !isKnown) return notFoundAnswer();
    return methodAnswer();
  });
  app.on(['GET', 'HEAD'], '*', async (context) => {
    const { incoming } = context.env;
    const path = rawPath(incoming);
    const folder = httpDir ?? surroundings.consoleFolder;
    if (httpDir !== null) {
      const refused = await refuse(context, path, listener);
      if (refused !== null) return refused;
    }
    if (folder === null) return path === '/' ? notBuiltAnswer() : notFoundAnswer();
    const acceptsGzip = /\bgzip\b/.test(incoming.headers['accept-encoding'] ?? '');
    const request = { path, acceptsGzip, knownTag: incoming.headers['if-none-match'] };
    return (await staticFile(folder, request, httpDir === null)) ?? notFoundAnswer();
  });
  app.all('*', methodAnswer);
  app.onError((error) => errorAnswer(error, services));
  return app;
}

async function answer(
  name: RouteName,
  route: Route,
  handlers: Handlers,
  services: HttpServices,
  listener: HttpListener,
  incoming: IncomingMessage,
): Promise<Response> {
  const cookies: string[] = [];
  let detail = '';
  let identity: Identity | null = null;
  const finish = (response: Response): Response => {
    for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
    if (route.method !== 'GET') {
      services.audit.add({
        atMs: services.surroundings.clock.nowMs(),
        ...{ user: identity?.name ?? '', role: identity?.role ?? '', address: incoming.socket.remoteAddress ?? '' },
        ...{ method: route.method, path: rawPath(incoming), status: response.status, detail },
      });
    }
    return response;
  };
  try {
    checkOrigin(incoming, route.method !== 'GET');
    identity = await identityFor(name, services, listener, incoming);
    admit(route, identity, incoming);
    const query = parse(route.query, queryOf(incoming), 'query');
    if (route.body === undefined && hasBody(incoming)) {
      throw new HttpProblem(400, 'unexpected-body', 'This request takes no body.');
    }
    const isBodyOptional = route.body !== undefined && !hasBody(incoming) && v.is(route.body, undefined);
    const body =
      route.body === undefined || isBodyOptional
        ? {}
        : parse(route.body, await readJson(incoming, route.bodyBytesMax ?? bodyBytesMax), 'body');
    const request = {
      ...{ params: paramsOf(route, incoming), query, body, identity, incoming, listener },
      setCookie: (text: string) => void cookies.push(text),
      note: (text: string, by?: Identity) => {
        detail = text;
        identity = by ?? identity;
      },
    };
    // The table pairs each row with the function that takes what the row yields.
    const handler = handlers[name] as (given: HandlerRequest<RouteName>) => unknown;
    const result = await handler(request as HandlerRequest<RouteName>);
    return finish(result instanceof Response ? result : Response.json(result));
  } catch (error) {
    return finish(errorAnswer(error, services));
  }
}

/** Credentials that are no good do not keep anybody from logging in or out. */
async function identityFor(
  name: RouteName,
  { identities }: HttpServices,
  listener: HttpListener,
  incoming: IncomingMessage,
): Promise<Identity | null> {
  if (name === 'logIn' || name === 'firstRun') return null;
  return await identities.of(incoming, listener);
}

function admit(route: Route, identity: Identity | null, incoming: IncomingMessage): void {
  const isChange = route.method !== 'GET';
  if (isChange && identity?.by === 'cookie' && incoming.headers['x-csrf-token'] !== identity.csrf) {
    throw new HttpProblem(403, 'bad-csrf-token', 'X-CSRF-Token is missing or is not that of the session.');
  }
  if (route.role === 'everybody') return;
  if (identity === null) throw new HttpProblem(401, 'unauthorized', 'Log in first.');
  if (ranks.indexOf(identity.role) < ranks.indexOf(route.role)) {
    throw new HttpProblem(403, 'forbidden', `This takes the role ${route.role}; ${identity.name} is ${identity.role}.`);
  }
}

function parse(schema: Schema | undefined, given: unknown, where: 'query' | 'body'): unknown {
  if (schema === undefined) {
    const [name] = Object.keys(given as object);
    if (name === undefined) return {};
    throw new HttpProblem(400, 'invalid-field', `${where}: ${name} is not known here.`, name);
  }
  const result = v.safeParse(schema, given, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? undefined;
  throw new HttpProblem(
    400,
    'invalid-field',
    `${where}${field === undefined ? '' : `: ${field}`}: ${issue.message}`,
    field,
  );
}

/** The URL's path as it was sent. */
export function rawPath({ url = '/' }: IncomingMessage): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

function queryOf({ url = '/' }: IncomingMessage): Record<string, string> {
  const start = url.indexOf('?');
  return start < 0 ? {} : Object.fromEntries(new URLSearchParams(url.slice(start + 1)));
}

function paramsOf(route: Route, incoming: IncomingMessage): Record<string, string> {
  const parts = rawPath(incoming).split('/').slice(3);
  const params: Record<string, string> = {};
  for (const [index, part] of route.path.split('/').slice(1).entries()) {
    if (!part.startsWith('{')) continue;
    try {
      params[part.slice(1, -1)] = decodeURIComponent(parts[index] ?? '');
    } catch {
      throw new HttpProblem(400, 'invalid-path', 'The path is not well percent-encoded.');
    }
  }
  return params;
}

/** Whether some row has this path, whatever its method. */
function knownPath(path: string): boolean {
  const own = ['version', 'listeners', 'systree'].map((name) => `/api/v1/${name}`);
  if (own.includes(path)) return true;
  return Object.values(routes).some((route) =>
    new RegExp(`^/api/v1${route.path.replaceAll(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`).test(path),
  );
}

function notFoundAnswer(): Response {
  return new Response('Not found.\n', { status: 404, headers: { 'Content-Type': 'text/plain' } });
}

function methodAnswer(): Response {
  return new Response('Invalid HTTP Method\n', { status: 405, headers: { 'Content-Type': 'text/plain' } });
}

function notBuiltAnswer(): Response {
  const text = [
    'This is the HTTP interface of Moustique. The files of its console are not there: run `npm run build`.',
    'The JSON interface is at /api/v1/ (see /api/v1/openapi.json).',
  ];
  return new Response(`${text.join('\n')}\n`, {
    status: 503,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  });
}

function errorAnswer(error: unknown, { surroundings }: HttpServices): Response {
  if (error instanceof HttpProblem) {
    // A body that was not read would be taken for the next request.
    const headers: Record<string, string> = error.status === 413 ? { Connection: 'close' } : {};
    return Response.json(error.body, { status: error.status, headers });
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  surroundings.logger.log('error', `Error: HTTP request failed: ${text}`);
  return Response.json(new HttpProblem(500, 'internal', 'Something went wrong here; the log says what.').body, {
    status: 500,
  });
}
