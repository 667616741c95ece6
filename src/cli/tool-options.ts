/** What the command line of a client tool asks for, after the options file and the defaults. */
import type { ProtocolVersion, QoS, RetainHandling } from '../client/index.ts';
import { newPropertyCollectors, type PropertyCollectors } from './property-option.ts';

/** Tools that share the table of client options. */
export type Tool = 'pub' | 'sub' | 'rr' | 'ctrl';

/** Where a published payload comes from. */
export type MessageSource =
  | { readonly from: 'argument'; readonly payload: Buffer }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'stdin' }
  | { readonly from: 'lines' }
  | { readonly from: 'nothing' };

/** Kind of Network Connection. */
export type Carrier = 'tcp' | 'websocket';

/** TLS as asked for; whether it is used at all is settled when all options have been read. */
export interface TlsOptions {
  caFile?: string;
  caPath?: string;
  certFile?: string;
  keyFile?: string;
  keyForm?: string;
  ciphers?: string;
  isInsecure: boolean;
  alpn?: string;
  engine?: string;
  engineKeyPassSha1?: string;
  keyLogFile?: string;
  useOsCertificates: boolean;
  version?: string;
  /** Hexadecimal, as given. */
  psk?: string;
  pskIdentity?: string;
  isForbidden: boolean;
}

/** `--proxy`, taken apart. */
export interface ProxyOptions {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
}

/** The settings that the options change one after the other; the tool reads them when all are done. */
export interface ToolOptions {
  readonly tool: Tool;
  host?: string;
  /** 0..65535; undefined: the default of the transport. */
  port?: number;
  socketPath?: string;
  bindAddress?: string;
  useSrv: boolean;
  carrier: Carrier;
  proxy?: ProxyOptions;
  readonly tls: TlsOptions;
  isNoDelay: boolean;

  clientId?: string;
  clientIdPrefix?: string;
  cleanStart: boolean;
  keepAliveSeconds: number;
  username?: string;
  password?: Buffer;
  protocolVersion: ProtocolVersion;
  /** Seconds; 0xffffffff never. */
  sessionExpiryInterval?: number;
  inflightMaximum: number;
  willTopic?: string;
  willPayload?: Buffer;
  willQos: QoS;
  willRetain: boolean;
  readonly properties: PropertyCollectors;

  /** Filters of `-t` for sub, the one Topic Name for pub and rr (the last given). */
  readonly topics: string[];
  readonly filterOuts: string[];
  readonly unsubscribes: string[];
  responseTopic?: string;
  qos: QoS;
  isRetain: boolean;
  source?: MessageSource;
  repeatCount: number;
  repeatDelaySeconds: number;

  messageCount?: number;
  timeoutSeconds?: number;
  isExitAfterSuback: boolean;
  skipRetained: boolean;
  isRetainedOnly: boolean;
  removeRetained: boolean;
  retainAsPublished: boolean;
  retainHandling?: RetainHandling;
  format?: string;
  isVerbose: boolean;
  hasNewline: boolean;
  isPretty: boolean;
  /** Percent of messages printed, 0.1..100. */
  randomFilterPercent: number;
  isWatch: boolean;
  isMessageRate: boolean;
  isLatency: boolean;

  isDebug: boolean;
  isQuiet: boolean;
  optionsFile?: string;
  /** dynamic-security's own configuration file, `ctrl -f`. */
  dynsecFile?: string;
}

/** The settings before any option. */
export function defaultToolOptions(tool: Tool): ToolOptions {
  return {
    tool,
    useSrv: false,
    carrier: 'tcp',
    tls: { isInsecure: false, useOsCertificates: false, isForbidden: false },
    isNoDelay: false,
    cleanStart: true,
    keepAliveSeconds: 60,
    protocolVersion: tool === 'rr' || tool === 'ctrl' ? 5 : 4,
    inflightMaximum: 20,
    willQos: 0,
    willRetain: false,
    properties: newPropertyCollectors(),
    topics: [],
    filterOuts: [],
    unsubscribes: [],
    qos: tool === 'ctrl' ? 1 : 0,
    isRetain: false,
    repeatCount: 1,
    repeatDelaySeconds: 0,
    isExitAfterSuback: false,
    skipRetained: false,
    isRetainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    isVerbose: false,
    hasNewline: true,
    isPretty: false,
    randomFilterPercent: 100,
    isWatch: false,
    isMessageRate: false,
    isLatency: false,
    isDebug: false,
    isQuiet: false,
  };
}
