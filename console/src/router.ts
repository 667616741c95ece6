/**
 * Where the user is. Every state of a screen is in the URL's fragment, `#/screen/detail?name=value`, so that the back
 * button works and a view can be sent to a colleague; the fragment never leaves the browser.
 */

import { computed, signal } from '@preact/signals';

export const screens = ['overview', 'topics', 'messages', 'clients', 'settings'] as const;
export type Screen = (typeof screens)[number];

/** Names and values of a view's state; an empty value is a missing one. */
export type ViewState = Readonly<Record<string, string>>;

export interface Route {
  /** The path's first part: a screen, or `welcome` with the token of the first start. */
  readonly screen: Screen | 'welcome';
  readonly state: ViewState;
}

/** Reads a fragment; what is no screen is the overview. */
export function parseRoute(fragment: string): Route {
  const text = fragment.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark === -1 ? text : text.slice(0, mark);
  const state: Record<string, string> = Object.create(null);
  if (mark !== -1) for (const [name, value] of new URLSearchParams(text.slice(mark + 1))) state[name] = value;
  const known = path === 'welcome' ? path : screens.find((screen) => screen === path);
  return { screen: known ?? 'overview', state };
}

/** The fragment that stands for a route, with its state in a fixed order. */
export function formatRoute(route: Route): string {
  const values = new URLSearchParams();
  for (const name of Object.keys(route.state).sort()) {
    const value = route.state[name];
    if (value !== undefined && value !== '') values.set(name, value);
  }
  const text = values.toString();
  return `#/${route.screen}${text === '' ? '' : `?${text}`}`;
}

const current = signal(parseRoute(globalThis.location?.hash ?? ''));

/** The route shown now. */
export const route = computed(() => current.value);

/** One value of the view's state, '' when it is not set. */
export const stateOf = (name: string): string => current.value.state[name] ?? '';

/** Follow the address bar and the back button. */
export function followAddress(): void {
  window.addEventListener('hashchange', () => show(location.hash));
}

function show(fragment: string): void {
  const next = parseRoute(fragment);
  if (formatRoute(next) !== formatRoute(current.value)) current.value = next;
}

/** At once, not when the browser tells of it: what is done before then builds on it. */
function push(fragment: string): void {
  location.hash = fragment;
  show(fragment);
}

/** Link to a screen. */
export const linkTo = (screen: Route['screen'], state: ViewState = {}): string => formatRoute({ screen, state });

/** Go somewhere; the back button returns. */
export function go(screen: Route['screen'], state: ViewState = {}): void {
  push(linkTo(screen, state));
}

/**
 * Change part of the view's state.
 *
 * @param how - `push`: the back button undoes it; `replace`: it does not, for what is typed or scrolled
 */
export function setState(change: ViewState, how: 'push' | 'replace' = 'push'): void {
  const { screen, state } = current.value;
  const next = { screen, state: { ...state, ...change } };
  const text = formatRoute(next);
  if (text === formatRoute(current.value)) return;
  if (how === 'push') {
    push(text);
  } else {
    history.replaceState(null, '', text);
    current.value = parseRoute(text);
  }
}
