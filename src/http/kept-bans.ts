/** Bans that outlive the process, where the broker keeps what it has. Read when the HTTP interface opens, before clients may come. */
import type { ConsoleState, StoredBan } from './console-state.ts';
import type { HttpSurroundings } from './surroundings.ts';

/** What may be written, counted in characters of Client Identifiers and {@link banChars} a ban; those that end last stay. */
const charsMax = 1024 * 1024;
const banChars = 64;

type Needs = Pick<HttpSurroundings, 'broker' | 'clock' | 'config' | 'logger'>;

/** Puts the bans of the file that still hold on the broker. */
export function restoreBans({ broker, clock, config }: Needs, state: ConsoleState): void {
  if (!config().global.persistence) return;
  const nowMs = clock.nowMs();
  for (const { clientId, untilMs, by } of state.bans) {
    if (untilMs > nowMs) broker.engine.bans.add(clientId, { untilMs, by }, nowMs);
  }
}

/** Writes the bans as they are now; they hold until the end of the process when that fails. */
export function storeBans({ broker, clock, config, logger }: Needs, state: ConsoleState): void {
  if (!config().global.persistence) return;
  const bans: StoredBan[] = [];
  let chars = 0;
  const entries = broker.engine.bans.entries(clock.nowMs()).sort(([, one], [, other]) => other.untilMs - one.untilMs);
  for (const [clientId, { untilMs, by }] of entries) {
    chars += clientId.length + by.length + banChars;
    if (chars > charsMax) break;
    bans.push({ clientId, untilMs, by });
  }
  try {
    state.setBans(bans);
  } catch (error) {
    logger.log(
      'warning',
      `Warning: Bans end with the broker, because ${state.path} cannot be written: ${String(error)}.`,
    );
  }
}
