/** Exit statuses and error texts of the client tools: those of Mosquitto's library, which scripts compare with. */

/** Numbers of the library errors that become exit statuses. */
export const ExitCode = {
  Success: 0,
  OutOfMemory: 1,
  Protocol: 2,
  Invalid: 3,
  NoConnection: 4,
  ConnectionRefused: 5,
  ConnectionLost: 7,
  Tls: 8,
  PayloadSize: 9,
  NotSupported: 10,
  Authentication: 11,
  Unknown: 13,
  Errno: 14,
  Lookup: 15,
  Proxy: 16,
  MalformedUtf8: 18,
  KeepAlive: 19,
  MalformedPacket: 21,
  DuplicateProperty: 22,
  QosNotSupported: 24,
  OversizePacket: 25,
  Timeout: 27,
} as const;

/** Status of a usage or set-up error, of `--help` and of `--version`. */
export const USAGE_STATUS = 1;

/** Status of `sub` when a signal ends it before the broker has accepted it. */
export const INTERRUPTED_STATUS = 255;

const texts = new Map<number, string>([
  [ExitCode.Success, 'No error'],
  [ExitCode.OutOfMemory, 'Out of memory'],
  [ExitCode.Protocol, 'A network protocol error occurred when communicating with the broker'],
  [ExitCode.Invalid, 'Invalid input'],
  [ExitCode.NoConnection, 'The client is not currently connected'],
  [ExitCode.ConnectionRefused, 'The connection was refused'],
  [ExitCode.ConnectionLost, 'The connection was lost'],
  [ExitCode.Tls, 'A TLS error occurred'],
  [ExitCode.PayloadSize, 'Payload too large'],
  [ExitCode.NotSupported, 'This feature is not supported'],
  [ExitCode.Authentication, 'Authorisation failed'],
  [ExitCode.Unknown, 'Unknown error'],
  [ExitCode.Lookup, 'Lookup error'],
  [ExitCode.Proxy, 'Proxy error'],
  [ExitCode.MalformedUtf8, 'Malformed UTF-8'],
  [ExitCode.KeepAlive, 'Keepalive exceeded'],
  [ExitCode.MalformedPacket, 'Malformed packet'],
  [ExitCode.DuplicateProperty, 'Duplicate property in property list'],
  [ExitCode.QosNotSupported, 'Requested QoS not supported on server'],
  [ExitCode.OversizePacket, 'Packet larger than supported by the server'],
  [ExitCode.Timeout, 'Timeout'],
]);

/** Mosquitto's text for one of its error numbers. */
export function errorText(code: number): string {
  return texts.get(code) ?? 'Unknown error';
}

const returnCodeTexts = [
  'Connection Accepted',
  'Connection Refused: unacceptable protocol version',
  'Connection Refused: identifier rejected',
  'Connection Refused: broker unavailable',
  'Connection Refused: bad user name or password',
  'Connection Refused: not authorised',
] as const;

/** Text for a CONNACK return code of MQTT 3.1 and 3.1.1. */
export function returnCodeText(code: number): string {
  return returnCodeTexts[code] ?? 'Connection Refused: unknown reason';
}

/** The operating system's words, as the C library prints them; Node has words of its own. */
const errnoTexts: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EBADF: 'Bad file descriptor',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENETUNREACH: 'Network is unreachable',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTSOCK: 'Socket operation on non-socket',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EPROTOTYPE: 'Protocol wrong type for socket',
  EROFS: 'Read-only file system',
  ESRCH: 'No such process',
  ETIMEDOUT: 'Connection timed out',
};

/**
 * The C library's text for an error of a Node call.
 *
 * @param error - anything thrown; only its `code` is looked at, then its message
 */
export function errnoText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = errnoCode(error);
  return (code !== undefined ? errnoTexts[code] : undefined) ?? error.message;
}

/** `ENOENT` and the like, if the error has one. */
export function errnoCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
