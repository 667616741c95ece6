import { expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { type ConformanceBroker, startBroker } from '../wire/broker.ts';
import type { RawClient } from '../wire/client.ts';
import { v5 } from '../wire/packets.ts';
import { frame, HandshakeRefused, Opcode, type WebSocketOptions, WebSocketStream } from '../wire/websocket.ts';

const resources = useResources();

const start = (): Promise<ConformanceBroker> => startBroker(resources, { transports: ['ws', 'tcp'] });
const open = (broker: ConformanceBroker, webSocket: WebSocketOptions = {}): Promise<RawClient> =>
  broker.open({ transport: 'ws', webSocket });

// Binary frames

test('v5 [MQTT-6.0.0-1] a text frame with a CONNECT in it is not read: closed with 1003', async () => {
  const broker = await start();
  const client = await open(broker);
  client.webSocket.sendFrame(Opcode.text, v5.connect());
  await client.expectClosed();
  expect(client.webSocket.closeCode).toBe(1003);
  expect(broker.running.broker.gauges().clientsTotal).toBe(0);
});

test('v5 [MQTT-6.0.0-1] a text frame later ends the connection without DISCONNECT, what is in it or behind it is not done, and the Will goes out', async () => {
  const broker = await start();
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('#');
  const client = await broker.connect({ clientId: 'c', transport: 'ws', will: { topic: 'will', payload: 'gone' } });
  client.webSocket.writeRaw(
    Buffer.concat([
      frame(Opcode.text, v5.publish({ topic: 'a', payload: 'text' })),
      frame(Opcode.binary, v5.publish({ topic: 'a', payload: 'behind' })),
    ]),
  );
  await client.expectClosed();
  expect(client.webSocket.closeCode).toBe(1003);
  await watcher.expectPublish({ topic: 'will', payload: 'gone' });
  await watcher.expectNothing();
});

test('v5 [MQTT-6.0.0-1] frames of the broker are binary', async () => {
  const broker = await start();
  const client = await broker.connect({ transport: 'ws' });
  await client.subscribe({ filter: 'a', qos: 2 });
  await client.publish({ topic: 'b', qos: 2 });
  client.send(v5.publish({ topic: 'a', payload: 'x'.repeat(100_000) }));
  await client.expectPublish({ topic: 'a' });
  await client.expectNothing();
  expect(new Set(client.webSocket.opcodes)).toEqual(new Set([Opcode.binary]));
});

test('v5 [MQTT-6.0.0-1] a WebSocket ping is answered and is no packet: it does not prolong the Keep Alive', async () => {
  const broker = await start();
  const client = await broker.connect({ transport: 'ws', keepAlive: 10 });
  await broker.advance(10);
  client.webSocket.sendFrame(Opcode.ping, Buffer.from('hello'));
  await broker.settle();
  await broker.advance(6);
  await client.expectError(0x8d);
});

test('v5 [MQTT-6.0.0-1] a WebSocket that is closed without DISCONNECT is a connection that failed: the Will goes out', async () => {
  const broker = await start();
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.subscribe('will');
  for (const polite of [true, false]) {
    const client = await broker.connect({ clientId: 'c', transport: 'ws', will: { topic: 'will', payload: 'gone' } });
    if (polite) client.stream.end();
    else client.close();
    await watcher.expectPublish({ payload: 'gone' });
  }
  const client = await broker.connect({ clientId: 'c', transport: 'ws', will: { topic: 'will', payload: 'gone' } });
  await client.disconnect();
  await watcher.expectNothing();
});

// Frames are not packets

test('v5 [MQTT-6.0.0-2] a CONNECT in three frames', async () => {
  const broker = await start();
  const client = await open(broker);
  const connect = v5.connect();
  client.send(connect.subarray(0, 1));
  await broker.settle();
  client.send(connect.subarray(1, 9));
  await broker.settle();
  client.send(connect.subarray(9));
  expect((await client.expectPacket('connack')).reasonCode).toBe(0);
});

test('v5 [MQTT-6.0.0-2] CONNECT, SUBSCRIBE and PUBLISH in one frame', async () => {
  const broker = await start();
  const client = await open(broker);
  client.send(v5.connect(), v5.subscribe({ filters: ['a'] }), v5.publish({ topic: 'a', payload: 'x' }));
  await client.expectPacket('connack');
  await client.expectPacket('suback');
  await client.expectPublish({ payload: 'x' });
});

test('v5 [MQTT-6.0.0-2] one byte in each frame, empty frames and pings between them', async () => {
  const broker = await start();
  const client = await open(broker);
  for (const byte of Buffer.concat([v5.connect(), v5.subscribe({ filters: ['a'] }), v5.publish({ topic: 'a' })])) {
    client.send(Buffer.from([byte]));
    client.webSocket.sendFrame(Opcode.binary, Buffer.alloc(0));
    client.webSocket.sendFrame(Opcode.ping, Buffer.alloc(0));
  }
  await client.expectPacket('connack');
  await client.expectPacket('suback');
  await client.expectPublish({ topic: 'a' });
});

test('v5 [MQTT-6.0.0-2] a message in fragments, with a ping between them', async () => {
  const broker = await start();
  const client = await open(broker);
  const all = Buffer.concat([v5.connect(), v5.subscribe({ filters: ['a'] })]);
  client.webSocket.sendFrame(Opcode.binary, all.subarray(0, 5), false);
  client.webSocket.sendFrame(Opcode.continuation, all.subarray(5, 6), false);
  client.webSocket.sendFrame(Opcode.ping, Buffer.from('x'));
  client.webSocket.sendFrame(Opcode.continuation, Buffer.alloc(0), false);
  client.webSocket.sendFrame(Opcode.continuation, all.subarray(6), true);
  await client.expectPacket('connack');
  await client.expectPacket('suback');
});

test('v5 [MQTT-6.0.0-2] a frame that arrives in pieces, and frames that end in the middle of packets', async () => {
  const broker = await start();
  const client = await open(broker);
  const all = Buffer.concat([
    v5.connect(),
    v5.subscribe({ filters: ['a'] }),
    v5.publish({ topic: 'a', payload: 'x'.repeat(70_000) }),
    v5.pingreq(),
  ]);
  const frames = Buffer.concat([
    frame(Opcode.binary, all.subarray(0, 25)),
    frame(Opcode.binary, all.subarray(25, 40_000)),
    frame(Opcode.binary, all.subarray(40_000)),
  ]);
  for (let at = 0; at < frames.length; at += 9973) {
    client.webSocket.writeRaw(frames.subarray(at, at + 9973));
    await broker.settle();
  }
  await client.expectPacket('connack');
  await client.expectPacket('suback');
  expect((await client.expectPublish({ topic: 'a' })).payload).toHaveLength(70_000);
  await client.expectPacket('pingresp');
});

// Subprotocol

test('v5 [MQTT-6.0.0-3] [MQTT-6.0.0-4] a client that offers mqtt, among others too, is answered with mqtt exactly, as Mosquitto answers', async () => {
  const broker = await start();
  for (const protocol of ['mqtt', 'foo, mqtt', 'mqtt, foo', 'mqttv3.1, mqtt', 'foo,mqtt,bar']) {
    const client = await open(broker, { protocol });
    expect(client.webSocket.head.split('\r\n').map((line) => line.replace(/(Accept: ).*/, '$1…'))).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: WebSocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: …',
      'Sec-WebSocket-Protocol: mqtt',
    ]);
    client.send(v5.connect());
    await client.expectPacket('connack');
  }
});

test('v5 [MQTT-6.0.0-3] without a subprotocol, or with others only, the handshake is refused with 400', async () => {
  const broker = await start();
  for (const protocol of [null, 'foo', 'MQTT', 'mqtts', 'mqttv5', 'foo, bar']) {
    await expect(WebSocketStream.open(broker.port('ws'), { protocol })).rejects.toThrow(HandshakeRefused);
    await expect(WebSocketStream.open(broker.port('ws'), { protocol })).rejects.toThrow('400');
  }
  await (await broker.connect({ transport: 'ws' })).expectNothing();
});

test('v5 [MQTT-6.0.0-4] mqttv3.1, which old clients offer, is echoed when nothing better is offered', async () => {
  const broker = await start();
  const client = await open(broker, { protocol: 'foo, mqttv3.1' });
  expect(client.webSocket.head).toContain('Sec-WebSocket-Protocol: mqttv3.1');
  client.send(v5.connect());
  await client.expectPacket('connack');
});

test('v5 [MQTT-6.0.0-4] the path does not matter', async () => {
  const broker = await start();
  for (const path of ['/', '/mqtt', '/some/where?x=1']) {
    const client = await open(broker, { path });
    expect(client.webSocket.head).toContain('Sec-WebSocket-Protocol: mqtt');
  }
});
