/** From options to the settings of the client: what Mosquitto's tools do between reading options and connecting. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { ClientSettings, DialTarget, Properties, Publication, TlsTarget } from '../client/index.ts';
import { isValidText } from '../client/index.ts';
import type { ToolIo } from './tool-io.ts';
import type { TlsOptions, ToolOptions } from './tool-options.ts';

/** Something is wrong that only shows when the settings are made; the text is a whole line. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError';
}

/** Where SubProtocol and path are not a matter of taste: Mosquitto's. */
const WEBSOCKET = { path: '/mqtt', subprotocol: 'mqtt' } as const;

/**
 * The settings that all tools share; callbacks are added by the tool.
 *
 * @throws SetUpError - in Mosquitto's words
 */
export function clientSettings(options: ToolOptions, io: ToolIo): ClientSettings {
  const { username, password, protocolVersion } = options;
  const clientId = clientIdOf(options, io);
  if ((password !== undefined && username === undefined && protocolVersion < 5) || !isText(username)) {
    throw new SetUpError('Error: Problem setting username and/or password.');
  }
  return {
    target: dialTarget(options),
    protocolVersion,
    clientId,
    cleanStart: options.cleanStart,
    keepAliveSeconds: options.keepAliveSeconds,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...willOf(options),
    connectProperties: propertiesOf(options, 'connect'),
    inflightMaximum: options.inflightMaximum,
    // Nobody but the broker's keep alive would end a silent attempt.
    connectTimeoutMs: options.keepAliveSeconds * 1000,
    resubscribe: false,
    clock: io.clock,
  };
}

/** Properties of `-D` for one kind of packet; none before MQTT 5.0. */
export function propertiesOf(options: ToolOptions, command: keyof ToolOptions['properties']): Properties {
  return options.protocolVersion === 5 ? options.properties[command].collection.values : {};
}

function isText(text: string | undefined): boolean {
  return text === undefined || isValidText(Buffer.from(text));
}

const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function clientIdOf(options: ToolOptions, io: ToolIo): string {
  const { clientId, clientIdPrefix } = options;
  if (clientIdPrefix !== undefined) return `${clientIdPrefix}${process.pid}`;
  if (clientId !== undefined) {
    if (clientId === '' || !isText(clientId)) throw new SetUpError('Error: Invalid id.');
    return clientId;
  }
  if (!options.cleanStart) throw new SetUpError('Error: Invalid id.');
  if (options.protocolVersion > 3) return '';
  // MQTT 3.1 has no empty identifiers; Mosquitto makes one of 23 characters.
  return `mosq-${[...io.clock.randomBytes(18)].map((byte) => ALPHANUMERICS[byte % ALPHANUMERICS.length]).join('')}`;
}

function willOf(options: ToolOptions): { will?: Publication } {
  if (options.willTopic === undefined) return {};
  return {
    will: {
      topic: options.willTopic,
      payload: options.willPayload ?? Buffer.alloc(0),
      qos: options.willQos,
      retain: options.willRetain,
      properties: propertiesOf(options, 'will'),
    },
  };
}

function dialTarget(options: ToolOptions): DialTarget {
  const tls = tlsTarget(options.tls);
  return {
    address: addressOf(options),
    ...(options.bindAddress !== undefined && { localAddress: options.bindAddress }),
    ...(options.proxy !== undefined && { proxy: options.proxy }),
    ...(tls !== undefined && { tls }),
    ...(options.carrier === 'websocket' && { websocket: WEBSOCKET }),
  };
}

function addressOf(options: ToolOptions): DialTarget['address'] {
  if (options.socketPath !== undefined) return { path: options.socketPath };
  const host = options.host ?? 'localhost';
  if (options.useSrv) return { domain: host };
  const { caFile, caPath, psk, isForbidden } = options.tls;
  const isTlsPort = !isForbidden && (caFile !== undefined || caPath !== undefined || psk !== undefined);
  const port = options.port ?? (isTlsPort ? 8883 : 1883);
  // Mosquitto: port 0 makes a path of the host name.
  return port === 0 ? { path: host } : { host, port };
}

function tlsTarget(tls: TlsOptions): TlsTarget | undefined {
  checkTlsOptions(tls);
  const isWanted =
    tls.caFile !== undefined || tls.caPath !== undefined || tls.psk !== undefined || tls.useOsCertificates;
  if (!isWanted || tls.isForbidden) return undefined;
  const { keyLogFile } = tls;
  return {
    ...authorities(tls),
    ...(tls.certFile !== undefined && { certificate: readTlsFile(tls.certFile) }),
    ...(tls.keyFile !== undefined && { key: readTlsFile(tls.keyFile) }),
    ...(tls.ciphers !== undefined && { ciphers: tls.ciphers }),
    ...(tls.alpn !== undefined && { alpn: tls.alpn }),
    ...(tls.version !== undefined && VERSIONS[tls.version]),
    ...(tls.psk !== undefined && {
      psk: { identity: tls.pskIdentity ?? '', key: Buffer.from(tls.psk, 'hex') },
    }),
    ...(keyLogFile !== undefined && { onKeyLog: (line: Buffer) => appendFileSync(keyLogFile, line) }),
    verify: tls.isInsecure ? 'none' : 'full',
  };
}

/** Mosquitto: the version named and later ones are fine. */
const VERSIONS: Readonly<Record<string, Pick<TlsTarget, 'minimumVersion' | 'maximumVersion'>>> = {
  'tlsv1.1': { minimumVersion: 'TLSv1.1' },
  'tlsv1.2': { minimumVersion: 'TLSv1.2' },
  'tlsv1.3': { minimumVersion: 'TLSv1.3' },
};

function checkTlsOptions(tls: TlsOptions): void {
  if (tls.engine !== undefined) {
    throw new SetUpError(`Error: Problem setting TLS engine, is ${tls.engine} a valid engine?`);
  }
  if (tls.keyForm === 'engine') {
    throw new SetUpError("Error: Problem setting key form, 'engine' needs a TLS engine and there are none here.");
  }
  if (tls.keyForm !== undefined && tls.keyForm !== 'pem') {
    throw new SetUpError("Error: Problem setting key form, it must be one of 'pem' or 'engine'.");
  }
  if (tls.version !== undefined && VERSIONS[tls.version] === undefined) {
    throw new SetUpError('Error: Problem setting TLS options, check the options are valid.');
  }
  if (tls.psk !== undefined && !/^(?:[0-9a-fA-F]{2})+$/.test(tls.psk)) {
    throw new SetUpError('Error: Problem setting TLS-PSK options.');
  }
}

function authorities(tls: TlsOptions): Pick<TlsTarget, 'authorities' | 'authorityDirectory'> {
  return {
    ...(tls.caFile !== undefined && { authorities: [readTlsFile(tls.caFile)] }),
    ...(tls.caPath !== undefined && { authorityDirectory: tls.caPath }),
  };
}

function readTlsFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    throw new SetUpError(`Error: Problem setting TLS options: File not found: ${path}.`);
  }
}
