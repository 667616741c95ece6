import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routesWithoutChapter } from '../../src/http/describe.ts';
import { metrics } from '../../src/observe/metric-catalogue.ts';
import { exportNames, processMetrics } from '../../src/observe/prometheus.ts';
import { connect } from '../access/clients.ts';
import { startBroker } from '../harness/brokers.ts';
import { repositoryRoot } from '../harness/repository.ts';
import { useResources } from '../harness/resources.ts';
import { ConsoleClient } from './console-client.ts';

const resources = useResources();

/** Name and labels as they stand in the text → value. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

test('every row of the catalogue is there, and moves with what happens', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['allow_anonymous true', 'persistence true', 'persistence_location {dir}/data/', 'sys_interval 0'],
      ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api'],
    ],
  });
  const http = new ConsoleClient(broker.port('http'));
  const client = await connect(
    resources,
    broker,
    { transport: 'tcp', version: 5 },
    { id: 'c', connectProperties: { sessionExpiryInterval: 60 } },
  );
  await client.subscribe('a/#');
  for (const [qos, count] of [
    [0, 3],
    [1, 2],
    [2, 1],
  ] as const) {
    for (let index = 0; index < count; index++) await client.publish('a/b', 'xx', { qos });
  }
  await client.publish('a/end', 'end', { qos: 1, retain: true });
  await client.until('end');

  const answer = await http.ask('GET', '/metrics');
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const values = parse(answer.text);
  const names = new Set([...values.keys()].map((key) => key.replace(/\{.*/, '')));
  expect([...names].toSorted()).toEqual(exportNames.toSorted());
  const labels = (row: Readonly<Record<string, string>> = {}): string => {
    const parts = Object.entries(row).map(([name, value]) => `${name}="${value}"`);
    return parts.length === 0 ? '' : `{${parts.join(',')}}`;
  };
  for (const row of metrics) expect(values.has(row.exportName + labels(row.labels)), row.exportName).toBe(true);
  expect(values.get('mqtt_publish_received_by_qos_total{qos="0"}')).toBe(3);
  expect(values.get('mqtt_publish_received_by_qos_total{qos="1"}')).toBe(3);
  expect(values.get('mqtt_publish_received_by_qos_total{qos="2"}')).toBe(1);
  expect(values.get('mqtt_publish_sent_by_qos_total{qos="0"}')).toBe(3);
  expect(values.get('mqtt_publish_sent_by_qos_total{qos="1"}')).toBe(4);
  expect(values.get('mqtt_publish_received_bytes_total')).toBe(15);
  const bytesOf = (name: string): (number | undefined)[] =>
    [0, 1, 2].map((qos) => values.get(`mqtt_publish_${name}_bytes_by_qos_total{qos="${qos}"}`));
  expect(bytesOf('received')).toEqual([6, 7, 2]);
  expect(bytesOf('sent')).toEqual([6, 9, 0]);
  expect(values.get('mqtt_retained_messages')).toBe(1);
  expect(values.get('mqtt_connections')).toBe(1);
  expect(values.get('mqtt_store_safe')).toBe(1);
  expect(values.get('mqtt_store_commits_total')).toBeGreaterThan(0);
  expect(values.get('mqtt_store_commit_seconds_total')).toBeGreaterThan(0);
  expect(values.get('mqtt_disk_free_bytes')).toBeGreaterThan(0);
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
});

test('no metric is told apart by topic or client', () => {
  const labels = new Set(metrics.flatMap(({ labels: own = {} }) => Object.keys(own)));
  expect([...labels].toSorted()).toEqual(['qos', 'reason']);
});

test('names follow the rules: counters end in _total, units stand in the name', () => {
  const rows = [...metrics, ...processMetrics];
  for (const { exportName, kind } of rows) {
    expect(exportName).toMatch(/^(?:mqtt|nodejs|process)_[a-z0-9_]+$/);
    expect([exportName, exportName.endsWith('_total')]).toEqual([exportName, kind === 'counter']);
  }
});

test('the dashboard for Grafana asks for metrics that are there', () => {
  const text = readFileSync(join(repositoryRoot, 'docs/grafana/moustique.json'), 'utf8');
  const dashboard = JSON.parse(text) as {
    panels: { title: string; gridPos: { x: number; w: number }; targets: { expr: string }[] }[];
    templating: { list: { name: string }[] };
  };
  const asked = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(asked.length).toBeGreaterThan(20);
  const names = new Set(
    asked.flatMap((expr) => [...expr.matchAll(/\b(?:mqtt|nodejs|process)_\w+/g)].map(([name]) => name)),
  );
  expect([...names].filter((name) => !exportNames.includes(name))).toEqual([]);
  for (const expr of asked) {
    for (const [, name = ''] of expr.matchAll(/rate\((\w+)/g)) expect(name).toMatch(/_total$/);
    expect(expr).toContain('instance=~"$instance"');
  }
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance']);
  for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test('every route is in a chapter of docs/http-api.md', () => {
  expect(routesWithoutChapter()).toEqual([]);
});
