import { expect, test } from 'vitest';
import { parseConfigFile } from '../config/load-config.ts';
import { memorySource } from '../config/source.ts';
import { effectiveConfig } from './effective-config.ts';

const file = [
  'history_topic maison/# keep 30 days max 2GB',
  'history_topic jardin/#',
  'history_max_size 500M # enough',
  'history_sink influx http://ann:p@ss/word@db:8086 database mqtt max 1M',
  'persistent_client_expiration 2m',
  'persistence 1',
  'listener 1884',
  'max_connections 100',
].join('\n');

test('options stand there in the words of the file, with where they were written; passwords do not', () => {
  const { config } = parseConfigFile('m.conf', { source: memorySource({ 'm.conf': file }) });
  const rows = effectiveConfig(config);
  const shown = rows.filter(({ isDefault }) => !isDefault);
  expect(shown.map(({ section, option, value, line }) => [section, option, value, line])).toEqual(
    expect.arrayContaining([
      ['global', 'history_topic', 'maison/# keep 30 days max 2GB, jardin/#', 2],
      ['global', 'history_max_size', '500M', 3],
      ['global', 'history_sink', 'influx http://ann:***@db:8086 database mqtt max 1M', 4],
      ['global', 'persistent_client_expiration', '2m', 5],
      ['global', 'persistence', 'true', 6],
      ['listener 1884', 'max_connections', '100', 8],
    ]),
  );
  expect(JSON.stringify(rows)).not.toMatch(/p@ss/);
  expect(rows.find(({ option }) => option === 'max_keepalive')).toMatchObject({ isDefault: true, file: null });
});
