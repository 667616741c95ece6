import { ReasonCode } from '../codec/reason-code.ts';
import type { ClientError } from './client-error.ts';

/** Errors after which the same attempt may go well later. */
export function isTransient(error: ClientError): boolean {
  switch (error.kind) {
    case 'dial':
    case 'lost':
    case 'timeout':
    case 'keep-alive':
      return true;
    case 'refused':
    case 'disconnected':
      return error.reasonCode !== undefined && TRANSIENT_CODES.has(error.reasonCode);
    default:
      return false;
  }
}

const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  ReasonCode.UnspecifiedError,
  ReasonCode.ServerUnavailable,
  ReasonCode.ServerBusy,
  ReasonCode.ServerShuttingDown,
  ReasonCode.KeepAliveTimeout,
  ReasonCode.MessageRateTooHigh,
  ReasonCode.QuotaExceeded,
  ReasonCode.ConnectionRateExceeded,
  ReasonCode.MaximumConnectTime,
]);
