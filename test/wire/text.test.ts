/** Every class of bytes that are not text, in every field that is. */
import { test } from 'vitest';
import { bytes, field, u8, type Version } from '../conformance/wire/bytes.ts';
import { useResources } from '../harness/resources.ts';
import { connectedLayouts, connectLayout, type Layout, write } from './layout.ts';
import { type Answer, type Row, Stage } from './play.ts';

const resources = useResources();

/** One of each class; they stand alone, and between other characters. */
const notText: readonly (readonly [string, string])[] = [
  ['U+0000', '00'], // [MQTT-1.5.4-2]
  ['a continuation byte alone', '80'],
  ['the last continuation byte alone', 'BF'],
  ['a sequence of two cut short', 'C3'],
  ['a sequence of three cut short', 'E2 82'],
  ['a sequence of four cut short', 'F0 9F 98'],
  ['a sequence with a wrong second byte', 'C3 28'],
  ['a sequence with a wrong third byte', 'E2 82 28'],
  ['a sequence with a wrong fourth byte', 'F0 9F 98 28'],
  ['U+0000 in two bytes', 'C0 80'],
  ['"/" in two bytes', 'C0 AF'],
  ['U+007F in two bytes', 'C1 BF'],
  ['"/" in three bytes', 'E0 80 AF'],
  ['U+07FF in three bytes', 'E0 9F BF'],
  ['"/" in four bytes', 'F0 80 80 AF'],
  ['U+FFFF in four bytes', 'F0 8F BF BF'],
  ['the first high surrogate', 'ED A0 80'], // [MQTT-1.5.4-1]
  ['the last high surrogate', 'ED AF BF'],
  ['the first low surrogate', 'ED B0 80'],
  ['the last low surrogate', 'ED BF BF'],
  ['a pair of surrogates', 'ED A0 BD ED B8 80'],
  ['U+110000', 'F4 90 80 80'],
  ['a lead byte F5', 'F5 80 80 80'],
  ['a sequence of five', 'F8 88 80 80 80'],
  ['a sequence of six', 'FC 84 80 80 80 80'],
  ['byte FE', 'FE'],
  ['byte FF', 'FF'],
  // Mosquitto refuses what the standard only advises against: §1.5.4.
  ['U+0001', '01'],
  ['U+001F', '1F'],
  ['U+007F', '7F'],
  ['U+0080', 'C2 80'],
  ['U+009F', 'C2 9F'],
  ['U+FDD0', 'EF B7 90'],
  ['U+FFFE', 'EF BF BE'],
  ['U+FFFF', 'EF BF BF'],
  ['U+1FFFF', 'F0 9F BF BF'],
  ['U+10FFFF', 'F4 8F BF BF'],
];

/** The neighbours of those, which are text. */
const isText: readonly (readonly [string, string])[] = [
  ['U+0020', '20'],
  ['U+007E', '7E'],
  ['U+00A0', 'C2 A0'],
  ['U+07FF', 'DF BF'],
  ['U+0800', 'E0 A0 80'],
  ['U+D7FF', 'ED 9F BF'],
  ['U+E000', 'EE 80 80'],
  ['U+FEFF, a byte order mark', 'EF BB BF'], // [MQTT-1.5.4-3]
  ['U+FFFD', 'EF BF BD'],
  ['U+10000', 'F0 90 80 80'],
  ['U+10FFFD', 'F4 8F BF BD'],
];

/** Text between which the bytes are put: nothing, and a letter at either side. */
const around = [
  ['', ''],
  ['a', 'b'],
] as const;

/** Properties of MQTT 5.0 that are text; the name and the value of a User Property are two. */
const textProperties: Readonly<Record<string, readonly (readonly [string, number])[]>> = {
  CONNECT: [['Authentication Method', 0x15]],
  Will: [
    ['Content Type', 0x03],
    ['Response Topic', 0x08],
  ],
  PUBLISH: [
    ['Content Type', 0x03],
    ['Response Topic', 0x08],
  ],
  PUBACK: [['Reason String', 0x1f]],
  PUBREC: [['Reason String', 0x1f]],
  PUBREL: [['Reason String', 0x1f]],
  PUBCOMP: [['Reason String', 0x1f]],
  DISCONNECT: [['Reason String', 0x1f]],
  AUTH: [
    ['Authentication Method', 0x15],
    ['Reason String', 0x1f],
  ],
};

/** Every text of a packet: how to write the packet with other bytes there. */
function placesOf(layout: Layout): (readonly [string, (content: Buffer) => Buffer])[] {
  return layout.fields.flatMap((part): (readonly [string, (content: Buffer) => Buffer])[] => {
    if (part.kind === 'text')
      return part.name === 'Protocol Name'
        ? []
        : [[part.name, (content) => write(layout, { field: part.name, content })]];
    if (part.kind !== 'properties') return [];
    const withProperty = (one: Buffer): Buffer => write(layout, { field: part.name, properties: [one] });
    return [
      [
        `${part.owner} User Property name`,
        (content) => withProperty(Buffer.concat([u8(0x26), field(content), field('v')])),
      ],
      [
        `${part.owner} User Property value`,
        (content) => withProperty(Buffer.concat([u8(0x26), field('k'), field(content)])),
      ],
      ...(textProperties[part.owner] ?? []).map(
        ([name, id]) =>
          [
            `${part.owner} ${name}`,
            (content: Buffer) => withProperty(Buffer.concat([u8(id), field(content)])),
          ] as const,
      ),
    ];
  });
}

function rowsOf(layout: Layout): Row[] {
  const { version } = layout;
  const isFirst = layout.name === 'CONNECT';
  const rows: Row[] = [];
  for (const [place, write_] of placesOf(layout)) {
    const row = (title: string, content: Buffer, answer: Answer): Row => ({
      ...{ title: `${layout.name}: ${title} in ${place}`, version, isFirst, sends: write_(content), answer },
    });
    for (const [title, hex] of notText) {
      for (const [before, after] of around) {
        rows.push(
          row(
            title,
            Buffer.concat([Buffer.from(before), bytes(hex), Buffer.from(after)]),
            refusalOf(version, isFirst, place),
          ),
        );
      }
    }
    for (const [title, hex] of isText) rows.push(row(title, bytes(hex), acceptanceOf(layout, place)));
  }
  return rows;
}

function refusalOf(version: Version, isFirst: boolean, place: string): Answer {
  if (!isFirst) return '81';
  // Mosquitto: nothing is said to 3.x clients, nor about User Names.
  if (version < 5 || place === 'User Name') return 'closed';
  return place === 'Client Identifier' ? 'refused 85' : 'refused 81';
}

function acceptanceOf(layout: Layout, place: string): Answer {
  const isV5 = layout.version === 5;
  if (place === 'CONNECT Authentication Method') return 'refused 8c'; // the broker has no such method
  const answers: Readonly<Record<string, Answer>> = {
    CONNECT: 'accepted',
    'PUBLISH QoS 0': 'open',
    'PUBLISH QoS 1': isV5 ? 'open 40 03 00 07 10' : 'open 40 02 00 07',
    'PUBLISH QoS 2': 'open 50 02 00 07',
    PUBACK: 'open',
    PUBREC: 'open 62 02 00 07',
    PUBREL: 'open 70 02 00 07',
    PUBCOMP: 'open',
    SUBSCRIBE: isV5 ? 'open 90 05 00 07 00 01 00' : 'open 90 04 00 07 01 00',
    UNSUBSCRIBE: isV5 ? 'open b0 05 00 07 00 11 11' : 'open b0 02 00 07',
    DISCONNECT: 'closed',
    AUTH: '82',
  };
  return answers[layout.name] ?? 'unknown';
}

for (const version of [3, 4, 5] as const) {
  test(`v${version} text in packets of a connected client`, async () => {
    await (await Stage.open(resources)).play(
      connectedLayouts(version)
        .filter(({ name }) => name !== 'PUBLISH QoS 2')
        .flatMap(rowsOf),
    );
  });
  test(`v${version} text in CONNECT`, async () => {
    await (await Stage.open(resources)).play(rowsOf(connectLayout(version)));
  });
}
