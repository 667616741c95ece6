/** Logging in and out, the first start, tokens. */
import { version } from '../../base/version.ts';
import { tokensMax } from '../console-state.ts';
import type { HandlersOf } from '../handler.ts';
import { cookieOf, type Identity, setCookie } from '../identity.ts';
import { hashOf } from '../login-sessions.ts';
import { HttpProblem, notFound } from '../problem.ts';
import type { SessionAnswer } from '../schema/session.ts';
import type { HttpServices } from '../services.ts';

export function sessionHandlers(
  services: HttpServices,
): HandlersOf<'getSession' | 'logIn' | 'logOut' | 'firstRun' | 'listTokens' | 'createToken' | 'deleteToken'> {
  const { surroundings, state, sessions, identities, firstRun } = services;
  const answer = (identity: Identity | null): SessionAnswer => ({
    isFirstRun: identities.isFirstRun,
    user: identity === null ? null : { name: identity.name, role: identity.role, by: identity.by },
    csrf: identity?.csrf ?? '',
    broker: { name: 'Moustique', version },
  });
  return {
    getSession: ({ identity }) => answer(identity),
    async logIn({ body, incoming, listener, setCookie: set, note }) {
      note(`user ${body.username}`);
      const { cookie, identity } = await identities.logIn(body, incoming, listener);
      note('', identity);
      set(setCookie(listener, cookie));
      return answer(identity);
    },
    logOut({ incoming, listener, setCookie: set }) {
      const cookie = cookieOf(incoming, listener);
      if (cookie !== null) sessions.end(cookie);
      set(setCookie(listener, ''));
      return { done: true };
    },
    async firstRun({ body, incoming, listener, setCookie: set, note }) {
      note(`user ${body.username}`);
      const { throttle } = surroundings.passwordChecks;
      const address = incoming.socket.remoteAddress ?? '';
      if (throttle.isHeld(address)) {
        throw new HttpProblem(
          429,
          'too-many-attempts',
          'Too many attempts from this address; try again in some seconds.',
        );
      }
      if (!identities.isFirstRun || !firstRun.redeem(body.token)) {
        throttle.bad(address);
        const text = 'This link is used up or its time is over. A restart of the broker, or SIGHUP, makes a new one.';
        throw new HttpProblem(403, 'link-used', text, 'token');
      }
      try {
        await state.setAccount(body.username, 'admin', body.password);
      } catch (error) {
        const reason = (error as Error).message;
        surroundings.logger.log('error', `Error: Unable to write ${state.path}: ${reason}.`);
        surroundings.logger.log('error', 'Error: Set http_state_file to a place the broker may write to.');
        throw new HttpProblem(500, 'not-writable', `The account could not be stored: ${reason}`);
      }
      const { cookie, identity } = identities.begin(body.username, true);
      note('', identity);
      set(setCookie(listener, cookie));
      return answer(identity);
    },
    listTokens: () => ({
      items: state.tokens.map(({ id, name, createdMs, expiresMs }) => ({ id, name, createdMs, expiresMs })),
      total: state.tokens.length,
    }),
    createToken({ body, note }) {
      if (state.tokens.length >= tokensMax) {
        throw new HttpProblem(409, 'too-many', `There may be ${tokensMax} tokens.`);
      }
      const { clock } = surroundings;
      const token = clock.randomBytes(24).toString('base64url');
      const createdMs = clock.nowMs();
      const expiresMs = body.days === undefined ? null : createdMs + body.days * 86_400_000;
      const row = { id: clock.randomBytes(6).toString('base64url'), name: body.name, createdMs, expiresMs };
      state.setTokens([...state.tokens, { ...row, hash: hashOf(token) }]);
      note(`token ${body.name}`);
      return { ...row, token };
    },
    deleteToken({ params, note }) {
      const token = state.tokens.find(({ id }) => id === params['tokenId']);
      if (token === undefined) throw notFound('such token');
      state.setTokens(state.tokens.filter((one) => one !== token));
      note(`token ${token.name}`);
      return { done: true };
    },
  };
}
