/** What the functions behind the routes share: one of each for a broker, however many HTTP listeners it has. */
import type { IncomingMessage } from 'node:http';
import type { Hono } from 'hono';
import type { TopicIndex } from '../observe/topic-index.ts';
import type { Audit } from './audit.ts';
import type { ConsoleState } from './console-state.ts';
import type { FirstRun } from './first-run.ts';
import type { Identities } from './identity.ts';
import type { KnownTopics } from './known-topics.ts';
import type { LastErrors } from './last-errors.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { RateHistory } from './rate-history.ts';
import type { RecentDenials } from './recent-denials.ts';
import type { RecentLog } from './recent-log.ts';
import type { RetainedBin } from './retained-bin.ts';
import type { HttpListener, HttpSurroundings } from './surroundings.ts';
import type { TopicTree } from './topic-tree.ts';

export interface HttpServices {
  readonly surroundings: HttpSurroundings;
  /** On the monotonic clock. */
  readonly startedMs: number;
  readonly state: ConsoleState;
  readonly sessions: LoginSessions;
  readonly identities: Identities;
  readonly firstRun: FirstRun;
  readonly audit: Audit;
  readonly index: TopicIndex;
  readonly tree: TopicTree;
  readonly topics: KnownTopics;
  readonly bin: RetainedBin;
  readonly rates: RateHistory;
  readonly denials: RecentDenials;
  readonly lastErrors: LastErrors;
  readonly log: RecentLog;
  /** `/metrics`, `/healthz`, `/readyz` */
  readonly addOperatorRoutes: (app: Hono<{ Bindings: { incoming: IncomingMessage } }>, listener: HttpListener) => void;
}
