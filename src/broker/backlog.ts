/** Paced work: a session's backlog goes on in small steps, between the input of others. */

import type { Session } from '../session/session.ts';
import type { Engine } from './engine.ts';
import { runBacklogs } from './retain.ts';

/** Lets the session's backlogs go on now, and again soon while they only gave way to others. */
export function continueBacklogs(engine: Pick<Engine, 'unfinished' | 'clock' | 'nowMs'>, session: Session): void {
  if (session.backlogs === null || !runBacklogs(session)) return;
  engine.unfinished.add(session);
  if (engine.unfinished.size === 1) engine.clock.soon(() => continueAll(engine));
}

function continueAll(engine: Pick<Engine, 'unfinished' | 'clock' | 'nowMs'>): void {
  const sessions = [...engine.unfinished];
  engine.unfinished.clear();
  engine.nowMs = engine.clock.nowMs();
  for (const session of sessions) continueBacklogs(engine, session);
}
