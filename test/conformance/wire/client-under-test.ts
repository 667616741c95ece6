/** Our own client core, against a server that the test plays byte by byte. */
import { VirtualClock } from '../../../src/base/clock.ts';
import { Client } from '../../../src/client/client.ts';
import type { ClientSettings } from '../../../src/client/settings.ts';
import type { Resources } from '../../harness/resources.ts';
import type { Version } from './bytes.ts';
import type { Peer } from './peer.ts';
import type { ReceivedConnect } from './received.ts';
import { RawServer } from './server.ts';

export type Settings = Omit<ClientSettings, 'target' | 'clock' | 'protocolVersion'> & { readonly version?: Version };

/** A client that waits for its CONNACK. */
export interface Dialled {
  readonly client: Client;
  readonly server: RawServer;
  /** The server's end; it has read the CONNECT. */
  readonly peer: Peer;
  readonly connect: ReceivedConnect;
  /** Time of the client, which moves only when told. */
  readonly clock: VirtualClock;
  /** Settles as the client's first connection does. */
  readonly started: Promise<void>;
}

/** Starts a client and reads its CONNECT; the client is destroyed at the end of the test. */
export async function dialClient(resources: Resources, { version = 5, ...settings }: Settings = {}): Promise<Dialled> {
  const server = await RawServer.listen(resources, version);
  const clock = new VirtualClock();
  const client = new Client({
    clientId: 'client',
    ...settings,
    target: { address: { host: '127.0.0.1', port: server.port } },
    protocolVersion: version,
    clock,
  });
  resources.add({ close: () => client.destroy() });
  const started = client.start();
  started.catch(() => {}); // the test looks at it when it wants to
  const peer = await server.accept();
  return { client, server, peer, connect: await peer.expectPacket('connect'), clock, started };
}

/** The same, and lets it in. */
export async function connectClient(
  resources: Resources,
  settings: Settings = {},
  connack: Parameters<Peer['packets']['connack']>[0] = {},
): Promise<Dialled> {
  const dialled = await dialClient(resources, settings);
  dialled.peer.send(dialled.peer.packets.connack(connack));
  await dialled.started;
  return dialled;
}
