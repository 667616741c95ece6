/**
 * The brokers that can be measured, and how each is started: in memory, without log, open to all, and with the limits
 * raised that would otherwise drop messages.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAccessFiles } from './access-files.ts';
import type { Job, TransportKind } from './job.ts';

export interface StartRequest {
  readonly port: number;
  readonly transport: TransportKind;
  /** The run measures latency: Nagle's algorithm is switched off where the broker lets one choose. */
  readonly wantsNoDelay: boolean;
  /** Clients must log in, and have the rights that an ACL file gives them. */
  readonly hasRules: boolean;
  /** `persistence true`; false when left out. */
  readonly isDurable?: boolean;
  /** An empty directory for this start. */
  readonly directory: string;
  /** Certificate and key for TLS, PEM. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string };
}

export interface BrokerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface BrokerKind {
  readonly name: string;
  /** Version text for the report. */
  version(): string;
  /** Why it cannot run here; undefined when it can. */
  missing(): string | undefined;
  prepare(request: StartRequest): BrokerCommand;
  /** Whether it takes part in a scenario; undefined means in all. */
  takesPart?(job: Job): boolean;
}

/** A mosquitto.conf; Moustique reads the same one. */
export function mosquittoConf(request: StartRequest): string {
  const lines = [
    // mosquitto 2.0.11 does not start with WebSocket listeners alone.
    ...(request.transport === 'websocket' ? [`listener 0 ${request.directory}/mqtt.sock`] : []),
    `listener ${request.port} 127.0.0.1`,
    ...(request.transport === 'websocket' ? ['protocol websockets'] : []),
    ...(request.transport === 'tls'
      ? [`certfile ${request.certificate.certFile}`, `keyfile ${request.certificate.keyFile}`]
      : []),
    ...(request.hasRules
      ? ['allow_anonymous false', ...writeAccessFiles(request.directory)]
      : ['allow_anonymous true']),
    ...(request.isDurable === true
      ? ['persistence true', `persistence_location ${request.directory}/`]
      : ['persistence false']),
    'log_dest stderr',
    'log_type error',
    'connection_messages false',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    ...(request.wantsNoDelay ? ['set_tcp_nodelay true'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function writeConf(request: StartRequest, text: string): string {
  const path = join(request.directory, 'broker.conf');
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

/** First line that a command prints, or '' when it cannot be run; mosquitto -h ends with status 3. */
function firstLine(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n')[0] ?? '';
  } catch (error) {
    const stdout = (error as { stdout?: unknown }).stdout;
    return typeof stdout === 'string' ? (stdout.split('\n')[0] ?? '') : '';
  }
}

/** Whether the clients of a job log in and rules decide what they may do. */
export function hasRules(job: Job): boolean {
  return job.kind === 'flow' && job.hasUsers;
}

/** Whether what is under way outlives the broker, where it keeps anything. */
function isKept(job: Job): boolean {
  return job.kind === 'flow' && job.isKept;
}

/** Moustique or mosquitto with `persistence true`; takes part where there is something to keep. */
export function durable(kind: BrokerKind): BrokerKind {
  return {
    ...kind,
    name: `${kind.name}-durable`,
    prepare: (request) => kind.prepare({ ...request, isDurable: true }),
    takesPart: isKept,
  };
}

/** Moustique from this tree; open, it lets everybody do everything where others have rules: what the rules cost. */
export function moustique(root: string, variant: { readonly isOpen: boolean } = { isOpen: false }): BrokerKind {
  const bundle = join(root, 'dist/bin/moustique.cjs');
  const launcher = join(root, 'bin/moustique.js');
  return {
    name: variant.isOpen ? 'moustique-open' : 'moustique',
    version: () => firstLine(process.execPath, launcher, '-h'),
    missing: () => (existsSync(bundle) && existsSync(launcher) ? undefined : 'not built: run npm run build first'),
    prepare: (request) => ({
      command: process.execPath,
      args: [
        launcher,
        '-c',
        writeConf(request, mosquittoConf(variant.isOpen ? { ...request, hasRules: false } : request)),
      ],
    }),
    ...(variant.isOpen ? { takesPart: hasRules } : {}),
  };
}

/** The system's mosquitto, with Nagle's algorithm as it ships, or without. */
export function mosquitto(variant: { readonly hasNoDelay: boolean }): BrokerKind {
  return {
    name: variant.hasNoDelay ? 'mosquitto-nodelay' : 'mosquitto',
    version: () => firstLine('mosquitto', '-h'),
    missing: () => (firstLine('mosquitto', '-h') === '' ? 'not installed: apt-get install mosquitto' : undefined),
    prepare: (request) => ({
      command: 'mosquitto',
      args: ['-c', writeConf(request, mosquittoConf({ ...request, wantsNoDelay: variant.hasNoDelay }))],
    }),
    ...(variant.hasNoDelay ? { takesPart: ({ kind }) => kind === 'latency' } : {}),
  };
}

export function aedes(root: string): BrokerKind {
  const manifest = join(root, 'node_modules/aedes/package.json');
  return {
    name: 'aedes',
    version: () => `aedes ${firstLine(process.execPath, '-p', `require(${JSON.stringify(manifest)}).version`)}`,
    missing: () => (existsSync(manifest) ? undefined : 'not installed: npm ci'),
    // It has neither password nor ACL files.
    takesPart: (job) => !hasRules(job),
    prepare: ({ port, transport, certificate }) => ({
      command: process.execPath,
      args: [
        join(root, 'bench/brokers/aedes-server.mjs'),
        String(port),
        transport,
        certificate.certFile,
        certificate.keyFile,
      ],
    }),
  };
}

/** The least that a program on Node can do, see forwarder.mjs: the floor under a latency. */
export function forwarder(root: string): BrokerKind {
  return {
    name: 'forwarder',
    version: () => `node:net of Node ${process.version}`,
    missing: () => undefined,
    takesPart: (job) => job.kind === 'latency' && job.qos === 0 && job.level === 4,
    prepare: ({ port }) => ({
      command: process.execPath,
      args: [join(root, 'bench/brokers/forwarder.mjs'), String(port)],
    }),
  };
}

/**
 * nats-server with its MQTT listener; it has neither MQTT 5 nor, before 2.10, QoS 2. What may be unacknowledged adds up to
 * 65,535 in a session, and a filter with `#` counts twice.
 */
export function natsServer(): BrokerKind {
  return {
    name: 'nats-server',
    version: () => firstLine('nats-server', '--version'),
    missing: () =>
      firstLine('nats-server', '--version') === '' ? 'not installed: apt-get install nats-server' : undefined,
    takesPart: (job) => !hasRules(job),
    prepare: (request) => {
      const store = join(request.directory, 'jetstream');
      mkdirSync(store, { recursive: true });
      const { certFile, keyFile } = request.certificate;
      const tls = request.transport === 'tls' ? `  tls { cert_file: "${certFile}", key_file: "${keyFile}" }\n` : '';
      const conf =
        `server_name: bench\nhost: 127.0.0.1\nport: -1\nmax_connections: 100000\n` +
        `jetstream { store_dir: "${store}" }\n` +
        (request.transport === 'websocket'
          ? `websocket { host: 127.0.0.1, port: ${request.port}, no_tls: true }\nmqtt { host: 127.0.0.1, port: -1, max_ack_pending: 20000 }\n`
          : `mqtt {\n  host: 127.0.0.1\n  port: ${request.port}\n  max_ack_pending: 20000\n${tls}}\n`);
      return { command: 'nats-server', args: ['-c', writeConf(request, conf)] };
    },
  };
}

/**
 * Any other broker: a shell command in which `{port}`, `{transport}`, `{certfile}`, `{keyfile}` and `{dir}` are replaced.
 * `{conf}` is a file with the configuration that mosquitto and Moustique get.
 */
export function customBroker(name: string, template: string): BrokerKind {
  return {
    name,
    version: () => template,
    missing: () => undefined,
    prepare: (request) => {
      const values: Record<string, string> = {
        port: String(request.port),
        transport: request.transport,
        dir: request.directory,
        certfile: request.certificate.certFile,
        keyfile: request.certificate.keyFile,
        conf: template.includes('{conf}') ? writeConf(request, mosquittoConf(request)) : '',
      };
      const line = template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
      return { command: 'sh', args: ['-c', line] };
    },
  };
}
