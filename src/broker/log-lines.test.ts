import { expect, test } from 'vitest';
import {
  type ConnectedClient,
  disconnectReason,
  disconnectReasonFor,
  disconnectReasonForSocketError,
  logLines,
  systemErrorText,
} from './log-lines.ts';

const client: ConnectedClient = {
  address: '127.0.0.1',
  port: 50_000,
  clientId: 'lampe',
  protocolLevel: 4,
  isCleanStart: true,
  keepAliveSeconds: 60,
  username: null,
  isBridge: false,
};

test('tells of a new connection and a new client in the words of Mosquitto 2.1', () => {
  expect(logLines.newConnection('127.0.0.1', 50_000, 1883)).toBe('New connection from 127.0.0.1:50000 on port 1883.');
  expect(logLines.newClient(client)).toBe('New client connected from 127.0.0.1:50000 as lampe (p4, c1, k60).');
  expect(logLines.newClient({ ...client, protocolLevel: 5, isCleanStart: false, username: 'anne' })).toBe(
    "New client connected from 127.0.0.1:50000 as lampe (p5, c0, k60, u'anne').",
  );
  expect(logLines.newClient({ ...client, isBridge: true })).toBe(
    'New bridge connected from 127.0.0.1:50000 as lampe (p4, c1, k60).',
  );
  // An empty user name is a user name.
  expect(logLines.newClient({ ...client, username: '' })).toContain("k60, u'').");
});

test('tells why a client went', () => {
  expect(logLines.disconnected('lampe', '127.0.0.1', 50_000, null)).toBe(
    'Client lampe [127.0.0.1:50000] disconnected.',
  );
  expect(logLines.disconnected('lampe', '127.0.0.1', 50_000, disconnectReason.timeout)).toBe(
    'Client lampe [127.0.0.1:50000] disconnected: exceeded timeout.',
  );
  expect(logLines.disconnected(null, null, 0, 'bad socket read/write: Invalid input')).toBe(
    'Client (null) [(null):0] disconnected: bad socket read/write: Invalid input.',
  );
});

test.each([
  [0x81, 'malformed packet'],
  [0x82, 'protocol error'],
  [0x87, 'not authorised'],
  [0x8b, 'server shutting down'],
  [0x8d, 'exceeded timeout'],
  [0x8e, 'session taken over'],
  [0x95, 'oversize packet'],
  [0x98, 'administrative action'],
  [0x9b, 'used disallowed feature (QoS too high, retain not supported, or bad AUTH method)'],
  [0x80, 'protocol error'], // has no words of its own
])('reason code %i is told as "%s"', (code, text) => {
  expect(disconnectReasonFor(code)).toBe(text);
});

test('a peer that went away closed its connection; other socket errors are named', () => {
  expect(disconnectReasonForSocketError('ECONNRESET')).toBe('connection closed by client');
  expect(disconnectReasonForSocketError('EPIPE')).toBe('connection closed by client');
  expect(disconnectReasonForSocketError('ETIMEDOUT')).toBe('Connection timed out');
  expect(disconnectReasonForSocketError('EWHATEVER')).toBe('bad socket read/write: EWHATEVER');
  expect(systemErrorText('EADDRINUSE')).toBe('Address already in use');
  expect(systemErrorText('EWHATEVER')).toBe('EWHATEVER');
});

test('shows a PUBLISH with its flags', () => {
  const publish = {
    isDuplicate: false,
    qos: 1,
    isRetained: true,
    packetId: 7,
    topicName: 'maison/salon',
    payloadBytes: 12,
  };
  expect(logLines.receivedPublish('lampe', publish)).toBe(
    "Received PUBLISH from lampe (d0, q1, r1, m7, 'maison/salon', ... (12 bytes))",
  );
  expect(logLines.sendingPublish('lampe', { ...publish, isDuplicate: true })).toContain('PUBLISH to lampe (d1, q1');
});

test('shows the smaller packets', () => {
  expect(logLines.sendingConnack('c', true, 0)).toBe('Sending CONNACK to c (1, 0)');
  expect(logLines.will(5, true, 2, 'état')).toEqual(['Will message specified (5 bytes) (r1, q2).', '\tétat']);
  expect(logLines.subscribeFilter('a/#', 2)).toBe('\ta/# (QoS 2)');
  expect(logLines.subscribeFilter('a/#', null)).toBe('\ta/# (denied)');
  expect(logLines.sendingAck('PUBREC', 'c', 3, 0)).toBe('Sending PUBREC to c (m3, rc0)');
  expect(logLines.receivedAck('PUBACK', 'c', 3, 16)).toBe('Received PUBACK from c (Mid: 3, RC:16)');
  expect(logLines.sendingRelease('PUBREL', 'c', 3)).toBe('Sending PUBREL to c (m3)');
  expect(logLines.subscribed('c', 1, 'a/+')).toBe('c 1 a/+');
  expect(logLines.firstPacketNotConnect(0x0c)).toBe('First packet not CONNECT (0C).');
});
