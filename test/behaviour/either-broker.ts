/** Tests of what Mosquitto does beyond the standard, run against our broker and against Debian's mosquitto. */
import { describe } from 'vitest';
import type { Version } from '../conformance/wire/bytes.ts';
import { RawClient, type TransportName } from '../conformance/wire/client.ts';
import { type ConnectFields, packetsOf } from '../conformance/wire/packets.ts';
import type { ReceivedConnack } from '../conformance/wire/received.ts';
import { type BrokerName, type BrokerOptions, startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import type { Resources } from '../harness/resources.ts';

/** A `describe` for each broker. Where mosquitto 2.0 and 2.1 differ, ours does what 2.1 does. */
export function describeEither(title: string, body: (name: BrokerName) => void): void {
  describe(`${title}: moustique`, () => body('moustique'));
  describeWith(['mosquitto'], `${title}: mosquitto`, () => body('mosquitto'));
}

export type Connected = RawClient & { readonly connack: ReceivedConnack };

/** A broker process and clients made of bytes. */
export class Place {
  readonly broker: TestBroker;
  readonly #resources: Resources;

  constructor(broker: TestBroker, resources: Resources) {
    this.broker = broker;
    this.#resources = resources;
  }

  /** A Network Connection without any packet. */
  async open(version: Version = 4, port = 'port', transport: TransportName = 'tcp'): Promise<RawClient> {
    return this.#resources.add(await RawClient.open(this.broker.port(port), { version, transport }));
  }

  /** A client that is let in. Keep Alive is off unless told, so that a slow machine changes nothing. */
  async connect(
    fields: ConnectFields & { readonly version?: Version; readonly port?: string } = {},
  ): Promise<Connected> {
    const { version = 4, port = 'port' } = fields;
    const client = await this.open(version, port);
    client.send(packetsOf(version).connect({ keepAlive: 0, ...fields }));
    const connack = await client.expectPacket('connack');
    if (connack.reasonCode !== 0) throw new Error(`CONNECT was refused with ${connack.reasonCode}`);
    return Object.assign(client, { connack });
  }

  /** What has been logged so far. */
  get log(): string {
    return this.broker.process.stdout + this.broker.process.stderr;
  }
}

/**
 * Starts a broker that lets anybody in on `{port}`.
 *
 * @param config - further lines, before the listener
 */
export async function startPlace(
  resources: Resources,
  name: BrokerName,
  config: readonly string[] = [],
  files: NonNullable<BrokerOptions['files']> = {},
): Promise<Place> {
  const broker = await startBroker(resources, name, {
    config: [...config, 'allow_anonymous true', 'listener {port} 127.0.0.1'],
    files,
  });
  return new Place(broker, resources);
}
