/** Who uses the console: nobody yet, somebody of this broker, or somebody who connected to another broker. */

import { computed, signal } from '@preact/signals';
import { type Answer, apiUrl, CallError, call, useCsrfToken, whenLoggedOut } from './api/call.ts';
import type { Role } from './api/types.ts';
import { currentFeed } from './live/current.ts';
import { SocketFeed } from './live/feed.ts';

export type SessionState =
  | { readonly step: 'asking' }
  /** The broker does not answer, or this page comes from no broker of ours. */
  | { readonly step: 'unreachable'; readonly message: string }
  | { readonly step: 'first-run' }
  | { readonly step: 'login' }
  | {
      readonly step: 'inside';
      readonly name: string;
      readonly role: Role;
      readonly broker: string;
      readonly version: string;
    }
  /** Another broker over MQTT: only Topics, Messages and Settings. */
  | { readonly step: 'reduced'; readonly broker: string };

export const session = signal<SessionState>({ step: 'asking' });

export const role = computed<Role>(() => (session.value.step === 'inside' ? session.value.role : 'viewer'));
/** May publish, kick and delete. */
export const mayOperate = computed(() => session.value.step === 'reduced' || role.value !== 'viewer');
export const isReduced = computed(() => session.value.step === 'reduced');

type SessionAnswer = Answer<'GET /session'>;

/** Ask the broker who we are. */
export async function askSession(): Promise<void> {
  try {
    enter(await call('GET /session'));
  } catch (error) {
    session.value = { step: 'unreachable', message: error instanceof CallError ? error.message : String(error) };
  }
}

export async function logIn(username: string, password: string): Promise<void> {
  enter(await call('POST /session', { body: { username, password } }));
}

export async function makeFirstUser(token: string, username: string, password: string): Promise<void> {
  enter(await call('POST /first-run', { body: { token, username, password } }));
}

export async function logOut(): Promise<void> {
  await call('DELETE /session').catch(() => undefined);
  leave();
  await askSession();
}

function enter(answer: SessionAnswer): void {
  useCsrfToken(answer.csrf);
  if (answer.user === null) {
    session.value = { step: answer.isFirstRun ? 'first-run' : 'login' };
    return;
  }
  currentFeed.value?.close();
  currentFeed.value = new SocketFeed(apiUrl('/live').replace(/^http/, 'ws'));
  session.value = {
    step: 'inside',
    name: answer.user.name,
    role: answer.user.role,
    broker: answer.broker.name,
    version: answer.broker.version,
  };
}

function leave(): void {
  currentFeed.value?.close();
  currentFeed.value = undefined;
  session.value = { step: 'login' };
}

whenLoggedOut(() => {
  if (session.value.step === 'inside') leave();
});
