/** What the function behind a row of the route table gets and gives. */
import type { IncomingMessage } from 'node:http';
import type * as v from 'valibot';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Identity } from './identity.ts';
import type { RouteName, routes, Schema } from './routes.ts';
import type { HttpListener } from './surroundings.ts';

type Rows = typeof routes;

/** What a field of a row's schema yields; nothing where the row has none. */
type Parsed<Row, Field extends string> = Row extends { readonly [F in Field]: infer S }
  ? S extends Schema
    ? v.InferOutput<S>
    : never
  : Readonly<Record<string, never>>;

export interface HandlerRequest<Name extends RouteName> {
  /** The `{…}` of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Parsed<Rows[Name], 'query'>;
  readonly body: Parsed<Rows[Name], 'body'>;
  /** Null only where everybody may ask. */
  readonly identity: Identity | null;
  readonly incoming: IncomingMessage;
  readonly listener: HttpListener;
  /** Adds a `Set-Cookie` to the answer. */
  readonly setCookie: (text: string) => void;
  /** Says in the audit list what was done, and by whom where that was found out only now. */
  readonly note: (text: string, by?: Identity) => void;
}

/** JSON by the row's schema, or a whole answer where the row names media types. */
export type HandlerAnswer<Name extends RouteName> = Rows[Name]['answer'] extends infer Answer
  ? Answer extends Schema
    ? v.InferInput<Answer>
    : Response
  : never;

export type Handler<Name extends RouteName> = (request: HandlerRequest<Name>) => MaybePromise<HandlerAnswer<Name>>;

/** One function for every row; the compiler misses none. */
export type Handlers = { readonly [Name in RouteName]: Handler<Name> };

/** Some of them. */
export type HandlersOf<Names extends RouteName> = Pick<Handlers, Names>;
