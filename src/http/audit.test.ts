import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { useResources } from '../../test/harness/resources.ts';
import { tempDir } from '../../test/harness/temp-dir.ts';
import { Audit } from './audit.ts';
import type { AuditRow } from './schema/broker.ts';

const resources = useResources();

function entry(number: number, change: Partial<AuditRow> = {}): AuditRow {
  return {
    ...{
      atMs: number,
      user: 'ann',
      role: 'admin',
      address: '127.0.0.1',
      method: 'POST',
      path: `/${number}`,
      status: 200,
    },
    detail: '',
    ...change,
  };
}

function open(path: string | null): { audit: Audit; faults: string[] } {
  const faults: string[] = [];
  return { audit: new Audit(path, ({ message }) => faults.push(message)), faults };
}

const paths = ({ entries }: Audit): string[] => entries.map(({ path }) => path);

test('the last thousand are there again after a restart, newest first, in a file that does not grow', () => {
  const file = join(tempDir(resources), 'audit.jsonl');
  const { audit } = open(file);
  for (let number = 0; number < 3500; number++) audit.add(entry(number));
  const kept = paths(audit);
  expect(kept).toHaveLength(1000);
  expect(kept.slice(0, 2)).toEqual(['/3499', '/3498']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(2001);
  const again = open(file);
  expect(paths(again.audit)).toEqual(kept);
  expect(again.faults).toEqual([]);
});

test('what is refused to somebody unknown pushes nothing out and is not written', () => {
  const file = join(tempDir(resources), 'audit.jsonl');
  const { audit } = open(file);
  audit.add(entry(1));
  for (let number = 2; number < 2000; number++) audit.add(entry(number, { user: '', role: '', status: 401 }));
  audit.add(entry(2000, { status: 403 }));
  expect(paths(audit)).toHaveLength(102);
  expect(paths(audit).slice(0, 2)).toEqual(['/2000', '/1999']);
  expect(paths(open(file).audit)).toEqual(['/2000', '/1']);
});

test('a line that a crash cut off, and one that is none, are left out; long paths are cut', () => {
  const file = join(tempDir(resources), 'audit.jsonl');
  open(file).audit.add(entry(1, { path: 'x'.repeat(20_000) }));
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"atMs":5}\nnothing\n{"atMs":2,"us`);
  const { audit, faults } = open(file);
  expect(audit.entries).toHaveLength(1);
  expect(paths(audit)[0]).toHaveLength(500);
  audit.add(entry(3));
  expect(paths(open(file).audit)[0]).toBe('/3');
  expect(faults).toEqual([]);
});

test('a file that cannot be written is told once; the list goes on without it', () => {
  const dir = tempDir(resources);
  mkdirSync(join(dir, 'folder'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'link'));
  for (const name of ['folder', 'link']) {
    const { audit, faults } = open(join(dir, name));
    for (let number = 0; number < 3; number++) audit.add(entry(number));
    expect(faults).toHaveLength(1);
    expect(paths(audit)).toEqual(['/2', '/1', '/0']);
  }
});
