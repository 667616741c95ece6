/** Pages of other sites may not use the browser of somebody who is logged in here. */
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './problem.ts';

/**
 * @param isChange - a request that changes something, or a WebSocket: browsers say where those come from
 * @throws HttpProblem - 403
 */
export function checkOrigin({ headers }: IncomingMessage, isChange: boolean): void {
  if (!isChange) return;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isForeign =
    origin === undefined ? site === 'cross-site' || site === 'same-site' : hostOf(origin) !== host?.toLowerCase();
  if (isForeign) throw new HttpProblem(403, 'foreign-origin', 'Pages of another origin may not ask for this.');
}

/** Host and port as `Host` has them; the scheme may differ behind a proxy that speaks TLS. */
function hostOf(origin: string): string | null {
  try {
    return new URL(origin).host;
  } catch {
    return null;
  }
}
