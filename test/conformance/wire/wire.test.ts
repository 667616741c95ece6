import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { useResources } from '../../harness/resources.ts';
import { startBroker } from './broker.ts';
import { type Bytes, bytes, field, hexOf, packet, type Version, varint } from './bytes.ts';
import { RawClient } from './client.ts';
import { v5, v31, v311 } from './packets.ts';
import { property, valueOf, valuesOf } from './properties.ts';
import { packetLength, read } from './received.ts';

const resources = useResources();

describe('bytes', () => {
  test('hex digits, text and comments', () => {
    expect(bytes('82 06 -- SUBSCRIBE "a"\n 0001 "é" 00')).toEqual(Buffer.from([0x82, 6, 0, 1, 0xc3, 0xa9, 0]));
    expect(() => bytes('8')).toThrow(/pairs/);
  });

  test('Variable Byte Integers, shortest or as long as asked', () => {
    expect([0, 127, 128, 16_383, 16_384, 268_435_455].map((value) => hexOf(varint(value)))).toEqual([
      '00',
      '7f',
      '80 01',
      'ff 7f',
      '80 80 01',
      'ff ff ff 7f',
    ]);
    expect(hexOf(varint(1, 3))).toBe('81 80 00');
  });

  test('a packet counts its Remaining Length', () => {
    expect(hexOf(packet(0x30, field('a'), 'FF'))).toBe('30 04 00 01 61 ff');
    expect(packet(0x30, Buffer.alloc(200)).subarray(0, 3)).toEqual(Buffer.from([0x30, 0xc8, 0x01]));
  });
});

describe('builders', () => {
  test('CONNECT of each version', () => {
    expect(hexOf(v31.connect({ clientId: 'c' }))).toBe(hexOf(bytes('10 0F 00 06 "MQIsdp" 03 02 00 3C 00 01 "c"')));
    expect(hexOf(v311.connect({ clientId: 'c', username: 'u', password: 'p', keepAlive: 0 }))).toBe(
      hexOf(bytes('10 13 00 04 "MQTT" 04 C2 00 00 00 01 "c" 00 01 "u" 00 01 "p"')),
    );
    const will = {
      topic: 'w',
      payload: 'x',
      qos: 1,
      retain: true,
      properties: [property.willDelayInterval(5)],
    } as const;
    expect(
      hexOf(v5.connect({ clientId: 'c', cleanStart: false, will, properties: [property.receiveMaximum(2)] })),
    ).toBe(hexOf(bytes('10 1D 00 04 "MQTT" 05 2C 00 3C 03 21 00 02 00 01 "c" 05 18 00000005 00 01 "w" 00 01 "x"')));
  });

  test('what else a client sends', () => {
    expect(hexOf(v5.publish({ topic: 'a', payload: 'x', qos: 2, dup: true, retain: true, packetId: 258 }))).toBe(
      hexOf(bytes('3D 07 00 01 "a" 01 02 00 "x"')),
    );
    expect(hexOf(v311.publish({ topic: 'a' }))).toBe(hexOf(bytes('30 03 00 01 "a"')));
    expect(hexOf(v5.subscribe({ filters: ['a', { filter: 'b', qos: 1, noLocal: true, retainHandling: 2 }] }))).toBe(
      hexOf(bytes('82 0B 00 01 00 00 01 "a" 00 00 01 "b" 25')),
    );
    expect(hexOf(v311.unsubscribe({ packetId: 7, filters: ['a'] }))).toBe(hexOf(bytes('A2 05 00 07 00 01 "a"')));
    expect(hexOf(v5.puback())).toBe('40 02 00 01');
    expect(hexOf(v5.pubrel({ packetId: 2, reasonCode: 0x92 }))).toBe('62 03 00 02 92');
    expect(hexOf(v5.pubrec({ reasonCode: 0, properties: [] }))).toBe('50 04 00 01 00 00');
    expect([v5.disconnect(), v5.disconnect({ reasonCode: 4 })].map(hexOf)).toEqual(['e0 00', 'e0 01 04']);
  });
});

describe('reader', () => {
  const readAs = (source: Bytes, version: Version, from: 'client' | 'server' = 'server') =>
    read(bytes(source), version, from);

  test('tells when a packet is whole', () => {
    expect(['', 'D0', '30 80', '30 03 00 01'].map((source) => packetLength(bytes(source)))).toEqual([0, 0, 0, 0]);
    expect(packetLength(bytes('D0 00 D0'))).toBe(2);
    expect(packetLength(packet(0x30, Buffer.alloc(200)))).toBe(203);
    expect(() => packetLength(bytes('D0 80 00'))).toThrow(/shortest form/);
    expect(() => packetLength(bytes('30 FF FF FF FF'))).toThrow(/four bytes/);
  });

  test('reads what it is sent', () => {
    expect(readAs('3B 08 00 01 "a" 00 07 00 "xy"', 5)).toMatchObject({
      ...{ type: 'publish', topic: 'a', qos: 1, dup: true, retain: true, packetId: 7, text: 'xy', properties: [] },
    });
    const publish = readAs('30 0B 00 01 "a" 07 0B 01 0B 02 23 00 01', 5) as never;
    expect(valuesOf(publish, 'subscriptionIdentifier')).toEqual([1, 2]);
    expect(valueOf(readAs('E0 06 8B 04 1F 00 01 "x"', 5) as never, 'reasonString')).toBe('x');
    expect(readAs('90 05 00 01 00 02 87', 5)).toMatchObject({ packetId: 1, reasonCodes: [2, 0x87] });
    expect(readAs(v5.connect({ will: {}, username: 'u' }), 5, 'client')).toMatchObject({
      ...{ type: 'connect', protocolLevel: 5, flags: 0x86, will: { topic: 'will' }, username: 'u', password: null },
    });
  });

  const broken: readonly (readonly [string, Version, Bytes, RegExp])[] = [
    ['reserved bits', 5, 'D1 00', /reserved bits/],
    ['PUBREL with wrong flags', 4, '60 02 00 01', /reserved bits/],
    ['bytes left over', 5, 'D0 01 00', /left over/],
    ['a field past the end', 5, '30 03 00 05 "a"', /runs past the end/],
    ['packet type 0', 5, '00 00', /type 0/],
    ['a packet of the other side', 5, 'C0 00', /other side/],
    ['DISCONNECT in 3.1.1', 4, 'E0 00', /3\.x/],
    ['AUTH in 3.1.1', 4, 'F0 00', /3\.x/],
    ['QoS 3', 5, '36 06 00 01 "a" 00 01 00', /QoS 3/],
    ['DUP with QoS 0', 5, '38 04 00 01 "a" 00', /DUP/],
    ['Packet Identifier 0', 5, '40 02 00 00', /Identifier 0/],
    ['a wildcard in a Topic Name', 5, '30 04 00 01 "#" 00', /wildcard/],
    ['no Topic Name', 5, '30 03 00 00 00', /no Topic Name/],
    ['ill-formed UTF-8', 5, '30 04 00 01 FF 00', /./],
    ['NUL', 5, '30 04 00 01 00 00', /NUL/],
    ['reserved CONNACK flags', 5, '20 03 02 00 00', /reserved Connect/],
    ['Session Present in 3.1', 3, '20 02 01 00', /reserved Connect/],
    ['Session Present in a refusal', 5, '20 03 01 87 00', /Session Present/],
    ['a code that CONNACK may not carry', 5, '20 03 00 8E 00', /0x8e/],
    ['a code that PUBACK may not carry', 5, '40 03 00 01 95', /0x95/],
    ['0x80 in a SUBACK of 3.1', 3, '90 03 00 01 80', /0x80/],
    ['codes in an UNSUBACK of 3.1.1', 4, 'B0 03 00 01 00', /./],
    ['a property that does not belong', 5, 'E0 07 8B 05 11 00 00 00 01', /sessionExpiryInterval/],
    ['a property twice', 5, '20 09 00 00 06 21 00 01 21 00 01', /twice/],
    ['an unknown property', 5, '20 05 00 00 02 7F 00', /unknown property/],
    ['a property out of range', 5, '20 06 00 00 03 21 00 00', /receiveMaximum is 0/],
    ['a flag above 1', 5, '20 05 00 00 02 25 02', /retainAvailable is 2/],
    ['Topic Alias 0', 5, '30 07 00 01 "a" 03 23 00 00', /topicAlias is 0/],
    ['no Property Length', 5, '90 02 00 01', /past the end/],
  ];
  for (const [name, version, source, why] of broken) {
    test(`refuses ${name}`, () => {
      expect(() => readAs(source, version)).toThrow(why);
    });
  }
});

/** A client of a server that answers the first bytes with these, and closes if told. */
async function answered(source: Bytes, isClosed = false, version: Version = 5): Promise<RawClient> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(bytes(source));
    if (isClosed) socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.add({ close: () => void server.close() });
  const { port } = server.address() as { port: number };
  return resources.add(await RawClient.open(port, { version }));
}

describe('client', () => {
  test('expectations fail when something else comes', async () => {
    await expect((await answered('D0 00')).expect('D0 01 00')).rejects.toThrow();
    await expect((await answered('D0 00')).expectPacket('connack')).rejects.toThrow();
    await expect((await answered('30 04 00 01 "a" 00')).expectPublish({ payload: 'x' })).rejects.toThrow();
    await expect((await answered('30 04 00 01 "a" 00 D0 00')).expectNothing()).rejects.toThrow();
    await expect((await answered('D0 00', true)).expectClosed()).rejects.toThrow(/d0 00/);
    await expect((await answered('D0', true)).expectClosed()).rejects.toThrow();
    await expect((await answered('', true)).next()).rejects.toThrow(/closed/);
    await expect((await answered('E0 01 82 D0 00', true)).expectError(0x82)).rejects.toThrow();
    await expect((await answered('', true)).expectError(0x82)).rejects.toThrow();
    await expect((await answered('20 03 00 86 00', true)).expectRefused(0x87)).rejects.toThrow();
    await expect((await answered('90 04 00 01 00 87')).subscribe('a')).rejects.toThrow();
  });

  test('expectations hold when it comes', async () => {
    await (await answered('D0 00')).expect('D0 00');
    await (await answered('D0 00')).expectNothing();
    await (await answered('E0 01 82', true)).expectError(0x82);
    await (await answered('', true, 4)).expectError(0x82);
    await (await answered('20 02 00 05', true, 4)).expectRefused(5);
    expect((await (await answered('30 04 00 01 "a" 00 D0 00')).drainPublishes()).length).toBe(1);
  });
});

describe('broker', () => {
  test('time moves when told, and a killed connection is known to be gone', async () => {
    const broker = await startBroker(resources);
    const before = broker.clock.nowMs();
    const client = await broker.connect({ clientId: 'c', properties: [property.sessionExpiryInterval(60)] });
    await broker.kill(client);
    expect(broker.running.broker.gauges()).toMatchObject({ clientsConnected: 0, clientsTotal: 1 });
    await broker.advance(90);
    expect(broker.running.broker.gauges().clientsTotal).toBe(0);
    expect(broker.clock.nowMs() - before).toBe(90_000);
  });

  test('every transport leads to the same broker', async () => {
    const broker = await startBroker(resources, { transports: ['tcp', 'ws', 'tls'] });
    const subscriber = await broker.connect({ clientId: 's', transport: 'tls' });
    await subscriber.subscribe('a');
    for (const transport of ['tcp', 'ws', 'tls'] as const) {
      const client = await broker.connect({ clientId: transport, transport });
      expect(await client.publish({ topic: 'a', payload: transport, qos: 1 })).toBe(0);
      await subscriber.expectPublish({ payload: transport });
    }
  });
});
