/**
 * Every route of the JSON interface: one row each, from which the server, the checks of every request, `openapi.json` and
 * `docs/http-api.md` are made. What a row does stands in `handlers/` under the row's name.
 *
 * Mosquitto's own three (`version`, `listeners`, `systree`) keep Mosquitto's answers and are not here; see `mosquitto-routes.ts`.
 */
import type * as v from 'valibot';
import * as broker from './schema/broker.ts';
import * as clients from './schema/clients.ts';
import * as history from './schema/history.ts';
import { done, type Role } from './schema/parts.ts';
import * as session from './schema/session.ts';
import * as topics from './schema/topics.ts';

export type Schema = v.GenericSchema;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`; `{name}` stands for one segment, percent-encoded. */
  readonly path: `/${string}`;
  /** Who may: everybody, or a role and those above it. */
  readonly role: 'everybody' | Role;
  readonly summary: string;
  /** Absent: no field may be given. */
  readonly query?: Schema;
  /** Absent: a body is refused. */
  readonly body?: Schema;
  /** Bytes of the body at most; absent: 64 KiB. */
  readonly bodyBytesMax?: number;
  /** A shape of JSON, or another media type. */
  readonly answer: Schema | { readonly mediaTypes: readonly string[] };
}

const MiB = 1024 * 1024;

export const routes = {
  // Who is there.
  getSession: {
    ...{ method: 'GET', path: '/session', role: 'everybody', answer: session.sessionAnswer },
    summary: 'Who is logged in, and the token that every change has to carry.',
  },
  logIn: {
    ...{
      method: 'POST',
      path: '/session',
      role: 'everybody',
      body: session.loginRequest,
      answer: session.sessionAnswer,
    },
    summary: 'Logs in with a user name and password of the broker or the console; sets a session cookie.',
  },
  logOut: {
    ...{ method: 'DELETE', path: '/session', role: 'everybody', answer: done },
    summary: 'Ends the session of the cookie.',
  },
  firstRun: {
    ...{
      method: 'POST',
      path: '/first-run',
      role: 'everybody',
      body: session.firstRunRequest,
      answer: session.sessionAnswer,
    },
    summary: 'Makes the first administrator with the one-time token of the log, and logs in.',
  },
  listTokens: {
    ...{ method: 'GET', path: '/tokens', role: 'admin', answer: session.tokenList },
    summary: 'Read-only tokens for wall displays.',
  },
  createToken: {
    ...{ method: 'POST', path: '/tokens', role: 'admin', body: session.tokenRequest, answer: session.newToken },
    summary: 'Makes a read-only token; its text is shown this once.',
  },
  deleteToken: {
    ...{ method: 'DELETE', path: '/tokens/{tokenId}', role: 'admin', answer: done },
    summary: 'Ends a token.',
  },

  // The broker.
  getBroker: {
    ...{ method: 'GET', path: '/broker', role: 'viewer', answer: broker.brokerAnswer },
    summary: 'The broker as a whole: rates, totals, drops by reason, store, memory, listeners.',
  },
  getConfig: {
    ...{ method: 'GET', path: '/config', role: 'admin', answer: broker.configAnswer },
    summary: 'Every option in force, with the file and line that set it.',
  },
  listUsers: {
    ...{ method: 'GET', path: '/users', role: 'admin', answer: broker.userList },
    summary: 'Users of the password files and accounts of the console, with their roles.',
  },
  listAudit: {
    ...{ method: 'GET', path: '/audit', role: 'admin', answer: broker.auditList },
    summary: 'What was changed by whom through this interface, newest first; the last 1,000 changes.',
  },
  getLog: {
    ...{ method: 'GET', path: '/log', role: 'admin', query: broker.logQuery, answer: broker.logList },
    summary: 'The last lines of the log, oldest first; the last 1,000 are kept.',
  },

  // Clients.
  listClients: {
    ...{ method: 'GET', path: '/clients', role: 'viewer', query: clients.clientQuery, answer: clients.clientList },
    summary: 'Clients, connected or with a session that is kept.',
  },
  getClient: {
    ...{ method: 'GET', path: '/clients/{clientId}', role: 'viewer', answer: clients.clientDetail },
    summary: 'One client: subscriptions, queue, Keep Alive, TLS, Will.',
  },
  kickClient: {
    ...{
      method: 'POST',
      path: '/clients/{clientId}/kick',
      role: 'operator',
      body: clients.kickRequest,
      answer: clients.kickAnswer,
    },
    summary: 'Ends the connection of a client; may end its session and refuse it for a time.',
  },
  listBans: {
    ...{ method: 'GET', path: '/bans', role: 'viewer', answer: clients.banList },
    summary: 'Client Identifiers that are refused for a time.',
  },
  liftBan: {
    ...{ method: 'DELETE', path: '/bans/{clientId}', role: 'operator', answer: done },
    summary: 'Lets a client in again.',
  },
  peekQueue: {
    ...{
      method: 'GET',
      path: '/sessions/{clientId}/queue',
      role: 'viewer',
      query: clients.queueQuery,
      answer: clients.queueAnswer,
    },
    summary: 'What waits for a client, oldest first.',
  },
  purgeQueue: {
    ...{ method: 'DELETE', path: '/sessions/{clientId}/queue', role: 'operator', answer: clients.purgeAnswer },
    summary: 'Drops what waits for a client; exchanges in flight go on.',
  },

  // Who gets what.
  findReceivers: {
    ...{
      method: 'GET',
      path: '/subscriptions/receivers',
      role: 'viewer',
      query: clients.receiversQuery,
      answer: clients.receiversAnswer,
    },
    summary: 'Who would get a message with this Topic Name.',
  },
  findMatches: {
    ...{
      method: 'GET',
      path: '/subscriptions/matches',
      role: 'viewer',
      query: clients.matchesQuery,
      answer: clients.matchesAnswer,
    },
    summary: 'Which known topics a Topic Filter matches.',
  },
  explainAccess: {
    ...{
      method: 'GET',
      path: '/access/explain',
      role: 'operator',
      query: clients.accessQuery,
      answer: clients.accessAnswer,
    },
    summary: 'Why a client may or may not do something: the rule that decides, and the nearest that would allow it.',
  },
  listDenials: {
    ...{ method: 'GET', path: '/access/denials', role: 'operator', answer: clients.denialList },
    summary: 'What was denied and why, newest first; the last 1,000.',
  },

  // Topics.
  listChildren: {
    ...{
      method: 'GET',
      path: '/topics/children',
      role: 'viewer',
      query: topics.childrenQuery,
      answer: topics.topicList,
    },
    summary: 'The nodes below one node of the topic tree.',
  },
  searchTopics: {
    ...{
      method: 'GET',
      path: '/topics/search',
      role: 'viewer',
      query: topics.searchQuery,
      answer: topics.searchAnswer,
    },
    summary: 'Topics by text, wildcard, regular expression, payload text or JSON value.',
  },
  getLast: {
    ...{ method: 'GET', path: '/topics/last', role: 'viewer', query: topics.lastQuery, answer: topics.lastAnswer },
    summary: 'The last message of a topic.',
  },
  publish: {
    ...{
      method: 'POST',
      path: '/publish',
      role: 'operator',
      body: topics.publishRequest,
      bodyBytesMax: 16 * MiB,
      answer: topics.publishAnswer,
    },
    summary: 'Publishes a message, as the broker itself: access rules of clients do not apply.',
  },

  // Retained messages.
  listRetained: {
    ...{ method: 'GET', path: '/retained', role: 'viewer', query: topics.retainedQuery, answer: topics.retainedList },
    summary: 'Retained messages.',
  },
  deleteRetained: {
    ...{
      method: 'POST',
      path: '/retained/delete',
      role: 'operator',
      body: topics.retainedDeleteRequest,
      answer: topics.retainedDeleteAnswer,
    },
    summary: 'Deletes retained messages by Topic Filter, a few at a time; they can be put back for ten minutes.',
  },
  undoDelete: {
    ...{
      method: 'POST',
      path: '/retained/undo',
      role: 'operator',
      body: topics.undoRequest,
      answer: topics.undoAnswer,
    },
    summary: 'Puts deleted retained messages back.',
  },
  listBin: {
    ...{ method: 'GET', path: '/retained/bin', role: 'viewer', answer: topics.binAnswer },
    summary: 'Deletions that can be undone.',
  },

  // What the people of the console share.
  getSaved: {
    ...{ method: 'GET', path: '/saved-messages', role: 'viewer', answer: topics.savedAnswer },
    summary: 'Saved messages in their collections.',
  },
  putSaved: {
    ...{
      method: 'PUT',
      path: '/saved-messages',
      role: 'operator',
      body: topics.savedRequest,
      bodyBytesMax: MiB,
      answer: topics.savedAnswer,
    },
    summary: 'Replaces the saved messages.',
  },

  // History.
  historySeries: {
    ...{ method: 'GET', path: '/history/series', role: 'viewer' },
    ...{ query: history.seriesListQuery, answer: history.seriesListAnswer },
    summary: 'Which numbers are stored: topics and the fields of their payloads.',
  },
  historyQuery: {
    ...{
      method: 'GET',
      path: '/history/query',
      role: 'viewer',
      query: history.bucketsQuery,
      answer: history.bucketsAnswer,
    },
    summary: 'Stored numbers over time, in buckets with least, mean, greatest and last value.',
  },
  historyMessages: {
    ...{
      method: 'GET',
      path: '/history/messages',
      role: 'viewer',
      query: history.messagesQuery,
      answer: history.messagesAnswer,
    },
    summary: 'Stored messages of a Topic Filter, newest first.',
  },
  historyExport: {
    ...{ method: 'GET', path: '/history/export', role: 'viewer', query: history.exportQuery },
    answer: { mediaTypes: ['text/csv', 'application/jsonl'] },
    summary: 'Stored messages or numbers as CSV (safe to open in a spreadsheet) or JSON lines, streamed.',
  },
  historyStats: {
    ...{ method: 'GET', path: '/history/stats', role: 'viewer', answer: history.statsAnswer },
    summary: 'How much is stored and how much may be.',
  },

  getOpenApi: {
    ...{ method: 'GET', path: '/openapi.json', role: 'everybody' },
    answer: { mediaTypes: ['application/json'] },
    summary: 'This interface as an OpenAPI document.',
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;
