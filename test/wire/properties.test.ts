/** Every property in every packet: where it belongs, where it does not, twice, cut short and out of range. MQTT 5.0 only. */
import { test } from 'vitest';
import { bytes, u32, varint } from '../conformance/wire/bytes.ts';
import { type PropertyName, property } from '../conformance/wire/properties.ts';
import { useResources } from '../harness/resources.ts';
import { connectedLayouts, connectLayout, type Layout, type Owner, write } from './layout.ts';
import { type Answer, type Row, Stage } from './play.ts';

const resources = useResources();
const version = 5;

/** §2.2.2.2: each property with a legal value, and where a client may send it. */
const table: readonly (readonly [PropertyName, Buffer, ...Owner[]])[] = [
  ['payloadFormatIndicator', property.payloadFormatIndicator(1), 'PUBLISH', 'Will'],
  ['messageExpiryInterval', property.messageExpiryInterval(60), 'PUBLISH', 'Will'],
  ['contentType', property.contentType('text'), 'PUBLISH', 'Will'],
  ['responseTopic', property.responseTopic('r'), 'PUBLISH', 'Will'],
  ['correlationData', property.correlationData('c'), 'PUBLISH', 'Will'],
  ['subscriptionIdentifier', property.subscriptionIdentifier(1), 'SUBSCRIBE'],
  ['sessionExpiryInterval', property.sessionExpiryInterval(30), 'CONNECT', 'DISCONNECT'],
  ['assignedClientIdentifier', property.assignedClientIdentifier('a')],
  ['serverKeepAlive', property.serverKeepAlive(60)],
  ['authenticationMethod', property.authenticationMethod('X'), 'CONNECT', 'AUTH'],
  ['authenticationData', property.authenticationData('d'), 'CONNECT', 'AUTH'],
  ['requestProblemInformation', property.requestProblemInformation(1), 'CONNECT'],
  ['willDelayInterval', property.willDelayInterval(1), 'Will'],
  ['requestResponseInformation', property.requestResponseInformation(1), 'CONNECT'],
  ['responseInformation', property.responseInformation('i')],
  ['serverReference', property.serverReference('s')],
  ['reasonString', property.reasonString('why'), 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'DISCONNECT', 'AUTH'],
  ['receiveMaximum', property.receiveMaximum(5), 'CONNECT'],
  ['topicAliasMaximum', property.topicAliasMaximum(5), 'CONNECT'],
  ['topicAlias', property.topicAlias(1), 'PUBLISH'],
  ['maximumQos', property.maximumQos(1)],
  ['retainAvailable', property.retainAvailable(1)],
  ['maximumPacketSize', property.maximumPacketSize(1000), 'CONNECT'],
  ['wildcardSubscriptionAvailable', property.wildcardSubscriptionAvailable(1)],
  ['subscriptionIdentifierAvailable', property.subscriptionIdentifierAvailable(1)],
  ['sharedSubscriptionAvailable', property.sharedSubscriptionAvailable(1)],
];

/** Values that are never legal, with the answer in a packet of a connected client. */
const outOfRange: readonly (readonly [string, Buffer, Answer, ...Owner[]])[] = [
  ['Payload Format Indicator 2', property.payloadFormatIndicator(2), '82', 'PUBLISH', 'Will'],
  ['Payload Format Indicator 255', property.payloadFormatIndicator(255), '82', 'PUBLISH', 'Will'],
  ['Response Topic with +', property.responseTopic('a/+'), '82', 'PUBLISH', 'Will'],
  ['Response Topic with #', property.responseTopic('#'), '82', 'PUBLISH', 'Will'],
  ['Response Topic without a character', property.responseTopic(''), '82', 'PUBLISH', 'Will'],
  ['Subscription Identifier 0', property.subscriptionIdentifier(0), '82', 'SUBSCRIBE'],
  ['Subscription Identifier of five bytes', bytes('0B 80 80 80 80 01'), '81', 'SUBSCRIBE'],
  ['Subscription Identifier in a longer form than needed', bytes('0B 81 00'), '81', 'SUBSCRIBE'],
  ['Request Problem Information 2', property.requestProblemInformation(2), '82', 'CONNECT'],
  ['Request Response Information 2', property.requestResponseInformation(2), '82', 'CONNECT'],
  ['Receive Maximum 0', property.receiveMaximum(0), '82', 'CONNECT'],
  ['Maximum Packet Size 0', property.maximumPacketSize(0), '82', 'CONNECT'],
  ['Authentication Data without Method', property.authenticationData('d'), '82', 'CONNECT', 'AUTH'],
  ['Topic Alias 0', property.topicAlias(0), '94', 'PUBLISH'],
  ['Topic Alias 11, above Topic Alias Maximum', property.topicAlias(11), '94', 'PUBLISH'],
];

/** Legal values at the ends of their range. */
const inRange: readonly (readonly [string, Buffer, ...Owner[]])[] = [
  ['Subscription Identifier 268,435,455', property.subscriptionIdentifier(268_435_455), 'SUBSCRIBE'],
  ['Receive Maximum 65,535', property.receiveMaximum(65_535), 'CONNECT'],
  ['Maximum Packet Size 4,294,967,295', property.maximumPacketSize(0xffff_ffff), 'CONNECT'],
  ['Session Expiry Interval 4,294,967,295', property.sessionExpiryInterval(0xffff_ffff), 'CONNECT', 'DISCONNECT'],
  ['Topic Alias 10', property.topicAlias(10), 'PUBLISH'],
  ['Topic Alias Maximum 65,535', property.topicAliasMaximum(65_535), 'CONNECT'],
  ['Message Expiry Interval 4,294,967,295', property.messageExpiryInterval(0xffff_ffff), 'PUBLISH', 'Will'],
  ['Content Type without a character', property.contentType(''), 'PUBLISH', 'Will'],
  [
    'User Property without characters',
    property.userProperty(['', '']),
    'PUBLISH',
    'Will',
    'CONNECT',
    'SUBSCRIBE',
    'PUBACK',
  ],
];

/** Each place of properties: the packet and its name there. */
const places: readonly (readonly [Owner, Layout])[] = [
  ['CONNECT', connectLayout(version)],
  ['Will', connectLayout(version)],
  ...connectedLayouts(version).flatMap((layout) =>
    layout.fields.flatMap((field) =>
      field.kind === 'properties' && layout.name !== 'PUBLISH QoS 0' ? [[field.owner, layout] as const] : [],
    ),
  ),
];

function row(
  title: string,
  [owner, layout]: (typeof places)[number],
  properties: readonly Buffer[],
  error: Answer | null,
): Row {
  const sends = write(layout, { field: `${owner} Property Length`, properties });
  const isFirst = layout.name === 'CONNECT';
  const where = owner === layout.name ? owner : `${owner} (${layout.name})`;
  return { title: `${title} in ${where}`, version, isFirst, sends, answer: answerOf(layout, isFirst, error) };
}

function answerOf(layout: Layout, isFirst: boolean, error: Answer | null): Answer {
  if (error !== null) return isFirst ? `refused ${error}` : error;
  if (isFirst) return 'accepted';
  const goodAnswers: Readonly<Record<string, Answer>> = {
    'PUBLISH QoS 1': 'open 40 03 00 07 10',
    'PUBLISH QoS 2': 'open 50 02 00 07',
    PUBACK: 'open',
    PUBREC: 'open 62 02 00 07',
    PUBREL: 'open 70 02 00 07',
    PUBCOMP: 'open',
    SUBSCRIBE: 'open 90 05 00 07 00 01 00',
    UNSUBSCRIBE: 'open b0 05 00 07 00 11 11',
    DISCONNECT: 'closed',
    AUTH: '82', // there was no Authentication Method in CONNECT
  };
  return goodAnswers[layout.name] ?? 'unknown';
}

function rowsOf(place: (typeof places)[number]): Row[] {
  const [owner] = place;
  const rows: Row[] = [];
  for (const [name, one, ...owners] of table) {
    const answer = answerToOne(owner, name, owners.includes(owner));
    rows.push(row(name, place, [one], answer));
    rows.push(row(`${name} twice`, place, [one, one], owners.includes(owner) ? '82' : answer));
    for (let size = 1; size < one.length; size++) {
      // What does not belong is refused before its value is read.
      const isFromServerOnly = answer === '82' && !owners.includes(owner);
      const title = `${size} of ${one.length} bytes of ${name}`;
      rows.push(row(title, place, [one.subarray(0, size)], isFromServerOnly ? '82' : '81'));
    }
  }
  for (const [title, one, error, ...owners] of outOfRange) {
    if (owners.includes(owner)) rows.push(row(title, place, [one], error));
  }
  for (const [title, one, ...owners] of inRange) {
    if (owners.includes(owner)) rows.push(row(title, place, [one], null));
  }
  const user = property.userProperty(['k', 'v']);
  rows.push(
    row('User Property', place, [user], null),
    row('User Property five times', place, [user, user, user, user, user], null),
  );
  rows.push(row('no property', place, [], null));
  for (let id = 0; id < 256; id++) {
    if (knownIds.includes(id)) continue;
    rows.push(row(`unknown property ${id}`, place, [varint(id), u32(0)], '81'));
  }
  rows.push(row('a property whose identifier has two bytes', place, [bytes('A6 00 00 01 "k" 00 01 "v"')], '81'));
  rows.push(row('an identifier without an end', place, [bytes('A6')], '81'));
  return rows;
}

/** The answer to one property alone, null when there is nothing wrong. */
function answerToOne(owner: Owner, name: PropertyName, belongs: boolean): Answer | null {
  if (belongs) {
    if (owner === 'CONNECT' && name === 'authenticationMethod') return '8c'; // the broker has no such method
    if (name === 'authenticationData') return '82'; // without a method
    return null;
  }
  // They belong into the packet, but only from a server.
  if (owner === 'PUBLISH' && name === 'subscriptionIdentifier') return '82'; // [MQTT-3.3.4-6]
  if (owner === 'DISCONNECT' && name === 'serverReference') return '82';
  return '81';
}

const knownIds = [
  ...[0x01, 0x02, 0x03, 0x08, 0x09, 0x0b, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1c, 0x1f, 0x21, 0x22],
  ...[0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a],
];

for (const place of places) {
  const [owner, layout] = place;
  test(`v5 properties of ${owner}${owner === layout.name ? '' : ` (${layout.name})`}`, async () => {
    await (await Stage.open(resources)).play(rowsOf(place));
  });
}
