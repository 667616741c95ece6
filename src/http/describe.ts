/** `docs/http-api.md`, made from the route table. */
import { toJsonSchema } from '@valibot/to-json-schema';
import { metrics } from '../observe/metric-catalogue.ts';
import { infoMetric, processMetrics } from '../observe/prometheus.ts';
import { type Route, routes, type Schema } from './routes.ts';

interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const chapters: readonly (readonly [title: string, starts: readonly string[]])[] = [
  ['Session', ['/session', '/first-run', '/tokens']],
  ['Broker', ['/broker', '/config', '/users', '/audit', '/log', '/openapi.json']],
  ['Clients and sessions', ['/clients', '/bans', '/sessions']],
  ['Subscriptions and rights', ['/subscriptions', '/access']],
  ['Topics and publishing', ['/topics', '/publish']],
  ['Retained messages', ['/retained']],
  ['Saved messages', ['/saved-messages']],
  ['History', ['/history']],
];

export function httpApiMarkdown(): string {
  const parts = [
    '# HTTP interface',
    '',
    'Made from the tables in `src/http/routes.ts` and `src/observe/`: do not edit it by hand.',
    '',
    introduction,
    '',
  ];
  for (const [title, starts] of chapters) {
    parts.push(`## ${title}`, '');
    for (const route of Object.values(routes) as Route[]) {
      if (starts.some((start) => route.path === start || route.path.startsWith(`${start}/`)))
        parts.push(...section(route));
    }
  }
  parts.push('## Live feed', '', liveFeed, '', '## Metrics', '', metricsIntroduction, '', ...metricRows(), '');
  return parts.join('\n');
}

/** Routes that no chapter has; a test says that there are none. */
export function routesWithoutChapter(): string[] {
  const starts = chapters.flatMap(([, own]) => own);
  return Object.values(routes)
    .map(({ path }) => path)
    .filter((path) => !starts.some((start) => path === start || path.startsWith(`${start}/`)));
}

const introduction = `A listener with \`protocol http_api\` serves:

| address | what | who |
|---|---|---|
| \`/\` | the web console, or the files of \`http_dir\` | everybody; files of \`http_dir\`: as the next row |
| \`/api/v1/version\`, \`/api/v1/listeners\`, \`/api/v1/systree\` | as in Mosquitto 2.1 | whom the listener lets in (HTTP Basic, \`allow_anonymous\`), with the right to read the path as a topic |
| \`/api/v1/…\` | the JSON interface below; [\`/api/v1/openapi.json\`](#broker) describes it for programs | by role |
| \`/api/v1/live\` | the live feed, a WebSocket | viewer |
| \`/metrics\` | for Prometheus | whom the listener lets in, and viewers |
| \`/healthz\`, \`/readyz\` | 200 while the process answers; while it can store what it has to | everybody |

**Who may.** A *viewer* reads, an *operator* also publishes, kicks and deletes, an *admin* also sees users and configuration. Users of the broker get a role by
[\`http_role\`](configuration.md#http_role) lines; accounts of the console itself are made by the one-time link that a broker without an administrator writes into its log.
Programs send HTTP Basic (\`curl -u otto:secret\`) or a read-only token (\`Authorization: Bearer …\`). Browsers have a session cookie; every change then carries \`X-CSRF-Token\`.

**Answers** are JSON. What is no success is \`{"error": {"code", "message", "field"?}}\` with the status that fits. Times are milliseconds since 1970, sizes bytes. Lists come in pages: \`limit\` (1 to
1000, 100 by default) and the \`cursor\` that the page before gave as \`nextCursor\`. Payloads are \`{"text": …}\` when they are UTF-8, else \`{"base64": …}\`.

\`\`\`
curl -u otto:secret http://localhost:9883/api/v1/clients?search=sensor
curl -u otto:secret -H 'Content-Type: application/json' -d '{"topic":"a/b","payload":{"text":"hello"},"retain":true}' \\
  http://localhost:9883/api/v1/publish
\`\`\``;

const liveFeed = `\`/api/v1/live\` is one WebSocket with JSON in text frames, for the console and for programs that want what is visible and not everything. The client says what it looks at (\`tree\`, \`topics\`,
\`stream\`); the server sends at most one frame for each view every 100 ms, with what has changed. Every frame costs one credit; \`{"type":"credit","frames":10}\` gives more. The shapes, with what each
field means, are in [\`src/http/schema/live.ts\`](../src/http/schema/live.ts).

\`\`\`
→ {"type":"topics","view":"lamp","topics":["home/lamp"]}
← {"type":"update","view":"lamp","atMs":1764280000000,"rows":[{"topic":"home/lamp","value":"on","count":12,…}],"newTopics":0}
→ {"type":"stream","view":"all","filters":["home/#"],"limitPerSecond":50}
← {"type":"messages","view":"all","messages":[{"seq":1,"topic":"home/lamp","payload":{"text":"off"},…}],"skipped":0,"until":{"seq":1,…}}
\`\`\``;

const metricsIntroduction =
  'Names of `/metrics`. None has a topic or a client as a label. `docs/grafana/moustique.json` is a dashboard for Grafana made of them.';

function section(route: Route): string[] {
  const who = route.role === 'everybody' ? 'everybody' : `${route.role} and above`;
  const lines = [`### ${route.method} /api/v1${route.path}`, '', `${route.summary} For ${who}.`, ''];
  const { query, body, answer } = route;
  if (query !== undefined) lines.push(`**Query** ${fieldsOf(query, 'input')}`, '');
  if (body !== undefined) lines.push('**Body**', '', ...shapeOf(body, 'input'), '');
  if ('mediaTypes' in answer) lines.push(`**Answer** ${answer.mediaTypes.join(' or ')}`, '');
  else lines.push('**Answer**', '', ...shapeOf(answer, 'output'), '');
  return lines;
}

function fieldsOf(schema: Schema, typeMode: 'input' | 'output'): string {
  const { properties = {}, required = [] } = jsonSchema(schema, typeMode);
  return Object.entries(properties)
    .map(([name, field]) => `\`${name}\`${required.includes(name) ? '' : '?'} ${choices(field)}`.trimEnd())
    .join(' · ');
}

function choices({ enum: words }: JsonSchema): string {
  return words === undefined ? '' : `(${words.join(', ')})`;
}

/** A shape as people write it. */
function shapeOf(schema: Schema, typeMode: 'input' | 'output'): string[] {
  return ['```', ...written(jsonSchema(schema, typeMode), '').split('\n'), '```'];
}

function written(schema: JsonSchema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((word) => JSON.stringify(word)).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => written(one, indent)).join(' | ');
  if (schema.type === 'array') {
    const tuple =
      schema.prefixItems ?? (Array.isArray(schema.items) ? (schema.items as readonly JsonSchema[]) : undefined);
    if (tuple !== undefined) return `[${tuple.map((one) => written(one, indent)).join(', ')}]`;
    return `[${written((schema.items ?? {}) as JsonSchema, indent)}, …]`;
  }
  if (schema.type === 'object' && schema.properties !== undefined) {
    const { properties, required = [] } = schema;
    const flat = Object.entries(properties).map(
      ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${written(field, `${indent}  `)}`,
    );
    const line = `{ ${flat.join(', ')} }`;
    if (line.length + indent.length < 100 && !line.includes('\n')) return line;
    return `{\n${flat.map((field) => `${indent}  ${field}`).join(',\n')}\n${indent}}`;
  }
  return schema.type ?? 'any';
}

function jsonSchema(schema: Schema, typeMode: 'input' | 'output'): JsonSchema {
  return toJsonSchema(schema as Parameters<typeof toJsonSchema>[0], { typeMode, errorMode: 'ignore' }) as JsonSchema;
}

function metricRows(): string[] {
  const rows = new Map<string, string>();
  rows.set(infoMetric, `| \`${infoMetric}\` | gauge | \`version\` | Always 1; the label says which version runs. |`);
  for (const { exportName, kind, labels = {}, help } of metrics) {
    if (rows.has(exportName)) continue;
    const names = Object.keys(labels).map((name) => `\`${name}\``);
    const text = names.length === 0 ? help : `${help.split('. ', 1)[0] ?? ''}.`.replace('..', '.');
    rows.set(
      exportName,
      `| \`${exportName}\` | ${kind === 'counter' ? 'counter' : 'gauge'} | ${names.join(', ')} | ${text} |`,
    );
  }
  for (const { exportName, kind, help } of processMetrics)
    rows.set(exportName, `| \`${exportName}\` | ${kind} | | ${help} |`);
  return ['| name | type | labels | meaning |', '|---|---|---|---|', ...rows.values()];
}
