import { expect, test } from 'vitest';
import { settingsOfUrl } from './url.ts';

test.each([
  ['mqtt://h', { target: { address: { host: 'h', port: 1883 } } }],
  ['mqtts://h', { target: { address: { host: 'h', port: 8883 }, tls: {} } }],
  ['mqtt://[::1]:5', { target: { address: { host: '::1', port: 5 } } }],
  ['ws://h', { target: { address: { host: 'h', port: 80 }, websocket: { path: '/mqtt', subprotocol: 'mqtt' } } }],
  [
    'wss://h/x?y=1',
    { target: { address: { host: 'h', port: 443 }, tls: {}, websocket: { path: '/x?y=1', subprotocol: 'mqtt' } } },
  ],
  ['unix:/run/m.sock', { target: { address: { path: '/run/m.sock' } } }],
  [
    'mqtt://u%40x:p%3a@h',
    { target: { address: { host: 'h', port: 1883 } }, username: 'u@x', password: Buffer.from('p:') },
  ],
])('%s', (url, settings) => {
  expect(settingsOfUrl(url)).toEqual(settings);
});

test.each(['', 'h:1883', 'http://h', 'mqtt://'])('%j is no URL of a broker', (url) => {
  expect(() => settingsOfUrl(url)).toThrow(/no URL/);
});
