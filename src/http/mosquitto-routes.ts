/** The three addresses that Mosquitto 2.1 has, with its answers and its way to ask for a password. */
import type { IncomingMessage } from 'node:http';
import type { Context, Hono } from 'hono';
import { basicCredentials } from './identity.ts';
import type { HttpListener, HttpSurroundings, ListenerView } from './surroundings.ts';

const anyOrigin = { 'Access-Control-Allow-Origin': '*' };

/** Adds them to an application. */
export function addMosquittoRoutes(
  app: Hono<{ Bindings: { incoming: IncomingMessage } }>,
  surroundings: HttpSurroundings,
  listener: HttpListener,
  version: string,
): void {
  const add = (path: string, text: () => string): void => {
    app.get(path, async (context) => {
      const refused = await refuse(context, path, listener);
      // Without a media type, as Mosquitto: text would get one.
      return refused ?? new Response(Buffer.from(text()), { headers: anyOrigin });
    });
  };
  add('/api/v1/version', () => version);
  add('/api/v1/listeners', () =>
    JSON.stringify(
      {
        listeners: surroundings
          .listeners()
          .filter(({ isOpen }) => isOpen)
          .map(shown),
      },
      null,
      '\t',
    ),
  );
  add('/api/v1/systree', () => JSON.stringify(Object.fromEntries(surroundings.sysTree()), null, '\t'));
}

/** @returns the answer to somebody who may not read this path; null for those who may */
export async function refuse(
  context: Context<{ Bindings: { incoming: IncomingMessage } }>,
  path: string,
  listener: HttpListener,
): Promise<Response | null> {
  const { incoming } = context.env;
  const credentials = basicCredentials(incoming.headers.authorization ?? '');
  const username = credentials?.username ?? null;
  const answer = await listener.authenticator.authenticate({
    clientId: 'http-api',
    username,
    password: credentials === null ? null : Buffer.from(credentials.password),
    hasCertificateIdentity: false,
    address: incoming.socket.remoteAddress ?? '',
    listenerPort: listener.port,
    protocolVersion: 5,
    isAbandoned: () => incoming.socket.destroyed,
  });
  if (answer === 'accepted') {
    const rights = listener.rules?.rightsOf({ clientId: 'http-api', username, listenerPort: listener.port });
    if (rights === undefined || rights.decide('receive', path) > 0) return null;
  }
  return new Response('Not authorised\n', {
    status: 401,
    headers: { ...anyOrigin, 'WWW-Authenticate': 'Basic realm="Mosquitto API"' },
  });
}

function shown({ config, port }: ListenerView): Record<string, unknown> {
  const { path, protocol, certfile, pskHint, requireCertificate, allowAnonymous } = config;
  return {
    ...(path === null ? { port } : { path }),
    protocol: protocol === 'http_api' ? 'httpapi' : protocol,
    tls: certfile !== null || pskHint !== null,
    mtls: certfile !== null && requireCertificate,
    allow_anonymous: allowAnonymous,
  };
}
