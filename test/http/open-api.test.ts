import { Validator } from '@seriousme/openapi-schema-validator';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { openApiDocument } from '../../src/http/open-api.ts';
import { type Route, type RouteName, routes, type Schema } from '../../src/http/routes.ts';
import { connect } from '../access/clients.ts';
import { useResources } from '../harness/resources.ts';
import { loggedIn, startWithUsers } from './console-client.ts';

const resources = useResources();

test('the OpenAPI document is valid and has every route, no more', async () => {
  const document = openApiDocument();
  const result = await new Validator().validate(structuredClone(document));
  expect(result.errors ?? []).toEqual([]);
  expect(result.valid).toBe(true);
  const paths = document['paths'] as Record<string, Record<string, { operationId: string; 'x-role': string }>>;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { operationId, 'x-role': role }]) => `${operationId} ${method} ${path} ${role}`,
    ),
  );
  const rows = Object.entries(routes).map(
    ([name, { method, path, role }]) => `${name} ${method.toLowerCase()} /api/v1${path} ${role}`,
  );
  expect(described.toSorted()).toEqual(rows.toSorted());
});

test('the served document is that one, and answers are what it says', async () => {
  const broker = await startWithUsers(resources);
  const ada = await loggedIn(broker, 'ada');
  expect(await ada.get('/openapi.json')).toEqual(JSON.parse(JSON.stringify(openApiDocument())));
  const client = await connect(resources, broker, { transport: 'tcp', version: 5 }, { id: 'c' });
  await client.subscribe('a/#', '$share/g/a/+');
  await client.publish('a/b', '{"t":20.5}', { qos: 1, retain: true });
  const paths: Partial<Record<RouteName, string>> = {
    getClient: '/clients/c',
    peekQueue: '/sessions/c/queue',
    findReceivers: '/subscriptions/receivers?topic=a/b',
    findMatches: '/subscriptions/matches?filter=a/%23',
    explainAccess: '/access/explain?topic=a&action=read',
    searchTopics: '/topics/search?q=a',
    getLast: '/topics/last?topic=a/b',
  };
  let checked = 0;
  for (const [name, row] of Object.entries(routes) as [RouteName, Route][]) {
    if (row.method !== 'GET' || 'mediaTypes' in row.answer || name.startsWith('history')) continue;
    const answer = await ada.get(paths[name] ?? row.path);
    const result = v.safeParse(row.answer as Schema, answer);
    expect(
      `${name}: ${JSON.stringify(result.issues?.map((issue) => [v.getDotPath(issue), issue.message]) ?? [])}`,
    ).toBe(`${name}: []`);
    checked++;
  }
  expect(checked).toBeGreaterThan(15);
});
