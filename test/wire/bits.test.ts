/** Every reserved bit, and every value of every byte that has few legal ones. */
import { test } from 'vitest';
import { bytes, field, packet, u8, type Version } from '../conformance/wire/bytes.ts';
import { packetsOf } from '../conformance/wire/packets.ts';
import { property, propertySet } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { areLegalOptions, expectedOf } from './expected.ts';
import { connectedLayouts, connectLayout, write } from './layout.ts';
import { type Answer, type Row, Stage } from './play.ts';

const resources = useResources();
const everyByte = Array.from({ length: 256 }, (_, value) => value);
const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

/** Sixteen flags for each packet; PUBLISH has a table of its own. */
function fixedHeaderRows(version: Version): Row[] {
  const rows: Row[] = [];
  for (const layout of connectedLayouts(version)) {
    if (layout.name.startsWith('PUBLISH')) continue;
    const right = layout.firstByte & 0x0f;
    for (let flags = 0; flags < 16; flags++) {
      const firstByte = (layout.firstByte & 0xf0) | flags;
      // MQTT 3.1 §2.1: flags that a packet does not use are ignored; the others have QoS 1, and DUP as they like.
      const isLegal = version === 3 ? right === 0 || (flags & 6) === 2 : flags === right;
      const answer = isLegal ? expectedOf(write(layout), version) : '81';
      rows.push({
        title: `${layout.name} with first byte ${hex(firstByte)}`,
        version,
        sends: write(layout, { firstByte }),
        answer,
      });
    }
  }
  return rows;
}

function publishFlagRows(version: Version): Row[] {
  return everyByte.slice(0x30, 0x40).map((firstByte) => {
    const qos = (firstByte >> 1) & 3;
    const sends = packet(firstByte, field('a/b'), qos > 0 ? '00 07' : '', version === 5 ? '00' : '', '"x"');
    return {
      title: `PUBLISH with first byte ${hex(firstByte)}`,
      version,
      sends,
      answer: expectedOf(sends, version),
    };
  });
}

/** All 256 Connect Flags, each with the fields that they announce. */
function connectFlagRows(version: Version): Row[] {
  return everyByte.map((flags) => {
    const [hasUser, hasPassword, hasWill] = [(flags & 0x80) !== 0, (flags & 0x40) !== 0, (flags & 0x04) !== 0];
    const sends = packet(
      0x10,
      field(version === 3 ? 'MQIsdp' : 'MQTT'),
      ...[u8(version), u8(flags), '00 3C', version === 5 ? '00' : '', field('case')],
      ...(hasWill ? [version === 5 ? '00' : '', field('will'), field('gone')] : []),
      ...[hasUser ? field('user') : '', hasPassword ? field('secret') : ''],
    );
    const isLegal =
      (version === 3 || (flags & 1) === 0) && // [MQTT-3.1.2-3]
      (!hasWill || (flags & 0x18) !== 0x18) && // [MQTT-3.1.2-12]
      (version === 3 || hasWill || (flags & 0x38) === 0) && // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
      (version === 5 || hasUser || !hasPassword); // [v3.1.1 MQTT-3.1.2-22]
    return {
      title: `Connect Flags ${hex(flags)}`,
      version,
      isFirst: true,
      sends,
      answer: isLegal ? 'accepted' : 'closed',
    };
  });
}

/** All protocol levels under both names, and names that nobody knows. */
function protocolRows(): Row[] {
  const rows: Row[] = [];
  for (const name of ['MQTT', 'MQIsdp']) {
    for (const level of everyByte) {
      const isV5 = level === 5;
      const version = isV5 ? 5 : (level & 0x7f) === 3 ? 3 : 4;
      const sends = packet(0x10, field(name), u8(level), '02 00 3C', isV5 ? '00' : '', field('case'));
      rows.push({ title: `${name} ${level}`, ...protocolAnswer(name, level, version), isFirst: true, sends });
    }
  }
  for (const name of ['', 'M', 'MQT', 'mqtt', 'MQTt', 'MQTTT', 'MQIsdP', 'MQIsdpp', 'HTTP/1.1', 'x'.repeat(300)]) {
    const sends = packet(0x10, field(name), u8(4), '02 00 3C', field('case'));
    rows.push({ title: `Protocol Name '${name}'`, version: 4, isFirst: true, sends, answer: 'closed' });
  }
  return rows;
}

function protocolAnswer(name: string, level: number, version: Version): { version: Version; answer: Answer } {
  const plain = level & 0x7f; // bit 7 marks a bridge of MQTT 3.x
  if (name === 'MQTT' ? plain === 4 || level === 5 : plain === 3) return { version, answer: 'accepted' };
  // Mosquitto: levels of 3.x are answered in the form of 3.x, all others in that of 5.0.
  return plain === 3 || plain === 4 ? { version: 4, answer: 'refused 01' } : { version: 5, answer: 'refused 84' };
}

function subscribeOptionRows(version: Version): Row[] {
  return everyByte.map((options) => {
    const sends = packetsOf(version).subscribe({ packetId: 7, filters: [{ filter: 'a/b', options }] });
    const granted = `0${options & 3}`;
    const suback = version === 5 ? `open 90 04 00 07 00 ${granted}` : `open 90 03 00 07 ${granted}`;
    return {
      title: `Options ${hex(options)}`,
      version,
      sends,
      answer: areLegalOptions(options, version) ? suback : '81',
    };
  });
}

/** All Reason Codes in everything of a client that has one. */
function reasonCodeRows(): Row[] {
  const version = 5;
  const acks = [
    ['PUBACK', 0x40],
    ['PUBREC', 0x50],
    ['PUBREL', 0x62],
    ['PUBCOMP', 0x70],
  ] as const;
  const rows: Row[] = acks.flatMap(([name, firstByte]) =>
    everyByte.map((code) => {
      const sends = packet(firstByte, '00 07', u8(code));
      return { title: `${name} ${hex(code)}`, version, sends, answer: expectedOf(sends, version) };
    }),
  );
  for (const code of everyByte) {
    rows.push({
      ...{ title: `DISCONNECT ${hex(code)}`, version, sends: packet(0xe0, u8(code)) },
      answer: disconnectCodes.includes(code) ? 'closed' : '82',
    });
    rows.push({
      ...{ title: `AUTH ${hex(code)}`, version, answer: '82' },
      sends: packet(0xf0, u8(code), propertySet([property.authenticationMethod('X')])),
    });
  }
  return rows;
}

/** Listed for DISCONNECT, whoever may send it: an end is an end. [MQTT-3.14.2-1] */
const disconnectCodes = [
  ...[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97],
  ...[0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2],
];

/** What must not come first, and what must not come from a client. */
function wrongPacketRows(version: Version): Row[] {
  const fromServer: readonly (readonly [string, string])[] = [
    ['packet type 0', '00 00'],
    ['CONNACK', version === 5 ? '20 03 00 00 00' : '20 02 00 00'],
    ['SUBACK', version === 5 ? '90 04 00 07 00 00' : '90 03 00 07 00'],
    ['UNSUBACK', version === 5 ? 'B0 04 00 07 00 00' : 'B0 02 00 07'],
    ['PINGRESP', 'D0 00'],
    ...(version === 5 ? [] : [['AUTH', 'F0 00'] as const]),
  ];
  const ofClient = connectedLayouts(version).map((layout) => [layout.name, write(layout)] as const);
  return [
    ...fromServer.map(([name, sends]) => ({ title: `${name} from a client`, version, sends, answer: '82' })),
    { title: 'a second CONNECT', version, sends: write(connectLayout(version)), answer: '82' },
    ...[...fromServer, ...ofClient].map(([name, sends]) => ({
      ...{ title: `${name} before CONNECT`, version, isFirst: true, answer: 'closed' },
      sends: Buffer.concat([bytes(sends), write(connectLayout(version))]),
    })),
    { title: 'CONNECT', version, isFirst: true, sends: write(connectLayout(version)), answer: 'accepted' },
  ];
}

for (const version of [3, 4, 5] as const) {
  test(`v${version} flags of the fixed header`, async () => {
    await (await Stage.open(resources)).play([...fixedHeaderRows(version), ...publishFlagRows(version)]);
  });
  test(`v${version} Connect Flags`, async () => {
    await (await Stage.open(resources)).play(connectFlagRows(version));
  });
  test(`v${version} options of a subscription`, async () => {
    await (await Stage.open(resources)).play(subscribeOptionRows(version));
  });
  test(`v${version} packets of the other side, and packets before CONNECT`, async () => {
    await (await Stage.open(resources)).play(wrongPacketRows(version));
  });
}
test('Protocol Names and levels', async () => {
  await (await Stage.open(resources)).play(protocolRows());
});
test('v5 Reason Codes', async () => {
  await (await Stage.open(resources)).play(reasonCodeRows());
});
