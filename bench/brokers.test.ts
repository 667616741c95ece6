import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { customBroker, mosquittoConf, type StartRequest } from './brokers.ts';

const request: StartRequest = {
  port: 4711,
  transport: 'tcp',
  wantsNoDelay: false,
  hasRules: false,
  directory: '/nowhere',
  certificate: { certFile: '/c.pem', keyFile: '/k.pem' },
};

test('the configuration keeps nothing, logs nothing and drops nothing', () => {
  const lines = mosquittoConf(request).trim().split('\n');
  expect(lines[0]).toBe('listener 4711 127.0.0.1');
  expect(lines).toContain('persistence false');
  expect(lines).toContain('max_queued_messages 0');
  expect(lines).not.toContain('set_tcp_nodelay true');
});

test('a durable broker keeps its files in the directory of its start', () => {
  const text = mosquittoConf({ ...request, isDurable: true });
  expect(text).toContain('persistence true\npersistence_location /nowhere/\n');
  expect(text).not.toContain('persistence false');
});

test('options of the listener stand directly behind it', () => {
  expect(
    mosquittoConf({ ...request, transport: 'tls' })
      .split('\n')
      .slice(0, 3),
  ).toEqual(['listener 4711 127.0.0.1', 'certfile /c.pem', 'keyfile /k.pem']);
  expect(mosquittoConf({ ...request, transport: 'websocket' })).toContain(
    'listener 4711 127.0.0.1\nprotocol websockets\n',
  );
  expect(mosquittoConf({ ...request, wantsNoDelay: true })).toContain('set_tcp_nodelay true\n');
});

test('a command of the user gets port and configuration, and keeps braces it does not know', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bench-test-'));
  try {
    const kind = customBroker('mine', 'mine -p {port} -c {conf} -x {other}');
    const { command, args } = kind.prepare({ ...request, directory });
    const path = join(directory, 'broker.conf');
    expect([command, ...args]).toEqual(['sh', '-c', `mine -p 4711 -c ${path} -x {other}`]);
    expect(readFileSync(path, 'utf8')).toBe(mosquittoConf(request));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
