/** `connection` sections → bridges. Loaded only where there is one. */
import { readFile } from 'node:fs/promises';
import { builtins } from '../base/builtins.ts';
import { Bridges } from '../bridge/bridges.ts';
import type { BridgeSettings } from '../bridge/settings.ts';
import type { Broker } from '../broker/broker.ts';
import type { BridgeConfig, Config } from '../config/config.ts';
import type { Hub } from '../connection/hub.ts';
import type { TlsTarget } from '../transport/dial.ts';
import { systemAuthorities } from '../transport/system-authorities.ts';

export function openBridges(hub: Hub, broker: Broker): Bridges {
  return new Bridges({ hub, broker });
}

/** What each bridge of the configuration is told. */
export function bridgeSettings({ bridges, global }: Config): readonly BridgeSettings[] {
  return bridges.map((bridge) => settingsOf(bridge, global.maxInflightMessages));
}

const versions = { mqttv31: 3, mqttv311: 4, mqttv50: 5 } as const;

function settingsOf(bridge: BridgeConfig, maxInflightMessages: number): BridgeSettings {
  const { name } = bridge;
  const remoteClientId = bridge.remoteClientid ?? `${builtins.os.hostname()}.${name}`;
  return {
    name,
    addresses: bridge.address,
    topics: bridge.topic,
    roundRobin: bridge.roundRobin,
    bindAddress: bridge.bridgeBindAddress,
    tls: hasTls(bridge) ? () => tlsOf(bridge) : null,
    tcpKeepaliveSeconds: bridge.bridgeTcpKeepalive?.idleSeconds ?? null,
    protocolVersion: versions[bridge.bridgeProtocolVersion as keyof typeof versions],
    tryPrivate: bridge.tryPrivate,
    remoteClientId,
    remoteUsername: bridge.remoteUsername,
    remotePassword: bridge.remotePassword === null ? null : Buffer.from(bridge.remotePassword),
    cleanSession: bridge.cleansession,
    keepAliveSeconds: bridge.keepaliveInterval,
    sessionExpirySeconds: bridge.bridgeSessionExpiryInterval,
    receiveMaximum: bridge.bridgeReceiveMaximum ?? maxInflightMessages,
    topicAliasMaximum: bridge.bridgeMaxTopicAlias,
    packetBytesMax: bridge.bridgeMaxPacketSize,
    outgoingRetain: bridge.bridgeOutgoingRetain,
    attemptUnsubscribe: bridge.bridgeAttemptUnsubscribe,
    localClientId: bridge.localClientid ?? `local.${remoteClientId}`,
    localUsername: bridge.localUsername,
    localCleanSession: bridge.localCleansession ?? bridge.cleansession,
    notificationTopic: bridge.notifications
      ? (bridge.notificationTopic ?? `$SYS/broker/connection/${remoteClientId}/state`)
      : null,
    isNotificationLocalOnly: bridge.notificationsLocalOnly,
    startType: bridge.startType as BridgeSettings['startType'],
    idleSeconds: bridge.idleTimeout,
    threshold: bridge.threshold,
    restart: bridge.restartTimeout,
    changesAtOnce: bridge.bridgeReloadType === 'immediate',
    fingerprint: JSON.stringify({ ...bridge, origin: null, maxInflightMessages }),
  };
}

/** Mosquitto: certificate and key alone do not switch it on. */
function hasTls({ bridgeCafile, bridgeCapath, bridgeTlsUseOsCerts, bridgePsk }: BridgeConfig): boolean {
  return bridgeCafile !== null || bridgeCapath !== null || bridgeTlsUseOsCerts || bridgePsk !== null;
}

/** Reads what the connection needs; a file that cannot be read fails the attempt. */
async function tlsOf(bridge: BridgeConfig): Promise<TlsTarget> {
  const { bridgeAlpn: alpn, bridgeCapath, bridgeIdentity, bridgePsk, bridgeTlsVersion, bridgeInsecure } = bridge;
  if (bridge.bridgeRequireOcsp) {
    throw new Error(
      'bridge_require_ocsp: Node.js hands out the OCSP response of the other broker, but nothing here can verify it',
    );
  }
  const ciphers = [bridge.bridgeCiphersTls13, bridge.bridgeCiphers].filter((list) => list !== null);
  const common = {
    ...(alpn === null ? {} : { alpn }),
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.join(':') }),
    ...(bridgeTlsVersion === null ? {} : { minimumVersion: tlsVersions[bridgeTlsVersion] }),
  };
  if (bridgePsk !== null) {
    return { ...common, psk: { identity: bridgeIdentity ?? '', key: Buffer.from(bridgePsk, 'hex') } };
  }
  const [authority, certificate, key] = await Promise.all([
    read(bridge.bridgeCafile, 'CA certificates', 'bridge_cafile'),
    read(bridge.bridgeCertfile, 'client certificate', 'bridge_certfile'),
    read(bridge.bridgeKeyfile, 'client key file', 'bridge_keyfile'),
  ]);
  const authorities = [
    ...(authority === null ? [] : [authority]),
    ...(bridge.bridgeTlsUseOsCerts ? systemAuthorities() : []),
  ];
  return {
    ...common,
    ...(authorities.length === 0 ? {} : { authorities }),
    ...(bridgeCapath === null ? {} : { authorityDirectory: bridgeCapath }),
    ...(certificate === null ? {} : { certificate }),
    ...(key === null ? {} : { key }),
    verify: bridgeInsecure ? 'chain' : 'full',
  };
}

const tlsVersions: Readonly<Record<string, 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'>> = {
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
};

async function read(file: string | null, what: string, option: string): Promise<Buffer | null> {
  if (file === null) return null;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`Unable to load ${what}, check ${option} "${file}"`, { cause });
  }
}
