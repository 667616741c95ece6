/** Every length field of every packet: off by one, by 0x7FFF, and 0xFFFF; and every packet cut short and made longer. */
import { test } from 'vitest';
import { u8, type Version, varint } from '../conformance/wire/bytes.ts';
import { useResources } from '../harness/resources.ts';
import { expectedOf } from './expected.ts';
import { connectedLayouts, connectLayout, type Layout, lengthOf, write } from './layout.ts';
import { type Row, Stage } from './play.ts';

const resources = useResources();
const versions = [3, 4, 5] as const;

/** Lengths that a field of this length may claim instead. */
function wrongLengths(length: number): readonly (readonly [string, number])[] {
  const lengths: [string, number][] = [
    ['one more', length + 1],
    ['0x7FFF more', length + 0x7fff],
    ['0xFFFF', 0xffff],
    ['0', 0],
  ];
  if (length > 0) lengths.push(['one less', length - 1]);
  return lengths.filter(([, wrong]) => wrong !== length);
}

function fieldRows(layout: Layout): Row[] {
  return layout.fields.flatMap((field) =>
    field.kind === 'fixed'
      ? []
      : wrongLengths(lengthOf(field)).map(([how, length]) => {
          const sends = write(layout, { field: field.name, length });
          const title = `${layout.name}: ${field.name} is ${how}`;
          return { title, version: layout.version, sends, answer: expectedOf(sends, layout.version) };
        }),
  );
}

/** The packet with 0 to all but one of the bytes behind Remaining Length, which says so, and with one too many. */
function sizeRows(layout: Layout): Row[] {
  const body = write(layout).subarray(2);
  const sizes = Array.from({ length: body.length + 2 }, (_, size) => size);
  return sizes.map((size) => {
    const content = Buffer.concat([body, u8(0)]).subarray(0, size);
    const sends = Buffer.concat([u8(layout.firstByte), varint(size), content]);
    const title = `${layout.name}: ${size} of ${body.length} bytes`;
    return { title, version: layout.version, sends, answer: expectedOf(sends, layout.version) };
  });
}

/** Remaining Length says more than comes. */
function remainingLengthRows(layout: Layout): Row[] {
  const whole = write(layout);
  const body = whole.subarray(2);
  const { name, version, firstByte } = layout;
  const isFirst = name === 'CONNECT';
  const packet = (length: Buffer): Buffer => Buffer.concat([u8(firstByte), length, body]);
  return [
    {
      title: `${name}: Remaining Length one more`,
      version,
      isFirst,
      sends: packet(varint(body.length + 1)),
      answer: 'waits',
    },
    {
      ...{ title: `${name}: Remaining Length 0x7FFF more`, version, isFirst },
      ...{ sends: packet(varint(body.length + 0x7fff)), answer: 'waits' },
    },
    { title: `${name}: Remaining Length 0xFFFF`, version, isFirst, sends: packet(varint(0xffff)), answer: 'waits' },
    {
      ...{ title: `${name}: Remaining Length 268,435,455, above Maximum Packet Size`, version, isFirst },
      ...{ sends: packet(varint(268_435_455)), answer: isFirst ? 'closed' : '95' },
    },
    {
      ...{ title: `${name}: Remaining Length of five bytes`, version, isFirst },
      ...{ sends: packet(Buffer.from('8080808001', 'hex')), answer: 'closed' }, // Mosquitto: without a word
    },
  ];
}

/** Answers to a CONNECT of MQTT 5.0 with a wrong length; 3.x clients are told nothing. */
function connectRows(version: Version): Row[] {
  const layout = connectLayout(version);
  return layout.fields.flatMap((field) =>
    field.kind === 'fixed'
      ? []
      : wrongLengths(lengthOf(field)).map(([how, length]) => ({
          ...{ title: `CONNECT: ${field.name} is ${how}`, version, isFirst: true },
          sends: write(layout, { field: field.name, length }),
          answer: connectAnswer(version, field.name, how),
        })),
  );
}

function connectAnswer(version: Version, field: string, how: string): string {
  // An ill-fitting name makes the level unknown, and with it the form of the answer.
  if (version < 5 || field === 'Protocol Name') return 'closed';
  // Mosquitto: a User Name or Password that is not there is not told about, wherever the fault began.
  if (field === 'User Name') return 'closed';
  if (field === 'Password') return how === '0' || how === 'one less' ? 'refused 81' : 'closed'; // bytes are left over
  if (field === 'Will Payload' && !how.startsWith('0x')) return 'closed';
  if (field === 'Client Identifier' && how === 'one more') return 'refused 85'; // takes in a control character
  if (field === 'Will Topic' && how === '0') return 'refused 90'; // a Topic Name has at least one character
  return 'refused 81';
}

for (const version of versions) {
  const layouts = connectedLayouts(version);
  test(`v${version} length fields of packets of a connected client`, async () => {
    await (await Stage.open(resources)).play(layouts.flatMap(fieldRows));
  });
  test(`v${version} packets that are too short and too long`, async () => {
    await (await Stage.open(resources)).play(layouts.flatMap(sizeRows));
  });
  test(`v${version} Remaining Length`, async () => {
    await (await Stage.open(resources)).play([...layouts, connectLayout(version)].flatMap(remainingLengthRows));
  });
  test(`v${version} length fields of CONNECT`, async () => {
    await (await Stage.open(resources)).play(connectRows(version));
  });
}
