/**
 * Control Packets as a list of fields, so that a table can spoil one field and leave the rest as it is: its length, its bytes,
 * its properties. Remaining Length and Property Length follow unless they are what is spoilt.
 */
import { type Bytes, bytes, u8, u16, type Version, varint } from '../conformance/wire/bytes.ts';
import { property } from '../conformance/wire/properties.ts';

/** What a field is: text and data have two bytes of length in front. */
export type Field =
  | { readonly kind: 'fixed'; readonly name: string; readonly content: Bytes }
  | { readonly kind: 'text' | 'data'; readonly name: string; readonly content: string }
  | { readonly kind: 'properties'; readonly name: string; readonly owner: Owner; readonly content: readonly Buffer[] };

/** Whose properties they are. */
export type Owner =
  | 'CONNECT'
  | 'Will'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'UNSUBSCRIBE'
  | 'DISCONNECT'
  | 'AUTH';

export interface Layout {
  readonly name: string;
  readonly version: Version;
  readonly firstByte: number;
  readonly fields: readonly Field[];
}

/** What to spoil: the field of that name gets another length, or other bytes. */
export interface Spoilt {
  readonly field?: string;
  /** What the length field says; the bytes behind it stay. */
  readonly length?: number;
  readonly content?: Buffer;
  readonly properties?: readonly Buffer[];
  readonly firstByte?: number;
}

const fixed = (name: string, content: Bytes): Field => ({ kind: 'fixed', name, content });
const text = (name: string, content: string): Field => ({ kind: 'text', name, content });
const data = (name: string, content: string): Field => ({ kind: 'data', name, content });
const set = (owner: Owner, version: Version): Field[] =>
  version === 5
    ? [{ kind: 'properties', name: `${owner} Property Length`, owner, content: [property.userProperty(['k', 'v'])] }]
    : [];

/** One field as bytes. */
function fieldBytes(field: Field, spoilt: Spoilt): Buffer {
  const isSpoilt = spoilt.field === field.name;
  if (field.kind === 'fixed') return isSpoilt && spoilt.content ? spoilt.content : bytes(field.content);
  if (field.kind === 'properties') {
    const content =
      isSpoilt && spoilt.content
        ? spoilt.content
        : Buffer.concat(isSpoilt && spoilt.properties ? spoilt.properties : field.content);
    return Buffer.concat([varint(isSpoilt && spoilt.length !== undefined ? spoilt.length : content.length), content]);
  }
  const content = isSpoilt && spoilt.content ? spoilt.content : Buffer.from(field.content);
  return Buffer.concat([u16(isSpoilt && spoilt.length !== undefined ? spoilt.length : content.length), content]);
}

/** The packet, spoilt as told. Remaining Length is right. */
export function write(layout: Layout, spoilt: Spoilt = {}): Buffer {
  const body = Buffer.concat(layout.fields.map((field) => fieldBytes(field, spoilt)));
  return Buffer.concat([u8(spoilt.firstByte ?? layout.firstByte), varint(body.length), body]);
}

/** The length that the field has when nothing is spoilt. */
export function lengthOf(field: Field): number {
  if (field.kind === 'fixed') return 0;
  return field.kind === 'properties' ? Buffer.concat(field.content).length : Buffer.byteLength(field.content);
}

/** CONNECT with everything that it may have. */
export function connectLayout(version: Version): Layout {
  return {
    name: 'CONNECT',
    version,
    firstByte: 0x10,
    fields: [
      text('Protocol Name', version === 3 ? 'MQIsdp' : 'MQTT'),
      fixed('Protocol Version', u8(version)),
      fixed('Connect Flags', 'CE'), // User Name, Password, Will with QoS 1, Clean Start
      fixed('Keep Alive', '00 3C'),
      ...set('CONNECT', version),
      text('Client Identifier', 'case'),
      ...set('Will', version),
      text('Will Topic', 'will'),
      data('Will Payload', 'gone'),
      text('User Name', 'user'),
      data('Password', 'secret'),
    ],
  };
}

/** The packets that a connected client sends, in one form that has every field. */
export function connectedLayouts(version: Version): readonly Layout[] {
  const ack = (name: Owner, firstByte: number): Layout => ({
    ...{ name, version, firstByte },
    fields: [
      fixed('Packet Identifier', '00 07'),
      ...(version === 5 ? [fixed('Reason Code', '00'), ...set(name, version)] : []),
    ],
  });
  return [
    {
      ...{ name: 'PUBLISH QoS 0', version, firstByte: 0x30 },
      fields: [text('Topic Name', 'a/b'), ...set('PUBLISH', version), fixed('Payload', '')],
    },
    {
      ...{ name: 'PUBLISH QoS 1', version, firstByte: 0x32 },
      fields: [
        text('Topic Name', 'a/b'),
        fixed('Packet Identifier', '00 07'),
        ...set('PUBLISH', version),
        fixed('Payload', ''),
      ],
    },
    {
      ...{ name: 'PUBLISH QoS 2', version, firstByte: 0x34 },
      fields: [
        text('Topic Name', 'a/b'),
        fixed('Packet Identifier', '00 07'),
        ...set('PUBLISH', version),
        fixed('Payload', '"payload"'),
      ],
    },
    ack('PUBACK', 0x40),
    ack('PUBREC', 0x50),
    ack('PUBREL', 0x62),
    ack('PUBCOMP', 0x70),
    {
      ...{ name: 'SUBSCRIBE', version, firstByte: 0x82 },
      fields: [
        ...[fixed('Packet Identifier', '00 07'), ...set('SUBSCRIBE', version)],
        ...[
          text('Topic Filter 1', 'a/b'),
          fixed('Options 1', '01'),
          text('Topic Filter 2', 'c/#'),
          fixed('Options 2', '00'),
        ],
      ],
    },
    {
      ...{ name: 'UNSUBSCRIBE', version, firstByte: 0xa2 },
      fields: [
        fixed('Packet Identifier', '00 07'),
        ...set('UNSUBSCRIBE', version),
        text('Topic Filter 1', 'a/b'),
        text('Topic Filter 2', 'c/#'),
      ],
    },
    { ...{ name: 'PINGREQ', version, firstByte: 0xc0 }, fields: [] },
    {
      ...{ name: 'DISCONNECT', version, firstByte: 0xe0 },
      fields: version === 5 ? [fixed('Reason Code', '00'), ...set('DISCONNECT', version)] : [],
    },
    ...(version === 5
      ? [
          {
            ...{ name: 'AUTH', version, firstByte: 0xf0 },
            fields: [fixed('Reason Code', '18'), ...set('AUTH', version)],
          },
        ]
      : []),
  ];
}
