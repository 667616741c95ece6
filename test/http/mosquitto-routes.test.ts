import { expect, test } from 'vitest';
import { version } from '../../src/base/version.ts';
import { prepareBroker, startBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { ConsoleClient, passwordFile } from './console-client.ts';

const resources = useResources();

test('version, listeners and the $SYS tree, as Mosquitto has them', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['allow_anonymous true', 'sys_interval 1', 'listener 0 {dir}/sock', 'listener {port} 127.0.0.1'],
      ...['listener {ws} 127.0.0.1', 'protocol websockets', 'listener {http} 127.0.0.1', 'protocol http_api'],
    ],
  });
  const client = new ConsoleClient(broker.port('http'));
  const answer = await client.ask('GET', '/api/v1/version');
  expect(answer.text).toBe(version);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  const listeners = await client.ask('GET', '/api/v1/listeners');
  const plain = { tls: false, mtls: false, allow_anonymous: true };
  expect(listeners.json()).toEqual({
    listeners: [
      { path: `${broker.dir}/sock`, protocol: 'mqtt', ...plain },
      { port: broker.port('port'), protocol: 'mqtt', ...plain },
      { port: broker.port('ws'), protocol: 'websockets', ...plain },
      { port: broker.port('http'), protocol: 'httpapi', ...plain },
    ],
  });
  expect(listeners.text).toContain('\n\t"listeners": [');
  const tree = (await client.ask('GET', '/api/v1/systree')).json() as Record<string, number>;
  expect(tree['$SYS/broker/clients/connected']).toBe(0);
  expect(Object.values(tree).every(Number.isInteger)).toBe(true);
  expect((await client.ask('POST', '/api/v1/version')).text).toBe('Invalid HTTP Method\n');
  expect((await client.ask('GET', '/api/v2/version')).text).toBe('Not found.\n');
});

test('who is asked for a password, and for the right to read the path', async () => {
  const broker = await startBroker(resources, 'moustique', {
    config: [
      ...['listener {port} 127.0.0.1', 'listener {http} 127.0.0.1', 'protocol http_api'],
      ...['password_file {dir}/passwd', 'acl_file {dir}/acl'],
    ],
    files: {
      passwd: await passwordFile(['vera', 'otto']),
      acl: 'user vera\ntopic read /api/v1/version\ntopic read /metrics\n',
    },
  });
  const client = new ConsoleClient(broker.port('http'));
  const as = (name: string, password = `${name}-secret`) => ({
    Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
  });
  const refused = await client.ask('GET', '/api/v1/version');
  expect([refused.status, refused.text]).toEqual([401, 'Not authorised\n']);
  expect(refused.headers.get('www-authenticate')).toBe('Basic realm="Mosquitto API"');
  expect((await client.ask('GET', '/api/v1/version', undefined, as('vera', 'wrong'))).status).toBe(401);
  expect((await client.ask('GET', '/api/v1/version', undefined, as('vera'))).text).toBe(version);
  expect((await client.ask('GET', '/api/v1/systree', undefined, as('vera'))).status).toBe(401);
  expect((await client.ask('GET', '/api/v1/version', undefined, as('otto'))).status).toBe(401);
  expect((await client.ask('GET', '/metrics', undefined, as('vera'))).status).toBe(200);
  expect((await client.ask('GET', '/metrics', undefined, as('otto'))).status).toBe(401);
});

test('an HTTP listener alone is no broker', async () => {
  const broker = await prepareBroker(resources, 'moustique', {
    config: ['listener {http} 127.0.0.1', 'protocol http_api'],
  });
  const { status, stderr, stdout } = await broker.launch().ended;
  expect(status).toBe(1);
  expect(stdout + stderr).toContain('Error: Unable to start any listening sockets, exiting.');
});
