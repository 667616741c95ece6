/** At which step an outgoing connection failed. */
export type DialStep = 'lookup' | 'connect' | 'proxy' | 'tls-setup' | 'tls' | 'websocket' | 'established';

/** An outgoing connection could not be made, or broke. */
export class DialError extends Error {
  override readonly name = 'DialError';
  readonly step: DialStep;
  /** `ECONNREFUSED`, `CERT_HAS_EXPIRED` and the like, where there is one. */
  readonly code: string | undefined;

  constructor(step: DialStep, message: string, code?: string, cause?: unknown) {
    super(message, { cause });
    this.step = step;
    this.code = code;
  }
}

/** Wraps what Node reports; of several attempts the last one counts. */
export function dialErrorOf(step: DialStep, cause: unknown): DialError {
  if (cause instanceof DialError) return cause;
  const error = lastAttempt(cause);
  const code = codeOf(error);
  const message = error instanceof Error && error.message !== '' ? error.message : String(code ?? error);
  return new DialError(step === 'connect' && isLookupCode(code) ? 'lookup' : step, message, code, cause);
}

/** A name with several addresses fails with one error per address. */
function lastAttempt(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null || !('errors' in cause)) return cause;
  const { errors } = cause;
  return Array.isArray(errors) && errors.length > 0 ? (errors.at(-1) as unknown) : cause;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isLookupCode(code: string | undefined): boolean {
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA' || code === 'EAI_NODATA';
}
