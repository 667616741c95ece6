/** Who is logged in, and the first start. */
import * as v from 'valibot';
import { count, role, timeMs } from './parts.ts';

export const sessionAnswer = v.object({
  /** No account exists yet: the link in the log makes the first one. */
  isFirstRun: v.boolean(),
  user: v.nullable(
    v.object({
      name: v.string(),
      role,
      /** How it was proven: a session cookie, HTTP Basic, or a read-only token. */
      by: v.picklist(['cookie', 'basic', 'token']),
    }),
  ),
  /** To be sent as `X-CSRF-Token` with everything but GET; '' without a session cookie. */
  csrf: v.string(),
  broker: v.object({ name: v.string(), version: v.string() }),
});
export type SessionAnswer = v.InferOutput<typeof sessionAnswer>;

const userName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxBytes(256),
  v.regex(/^[^\p{Cc}:]+$/u, 'no colon and no control character'),
);
const password = v.pipe(v.string(), v.minLength(1), v.maxBytes(1024));

export const loginRequest = v.strictObject({
  username: v.pipe(v.string(), v.maxBytes(65_535)),
  password: v.pipe(v.string(), v.maxBytes(65_535)),
});
export const firstRunRequest = v.strictObject({
  /** From the link: the part after `token=`. */
  token: v.pipe(v.string(), v.maxLength(200)),
  username: userName,
  password: v.pipe(password, v.minLength(8, 'at least 8 characters')),
});

/** Read-only access by URL for wall displays; the text is shown once. */
export const tokenRequest = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  /** Days until it ends, 1..3650; absent: it does not. */
  days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650))),
});
export const tokenRow = v.object({
  id: v.string(),
  name: v.string(),
  createdMs: timeMs,
  expiresMs: v.nullable(timeMs),
});
export const tokenList = v.object({ items: v.array(tokenRow), total: count });
export const newToken = v.object({ ...tokenRow.entries, token: v.string() });
