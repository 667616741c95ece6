import { Client } from './client.ts';
import type { ClientSettings } from './settings.ts';

/**
 * Connects to a broker.
 *
 * @throws ClientError - the first connection failed or was refused
 */
export async function connect(settings: ClientSettings): Promise<Client> {
  const client = new Client(settings);
  await client.start();
  return client;
}
