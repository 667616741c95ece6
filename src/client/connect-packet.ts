/** CONNECT, and the checks of what goes into it. */
import type { ConnectPacket, ProtocolVersion } from '../codec/packet.ts';
import { NO_BYTES } from '../codec/packet.ts';
import { ClientError } from './client-error.ts';
import type { ClientSettings } from './settings.ts';
import { isText, propertyFault, publicationTextFault } from './text.ts';

/**
 * Refuses settings that make no legal CONNECT.
 *
 * @throws ClientError - `invalid`
 */
export function checkSettings(settings: ClientSettings, version: ProtocolVersion): void {
  const { will, password, username, clientId = '', keepAliveSeconds = 60, connectProperties } = settings;
  if (version === 3 && clientId === '') throw invalid('MQTT 3.1 needs a Client Identifier');
  if (version === 4 && clientId === '' && settings.cleanStart === false) {
    throw invalid('without a Client Identifier there is only a clean session'); // [v3.1.1 MQTT-3.1.3-7]
  }
  // [MQTT-3.1.3-4] [MQTT-3.1.3-12]
  if (!isText(clientId)) throw invalid('the Client Identifier cannot be encoded');
  if (username !== undefined && !isText(username)) throw invalid('the User Name cannot be encoded');
  if (version < 5 && password !== undefined && username === undefined) {
    throw invalid('a password needs a user name before MQTT 5.0'); // [v3.1.1 MQTT-3.1.2-22]
  }
  if (password !== undefined && password.length > 65_535) throw invalid('the Password is too long');
  if (!Number.isInteger(keepAliveSeconds) || keepAliveSeconds < 0 || keepAliveSeconds > 65_535) {
    throw invalid('Keep Alive must be 0 to 65,535 seconds');
  }
  const wrong = connectProperties === undefined ? undefined : propertyFault(connectProperties);
  if (wrong !== undefined) throw invalid(wrong);
  if (will === undefined) return;
  const willFault = publicationTextFault(will); // [MQTT-3.1.3-11]
  if (willFault !== undefined) throw willFault;
  if (will.payload.length > 65_535) throw invalid('the payload of the Will is too long');
}

/** Whether the session outlives a connection. [MQTT-3.1.2-23] */
export function keepsSession(settings: ClientSettings, version: ProtocolVersion): boolean {
  if (version !== 5) return settings.cleanStart === false;
  return (settings.connectProperties?.sessionExpiryInterval ?? 0) > 0;
}

/** @param isFirst - the first connection; later ones resume the session that it began, as far as it lives */
export async function connectPacket(
  settings: ClientSettings,
  version: ProtocolVersion,
  clientId: string,
  isFirst: boolean,
): Promise<ConnectPacket> {
  const { will } = settings;
  const authentication = version === 5 ? settings.authentication : undefined;
  const data = await authentication?.start?.();
  return {
    type: 'connect',
    protocolVersion: version,
    isBridge: settings.isBridge ?? false,
    cleanStart: (settings.cleanStart ?? true) && (isFirst || !keepsSession(settings, version)),
    keepAliveSeconds: settings.keepAliveSeconds ?? 60,
    clientId,
    ...(will !== undefined && { will: { ...will, rawProperties: NO_BYTES } }),
    ...(settings.username !== undefined && { username: settings.username }),
    ...(settings.password !== undefined && { password: settings.password }),
    properties: {
      ...settings.connectProperties,
      ...(authentication !== undefined && { authenticationMethod: authentication.method }),
      ...(data !== undefined && { authenticationData: data }),
    },
  };
}

function invalid(message: string): ClientError {
  return new ClientError('invalid', message);
}
