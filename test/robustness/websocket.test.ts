/** What WebSocket adds: frames that announce more than anybody may send, handshakes and closings that are not to the end. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startBroker } from '../conformance/wire/broker.ts';
import { bytes } from '../conformance/wire/bytes.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { Opcode } from '../conformance/wire/websocket.ts';
import { prepareBroker } from '../harness/brokers.ts';
import { CertificateAuthority } from '../harness/certificates.ts';
import { useResources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { OracleClient } from '../oracle/mqttjs-client.ts';
import { Attacker } from './attacker.ts';
import { hasProc, Siege } from './siege.ts';

const v5 = packetsOf(5);

describe('frames', () => {
  const resources = useResources();

  test('a first packet that is no CONNECT is refused before its frame is whole', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = await broker.open({ transport: 'ws' });
    // binary, masked with zeros, 1 GB · PUBLISH
    client.webSocket.writeRaw(bytes('82 ff 00000000 40000000 00000000 30'));
    await client.expectClosed();
  });

  test('many packets in one frame, one packet in many frames, empty frames, pings between', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = await broker.open({ transport: 'ws' });
    const { webSocket } = client;
    webSocket.write(
      Buffer.concat([
        v5.connect({ clientId: 'c' }),
        v5.subscribe({ filters: ['#'] }),
        v5.publish({ topic: 'a', payload: '1' }),
      ]),
    );
    await client.expectPacket('connack');
    await client.expectPacket('suback');
    await client.expectPublish({ payload: '1' });
    for (const byte of v5.publish({ topic: 'a', payload: '2' })) {
      webSocket.write(Buffer.from([byte]));
      webSocket.write(Buffer.alloc(0));
      webSocket.sendFrame(Opcode.ping, Buffer.from('ping'));
    }
    await client.expectPublish({ payload: '2' });
    const packet = v5.publish({ topic: 'a', payload: '3' });
    webSocket.sendFrame(Opcode.binary, packet.subarray(0, 3), false);
    webSocket.sendFrame(Opcode.continuation, packet.subarray(3, 4), false);
    webSocket.sendFrame(Opcode.pong, Buffer.alloc(0));
    webSocket.sendFrame(Opcode.continuation, packet.subarray(4), true);
    await client.expectPublish({ payload: '3' });
    // Everything the broker sends is binary.
    expect(new Set(webSocket.opcodes)).toEqual(new Set([Opcode.binary]));
  });

  test('a large message in one frame, sent before the broker has said who may come in', async () => {
    let letIn = (): void => {};
    const broker = await startBroker(resources, {
      transports: ['ws'],
      authenticator: {
        authenticate: () =>
          new Promise((resolve) => {
            letIn = () => resolve('accepted');
          }),
      },
    });
    const client = await broker.open({ transport: 'ws' });
    const payload = 'x'.repeat(1_900_000);
    client.send(v5.connect({ clientId: 'c' }), v5.subscribe({ filters: ['a'] }));
    client.send(v5.publish({ topic: 'a', payload }));
    await broker.settle();
    letIn();
    await client.expectPacket('connack');
    await client.expectPacket('suback');
    await client.expectPublish({ topic: 'a', payload });
  });

  test.each([
    ['text', '81 80 00000000', 1003],
    ['a frame without a mask', '82 01 30', 1002],
    ['a reserved bit', 'c2 80 00000000', 1002],
    ['a reserved opcode', '83 80 00000000', 1002],
    ['a continuation of nothing', '80 80 00000000', 1002],
    ['a Ping of 126 bytes', '89 fe 007e 00000000', 1002],
  ])('%s is answered by Close', async (_what, frame, closeCode) => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = await broker.connect({ transport: 'ws' });
    client.webSocket.writeRaw(bytes(frame));
    await client.expectClosed();
    expect(client.webSocket.closeCode).toBe(closeCode);
    await waitFor('the session to end', () => broker.running.broker.engine.sessions.size === 0);
  });

  test('a Close frame of the client ends the connection, and its Will is sent', async () => {
    const broker = await startBroker(resources, { transports: ['ws', 'tcp'] });
    const watcher = await broker.connect({ transport: 'tcp', clientId: 'watcher' });
    await watcher.subscribe('will');
    const client = await broker.connect({ transport: 'ws', clientId: 'c', will: { topic: 'will', payload: 'closed' } });
    client.stream.end();
    await client.expectClosed();
    expect(client.webSocket.closeCode).toBe(1000);
    await watcher.expectPublish({ payload: 'closed' });
  });

  test('a client that sends Ping and reads no Pong', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const deaf = resources.add(await Attacker.open(broker.port('ws'), 'ws'));
    deaf.stopReading();
    // Ping with 125 bytes, masked with zeros
    const pings = Buffer.concat(
      Array.from({ length: 10_000 }, () => Buffer.concat([bytes('89 fd 00000000'), Buffer.alloc(125)])),
    );
    deaf.send(v5.connect({ clientId: 'deaf' }));
    const before = broker.running.broker.stats.bytesReceived;
    for (let count = 0; count < 10; count++) await new Promise((resolve) => deaf.socket.write(pings, resolve));
    deaf.send(v5.pingreq());
    await waitFor('the PINGREQ behind them', () => broker.running.broker.stats.bytesReceived > before + 2);
    const [connection] = broker.running.clients;
    expect(connection?.clientId).toBe('deaf');
  });
});

describe('over TLS', () => {
  const resources = useResources();

  test('a message of 1 MB there and back; a handshake that is no TLS is closed', async () => {
    const broker = await prepareBroker(resources, 'moustique', {
      config: [
        'listener {wss} 127.0.0.1',
        'protocol websockets',
        'certfile {dir}/localhost.crt',
        'keyfile {dir}/localhost.key',
        'allow_anonymous true',
      ],
    });
    const authority = await CertificateAuthority.create(broker.dir);
    await authority.issue('server', 'localhost');
    await broker.start();
    const ca = readFileSync(authority.certFile);
    const url = `wss://localhost:${broker.port('wss')}/mqtt`;
    const client = await OracleClient.connect(resources, url, 5, { ca, family: 4 } as object);
    await client.mqtt.subscribeAsync('a', { qos: 2 });
    const payload = 'x'.repeat(1_000_000);
    await client.publish('a', payload, { qos: 2 });
    expect((await client.next()).text).toBe(payload);
    const plain = resources.add(await Attacker.open(broker.port('wss'), 'tcp'));
    plain.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await plain.closed();
    await client.publish('a', 'still here', { qos: 1 });
    expect((await client.next()).text).toBe('still here');
  });
});

describe.runIf(hasProc)('announced frames', () => {
  const resources = useResources();

  test('500 frames of 256 MB with the beginning of a CONNECT in them cost little', async () => {
    const siege = await Siege.begin(resources);
    await siege.canary.sing(100);
    const before = siege.memory();
    // binary, masked with zeros, 256 MB · CONNECT, Remaining Length 98,000
    const beginning = Buffer.concat([bytes('82 ff 00000000 10000000 00000000 10 d0 fd 05'), Buffer.alloc(40_000)]);
    await siege.withstand(async () => {
      const attackers = await siege.attackers('ws', 500);
      await Promise.all(
        attackers.map(({ socket }) => new Promise<void>((resolve) => void socket.write(beginning, () => resolve()))),
      );
    });
    await siege.canary.sing(100);
    // 500 × 40 kB of CONNECT, and the buffers that they grew through.
    expect(siege.memory() - before).toBeLessThan(96);
  });

  test('frames without end are MQTT like any other: what is above max_packet_size is refused', async () => {
    const siege = await Siege.begin(resources);
    const client = await siege.connect('ws', 'endless');
    // binary, masked with zeros, 2^40 bytes · PUBLISH, Remaining Length 268,435,455
    client.webSocket.writeRaw(bytes('82 ff 00000100 00000000 00000000 30 ff ff ff 7f'));
    await client.expectError(0x95);
  });
});

describe('handshakes', () => {
  const resources = useResources();

  test('a handshake has 10 s, from the first byte or from none', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const beginnings = ['', 'GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n'];
    const sockets = beginnings.map((beginning) => {
      const socket = connect(broker.port('ws'), '127.0.0.1').resume();
      resources.add({ close: () => void socket.destroy() });
      socket.on('error', () => {});
      if (beginning !== '') socket.write(beginning);
      return socket;
    });
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    // Whoever comes later has more time left.
    await broker.advance(5);
    const later = await broker.connect({ transport: 'ws' });
    await broker.advance(4);
    expect(sockets.map(({ closed }) => closed)).toEqual([false, false]);
    await broker.advance(2);
    await waitFor('the broker to close', () => sockets.every(({ closed }) => closed));
    await later.expectNothing();
  });

  test('the closing handshake is not waited for', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const rude = resources.add(await Attacker.open(broker.port('ws'), 'ws'));
    rude.send(v5.connect({ clientId: 'rude' }));
    // A second CONNECT: DISCONNECT 0x82, then the Close frame 88 02 03 e8
    rude.send(v5.connect({ clientId: 'rude' }));
    await rude.receive('the Close frame', (received) => received.includes(bytes('88 02 03 e8')));
    await rude.closed();
  });

  test.each([
    ['no key', (lines: string[]) => lines.filter((line) => !line.startsWith('Sec-WebSocket-Key')), 400],
    [
      'a key that is none',
      (lines: string[]) => lines.map((line) => (line.startsWith('Sec-WebSocket-Key') ? 'Sec-WebSocket-Key: x' : line)),
      400,
    ],
    ['version 8', (lines: string[]) => lines.map((line) => line.replace('Version: 13', 'Version: 8')), 426],
    ['no subprotocol', (lines: string[]) => lines.filter((line) => !line.startsWith('Sec-WebSocket-Protocol')), 400],
    ['another subprotocol', (lines: string[]) => lines.map((line) => line.replace('mqtt', 'chat')), 400],
    ['no upgrade at all', (lines: string[]) => lines.filter((line) => !/^(Upgrade|Connection)/.test(line)), 426],
  ])('%s is refused in HTTP', async (_what, change, status) => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = resources.add(await Attacker.open(broker.port('ws'), 'tcp'));
    const lines = [
      'GET /anything HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: keep-alive, Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: mqtt',
    ];
    client.send(Buffer.from(`${change(lines).join('\r\n')}\r\n\r\n`));
    await client.receive(`status ${status}`, (received) => received.toString().startsWith(`HTTP/1.1 ${status} `));
    await client.closed();
  });

  test('what is sent with the handshake is not lost', async () => {
    const broker = await startBroker(resources, { transports: ['ws'] });
    const client = resources.add(await Attacker.open(broker.port('ws'), 'tcp'));
    const request = [
      'GET /mqtt HTTP/1.1',
      'Host: localhost',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: chat, mqttv3.1, mqtt',
      '\r\n',
    ].join('\r\n');
    // binary, masked with zeros, 14 bytes: CONNECT of MQTT 3.1.1 as "cc"
    client.send(
      Buffer.concat([Buffer.from(request), bytes('82 90 00000000 10 0e 00 04 "MQTT" 04 02 00 00 00 02 "cc"')]),
    );
    // The key's answer in RFC 6455 §1.3, then CONNACK in a frame of 4 bytes.
    await client.receive('handshake and CONNACK', (received) => {
      const text = received.toString('latin1');
      return (
        text.startsWith(
          [
            'HTTP/1.1 101 Switching Protocols',
            'Upgrade: WebSocket',
            'Connection: Upgrade',
            'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
            'Sec-WebSocket-Protocol: mqtt\r\n\r\n',
          ].join('\r\n'),
        ) && text.endsWith('\x82\x04\x20\x02\x00\x00')
      );
    });
  });
});
