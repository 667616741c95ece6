/** The error that promises of the history are rejected with. */
import type { HistoryFault } from '../contracts/history.ts';

class Fault extends Error implements HistoryFault {
  override readonly name = 'HistoryFault';
  readonly code: HistoryFault['code'];
  readonly parameter: string | null;

  constructor(code: HistoryFault['code'], message: string, parameter: string | null) {
    super(message);
    this.code = code;
    this.parameter = parameter;
  }
}

/** A question that makes no sense. @param message - says what is expected */
export function invalid(parameter: string, message: string): HistoryFault {
  return new Fault('invalid', `${parameter}: ${message}`, parameter);
}

/** Too many questions wait. */
export function busy(): HistoryFault {
  return new Fault('busy', 'too many questions to the history are waiting', null);
}

/** The database cannot be read at the moment. */
export function unavailable(why: string): HistoryFault {
  return new Fault('unavailable', why, null);
}

/** What travels between threads of a fault. */
export interface FaultData {
  readonly code: HistoryFault['code'];
  readonly message: string;
  readonly parameter: string | null;
}

/** A fault as data; what is no fault becomes `unavailable` with its message. */
export function faultData(error: unknown): FaultData {
  if (error instanceof Fault) return { code: error.code, message: error.message, parameter: error.parameter };
  return { code: 'unavailable', message: error instanceof Error ? error.message : String(error), parameter: null };
}

/** The fault again. */
export function faultOf({ code, message, parameter }: FaultData): HistoryFault {
  return new Fault(code, message, parameter);
}
