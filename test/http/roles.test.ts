import { beforeAll, describe, expect, test } from 'vitest';
import { type Route, type RouteName, routes } from '../../src/http/routes.ts';
import type { TestBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { ConsoleClient, loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources('end of file');

/** For every route a request that is well formed, and what somebody who may gets. */
const requests: Readonly<
  Record<RouteName, { readonly path?: string; readonly body?: unknown; readonly status?: number }>
> = {
  getSession: {},
  logIn: { body: { username: 'vera', password: 'vera-secret' } },
  logOut: {},
  firstRun: { body: { token: 'x', username: 'eve', password: 'long enough' }, status: 403 },
  listTokens: {},
  createToken: { body: { name: 'wall' } },
  deleteToken: { path: '/tokens/nobody', status: 404 },
  getBroker: {},
  getConfig: {},
  listUsers: {},
  listAudit: {},
  getLog: {},
  listClients: {},
  getClient: { path: '/clients/nobody', status: 404 },
  kickClient: { path: '/clients/nobody/kick', body: {}, status: 404 },
  listBans: {},
  liftBan: { path: '/bans/nobody', status: 404 },
  peekQueue: { path: '/sessions/nobody/queue', status: 404 },
  purgeQueue: { path: '/sessions/nobody/queue', status: 404 },
  findReceivers: { path: '/subscriptions/receivers?topic=a' },
  findMatches: { path: '/subscriptions/matches?filter=%23' },
  explainAccess: { path: '/access/explain?topic=a&action=read' },
  listDenials: {},
  listChildren: {},
  searchTopics: { path: '/topics/search?q=a' },
  getLast: { path: '/topics/last?topic=a' },
  publish: { body: { topic: 'a', payload: { text: 'x' } } },
  listRetained: {},
  deleteRetained: { body: { filter: 'nothing/here', dryRun: true } },
  undoDelete: { body: { undoId: 'x' }, status: 404 },
  listBin: {},
  getSaved: {},
  putSaved: { body: { version: 99, collections: [] }, status: 409 },
  historySeries: { status: 404 },
  historyQuery: { path: '/history/query?filter=a&fromMs=0&toMs=1', status: 404 },
  historyMessages: { path: '/history/messages?filter=a', status: 404 },
  historyExport: { path: '/history/export?filter=a&format=csv', status: 404 },
  historyStats: { status: 404 },
  getOpenApi: {},
};

const ranks = ['viewer', 'operator', 'admin'] as const;

describe('every route, by who asks', () => {
  let broker: TestBroker;
  beforeAll(async () => {
    broker = await startWithUsers(resources);
  });

  const asked: readonly [string, 'vera' | 'otto' | 'ada' | null, number][] = [
    ['nobody', null, -1],
    ['a viewer', 'vera', 0],
    ['an operator', 'otto', 1],
    ['an admin', 'ada', 2],
  ];
  for (const [who, name, rank] of asked) {
    test(`as ${who}`, async () => {
      for (const [route, row] of Object.entries(routes) as [RouteName, Route][]) {
        const { path = row.path, body, status = 200 } = requests[route];
        // Fresh each time: one of the routes logs out.
        const client = name === null ? new ConsoleClient(broker.port('http')) : await loggedIn(broker, name);
        const answer = await client.ask(row.method, `/api/v1${path}`, body);
        const needed = row.role === 'everybody' ? -1 : ranks.indexOf(row.role);
        const expected = rank >= needed ? status : name === null ? 401 : 403;
        expect(`${route}: ${answer.status}`).toBe(`${route}: ${expected}`);
        if (answer.status >= 400) expect(answer.json()).toMatchObject({ error: { code: expect.any(String) } });
      }
    });
  }
});
