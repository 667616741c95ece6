import { Client } from './client.ts';
import type { ClientSettings } from './settings.ts';
import { settingsOfUrl } from './url.ts';

/**
 * Connects to a broker.
 *
 * @param where - its URL (`mqtt://name:password@host:1883`, `mqtts://`, `ws://`, `wss://`, `unix:/path`), or all settings
 * @param settings - besides a URL; what is given here counts more than the URL
 * @throws ClientError - the first connection failed or was refused
 */
export async function connect(
  where: string | ClientSettings,
  settings: Omit<ClientSettings, 'target'> & Partial<Pick<ClientSettings, 'target'>> = {},
): Promise<Client> {
  const client = new Client(typeof where === 'string' ? { ...settingsOfUrl(where), ...settings } : where);
  await client.start();
  return client;
}
