/** Brokers with bridges, and a server made of bytes for bridges to connect to. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Place } from '../behaviour/either-broker.ts';
import type { Version } from '../conformance/wire/bytes.ts';
import type { Peer } from '../conformance/wire/peer.ts';
import type { ReceivedConnect } from '../conformance/wire/received.ts';
import { RawServer } from '../conformance/wire/server.ts';
import { type BrokerName, type BrokerOptions, startBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';

/** Client Identifier of a bridge that was given none. */
export const remoteIdOf = (name: string): string => `${hostname()}.${name}`;
export const stateTopicOf = (name: string): string => `$SYS/broker/connection/${remoteIdOf(name)}/state`;

/** A broker that lets anybody in, with a bridge `one` to a port of this machine. */
export async function startBridged(
  resources: Resources,
  port: number | string,
  lines: readonly string[],
  more: {
    readonly name?: BrokerName;
    readonly before?: readonly string[];
    readonly options?: Partial<BrokerOptions>;
  } = {},
): Promise<Place> {
  const { name = 'moustique', before = [], options = {} } = more;
  const address = typeof port === 'number' ? `address 127.0.0.1:${port}` : `address ${port}`;
  const broker = await startBroker(resources, name, {
    ...options,
    config: [
      ...[...before, 'allow_anonymous true', 'log_type all', 'listener {port} 127.0.0.1'],
      ...['connection one', address, ...lines],
    ],
  });
  return new Place(broker, resources);
}

/** A broker without a bridge of its own. */
export async function startRemote(
  resources: Resources,
  name: BrokerName = 'moustique',
  config: readonly string[] = [],
): Promise<Place> {
  const broker = await startBroker(resources, name, {
    config: [...config, 'allow_anonymous true', 'log_type all', 'listener {port} 127.0.0.1'],
  });
  return new Place(broker, resources);
}

/** The connection of a bridge, after its CONNECT was accepted. */
export async function acceptBridge(
  server: RawServer,
  version: Version = 4,
): Promise<{ readonly peer: Peer; readonly connect: ReceivedConnect }> {
  const peer = await server.accept();
  peer.version = version;
  const connect = await peer.expectPacket('connect');
  peer.send(peer.packets.connack());
  return { peer, connect };
}

/** Takes the SUBSCRIBE packets that come next, and grants them. */
export async function grantSubscriptions(
  peer: Peer,
  count: number,
): Promise<{ id: number; filter: string; options: number }[]> {
  const found: { id: number; filter: string; options: number }[] = [];
  for (let index = 0; index < count; index++) {
    const { packetId, filters } = await peer.expectPacket('subscribe');
    const [{ filter, options } = { filter: '', options: -1 }] = filters;
    found.push({ id: packetId, filter, options });
    peer.send(peer.packets.suback({ packetId, reasonCodes: [options & 3] }));
  }
  return found;
}

/** Waits for words in the log, which may come later than the packets that it is about. */
export async function logged(place: Place, words: string | RegExp): Promise<void> {
  await waitFor(
    () => `${words} in the log:\n${place.log}`,
    () => (typeof words === 'string' ? place.log.includes(words) : words.test(place.log)),
  );
}

/** Waits until the other broker has answered the subscriptions of the bridge `one`: from then on nothing passes by it. */
export async function untilSubscribed(there: Place, count = 1): Promise<void> {
  await waitFor(
    () => `${count} subscriptions of the bridge; the other broker wrote:\n${there.log}`,
    () => there.log.split(`Sending SUBACK to ${remoteIdOf('one')}`).length > count,
  );
}

/** Waits until the bridge `one` of a broker is connected, by what its log says. */
export async function untilConnected(place: Place, times = 1): Promise<void> {
  await waitFor(
    () => `connection ${times} of the bridge; its broker wrote:\n${place.log}`,
    () => place.log.split('Bridge one connected to').length > times,
  );
}

export { join, RawServer };
