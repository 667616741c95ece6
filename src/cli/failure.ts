/** What a tool says, and with which status it ends, when the broker cannot be used: Mosquitto's lines first, then what it was. */
import { type ClientError, DialError, ReasonCode, reasonCodeName } from '../client/index.ts';
import { ExitCode, errnoText, errorText, returnCodeText, USAGE_STATUS } from './exit-code.ts';

/** Text for standard error and exit status. */
export interface Failure {
  readonly text: string;
  readonly status: number;
}

/**
 * @param isPublisher - pub adds a line of its own when it is refused
 */
export function failureOf(error: ClientError, isPublisher: boolean): Failure {
  switch (error.kind) {
    case 'dial':
      return dialFailure(error.cause);
    case 'refused':
      return refusal(error, isPublisher);
    case 'timeout':
      return failure(ExitCode.Timeout, 'no answer from the broker');
    case 'keep-alive':
      return failure(ExitCode.KeepAlive, 'no answer to PINGREQ');
    case 'disconnected':
      return failure(
        ExitCode.ConnectionLost,
        `the broker said: ${reasonCodeName(error.reasonCode ?? 0, 'disconnect')}`,
      );
    case 'lost':
      return failure(ExitCode.ConnectionLost);
    case 'protocol':
      return failure(ExitCode.Protocol, error.message);
    case 'unsupported':
      return error.reasonCode === ReasonCode.QosNotSupported
        ? failure(ExitCode.QosNotSupported)
        : failure(ExitCode.NotSupported, error.message);
    case 'too-large':
      return error.reasonCode === undefined
        ? { status: ExitCode.PayloadSize, text: `Error: Message payload is too large.\n       (${error.message})\n` }
        : failure(ExitCode.OversizePacket, error.message);
    case 'invalid':
      return failure(ExitCode.Invalid, error.message);
    default:
      return failure(ExitCode.Unknown, error.message);
  }
}

function failure(code: number, detail?: string): Failure {
  const detailLine = detail === undefined ? '' : `       (${detail})\n`;
  return { status: code, text: `Error: ${errorText(code)}\n${detailLine}` };
}

function dialFailure(cause: unknown): Failure {
  if (!(cause instanceof DialError)) return failure(ExitCode.Unknown, String(cause));
  switch (cause.step) {
    case 'lookup':
      return { status: USAGE_STATUS, text: 'Unable to connect (Lookup error).\n' };
    case 'tls-setup':
      return {
        status: USAGE_STATUS,
        text: `Unable to connect (A TLS error occurred).\n       (${cause.message})\n`,
      };
    case 'tls':
      return failure(ExitCode.Tls, tlsDetail(cause));
    case 'proxy':
      return failure(ExitCode.Proxy, cause.message);
    case 'websocket':
      return failure(ExitCode.Protocol, `WebSocket: ${cause.message}`);
    default:
      return { status: USAGE_STATUS, text: `Error: ${errnoText(cause)}\n` };
  }
}

const tlsDetails: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the broker's certificate has expired",
  CERT_NOT_YET_VALID: "the broker's certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the broker's certificate is self-signed; name it with --cafile to trust it",
  SELF_SIGNED_CERT_IN_CHAIN: "the broker's certificate comes from an authority that is not trusted; see --cafile",
  UNABLE_TO_GET_ISSUER_CERT: "the broker's certificate comes from an authority that is not trusted; see --cafile",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the broker's certificate comes from an authority that is not trusted; see --cafile",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the broker's certificate comes from an authority that is not trusted; see --cafile",
};

function tlsDetail(cause: DialError): string {
  return (cause.code === undefined ? undefined : tlsDetails[cause.code]) ?? cause.message;
}

function refusal(error: ClientError, isPublisher: boolean): Failure {
  const reasonCode = error.reasonCode ?? 0;
  const detail = error.reasonString === undefined ? '' : `       (${error.reasonString})\n`;
  const last = isPublisher ? ExitCode.ConnectionRefused : undefined;
  if (error.returnCode !== undefined) {
    const line = last === undefined ? '' : `Error: ${errorText(last)}\n`;
    return {
      status: error.returnCode,
      text: `Connection error: ${returnCodeText(error.returnCode)}\n${detail}${line}`,
    };
  }
  const line = isPublisher ? `Error: ${errorText(ExitCode.Protocol)}\n` : '';
  return { status: reasonCode, text: `Connection error: ${v5Text(reasonCode)}\n${detail}${line}` };
}

/** The standard's name; Mosquitto adds advice to one. */
function v5Text(reasonCode: number): string {
  const name = reasonCodeName(reasonCode, 'connack');
  if (reasonCode !== ReasonCode.UnsupportedProtocolVersion) return name;
  return `${name}. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.`;
}
