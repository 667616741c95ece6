/** Answers that are no success. */
import type { Problem } from './schema/parts.ts';

/** Thrown anywhere while a request is handled; becomes the answer. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  /**
   * @param status - 4xx or 5xx
   * @param code - for programs
   * @param message - for people
   * @param field - of the request, when one is wrong
   */
  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }

  get body(): Problem {
    const { code, message, field } = this;
    return { error: { code, message, ...(field === undefined ? {} : { field }) } };
  }
}

export function notFound(what: string): HttpProblem {
  return new HttpProblem(404, 'not-found', `There is no ${what}.`);
}
