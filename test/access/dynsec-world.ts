/** Brokers with dynamic security, Moustique's and Debian's, and who administers them. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';
import { type ClientOptions, connect, type TestClient, type Way, ways } from './clients.ts';

export const [, tcp5] = ways[1] as readonly [string, Way];
export const [, tcp4] = ways[0] as readonly [string, Way];

export const endpoint = '$CONTROL/dynamic-security/v1';

/** Where Debian has the plugin; Moustique goes by the name of the file alone. */
export const pluginPath =
  readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'mosquitto_dynamic_security.so'))
    .find((path) => existsSync(path)) ?? '/usr/lib/mosquitto_dynamic_security.so';

export type Json = Readonly<Record<string, unknown>>;

const allow = (acltype: string, topic: string): Json => ({ acltype, topic, priority: 0, allow: true });

/** A file with one client, `admin` with the password `secret`, that may do everything. */
export const adminFile = JSON.stringify({
  defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
  clients: [
    {
      username: 'admin',
      roles: [{ rolename: 'admin' }],
      // Of "secret", with 101 iterations, as Mosquitto 2.0 writes it.
      password: 'h3OGTDkrPBc1IDrkvFUXjghw4dN9103fBdTZDvDSOC4EJPkNbHi3fY2BTXXd1fmFkTQ4lpBRhpsAUEy+yj0eSQ==',
      salt: 'MTIzNDU2Nzg5MDEy',
      iterations: 101,
    },
  ],
  roles: [
    {
      rolename: 'admin',
      acls: ['$CONTROL/#', '$SYS/#', '#'].flatMap((topic) =>
        ['publishClientSend', 'publishClientReceive', 'subscribePattern', 'unsubscribePattern'].map((type) =>
          allow(type, topic),
        ),
      ),
    },
  ],
});

/** A broker with one listener, and dynamic security by {@link adminFile}. */
export function startDynsec(
  resources: Resources,
  name: BrokerName = 'moustique',
  more: readonly string[] = [],
): Promise<TestBroker> {
  return startBroker(resources, name, {
    config: ['listener {port} 127.0.0.1', `plugin ${pluginPath}`, 'plugin_opt_config_file {dir}/ds.json', ...more],
    files: { 'ds.json': adminFile },
  });
}

/** Somebody who may send requests. */
export class Administrator {
  readonly client: TestClient;
  #asked = 0;

  constructor(client: TestClient) {
    this.client = client;
  }

  /** @returns the payload of the answer */
  async ask(payload: string): Promise<string> {
    await this.client.publish(endpoint, payload);
    this.#asked++;
    const wanted = this.#asked;
    return await waitFor(
      () => `the answer to ${payload}`,
      () => this.#answers()[wanted - 1],
    );
  }

  #answers(): string[] {
    const prefix = `${endpoint}/response `;
    return this.client.received.filter((one) => one.startsWith(prefix)).map((one) => one.slice(prefix.length));
  }

  /** Sends commands in one request. @returns their responses */
  async run(...commands: readonly Json[]): Promise<readonly Json[]> {
    const answer = JSON.parse(await this.ask(JSON.stringify({ commands }))) as { responses: Json[] };
    return answer.responses;
  }
}

export async function administrator(
  resources: Resources,
  broker: TestBroker,
  options: ClientOptions = {},
): Promise<Administrator> {
  const client = await connect(resources, broker, tcp5, { user: 'admin', password: 'secret', ...options });
  await client.subscribe(`${endpoint}/response`);
  return new Administrator(client);
}
