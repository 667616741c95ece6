/**
 * Requests to the broker's JSON interface. Routes, fields and answers are those of the broker's own table (types only:
 * nothing of it is in the bundle), so that a request that does not exist does not compile.
 */

import type * as v from 'valibot';
import type { routes } from '../../../src/http/routes.ts';
import { hasText, t } from '../i18n.ts';

type Rows = typeof routes;
/** Such as `GET /clients/{clientId}`. */
export type RouteKey = { [N in keyof Rows]: `${Rows[N]['method']} ${Rows[N]['path']}` }[keyof Rows];
type RowOf<K extends RouteKey> = {
  [N in keyof Rows]: `${Rows[N]['method']} ${Rows[N]['path']}` extends K ? Rows[N] : never;
}[keyof Rows];
type InputOf<S> = S extends v.GenericSchema ? v.InferInput<S> : never;
/** What a route answers. */
export type Answer<K extends RouteKey> =
  RowOf<K> extends { readonly answer: infer S extends v.GenericSchema } ? v.InferOutput<S> : never;
type BodyOf<K extends RouteKey> = RowOf<K> extends { readonly body: infer S } ? InputOf<S> : never;
export type QueryOf<K extends RouteKey> = RowOf<K> extends { readonly query: infer S } ? InputOf<S> : never;

export interface CallOptions<K extends RouteKey> {
  /** Values of `{name}` in the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: QueryOf<K>;
  readonly body?: BodyOf<K>;
  readonly signal?: AbortSignal;
}

/** An answer that is no success, or none at all (`status` 0). Its message is for people. */
export class CallError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;

  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

let csrfToken = '';
let onLoggedOut: () => void = () => undefined;

/** The token that every change carries. */
export const useCsrfToken = (token: string): void => {
  csrfToken = token;
};

/** What to do when the broker no longer knows who we are. */
export const whenLoggedOut = (then: () => void): void => {
  onLoggedOut = then;
};

/** Where the interface is, beside the page: the console may stand below any path. */
export const apiUrl = (path: string): string => new URL(`api/v1${path}`, document.baseURI).href;

/** Address of a route, with its query. */
export function urlOf(path: string, query?: Readonly<Record<string, unknown>>): string {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') values.set(name, String(value));
  }
  const text = values.toString();
  return apiUrl(path) + (text === '' ? '' : `?${text}`);
}

/**
 * Send a request and wait for its answer.
 *
 * @throws CallError - for everything but success; DOMException `AbortError` when given up
 */
export async function call<K extends RouteKey>(route: K, options: CallOptions<K> = {}): Promise<Answer<K>> {
  const [method = 'GET', path = ''] = route.split(' ');
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(options.path?.[name] ?? ''));
  const headers = new Headers({ Accept: 'application/json' });
  if (method !== 'GET') headers.set('X-CSRF-Token', csrfToken);
  const request: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (options.signal !== undefined) request.signal = options.signal;
  if (options.body !== undefined) {
    headers.set('Content-Type', 'application/json');
    request.body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await fetch(urlOf(filled, options.query as Record<string, unknown> | undefined), request);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new CallError(0, 'unreachable', t('error.unreachable'));
  }
  if (response.ok) return (await response.json()) as Answer<K>;
  const failure = await problemOf(response);
  if (response.status === 401 && route !== 'POST /session') onLoggedOut();
  throw failure;
}

async function problemOf(response: Response): Promise<CallError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; field?: string } };
    // The broker speaks English; what a person meets is said in the language of the page.
    const own = `error.code.${error.code}`;
    const message = hasText(own) ? t(own, { detail: error.message }) : error.message;
    return new CallError(response.status, error.code, message, error.field);
  } catch {
    return new CallError(response.status, 'unknown', t('error.status', { status: String(response.status) }));
  }
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';
