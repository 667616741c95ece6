import { expect, test } from 'vitest';
import { formatRoute, parseRoute } from './router.ts';

test.each([
  ['#/topics?topic=a%2Fb', 'topics', { topic: 'a/b' }],
  ['#/clients', 'clients', {}],
  ['', 'overview', {}],
  ['#/nonsense?x=1', 'overview', { x: '1' }],
  ['#/welcome?token=t', 'welcome', { token: 't' }],
  ['#/topics?__proto__=x', 'topics', Object.fromEntries([['__proto__', 'x']])],
])('%s', (fragment, screen, state) => {
  const route = parseRoute(fragment);
  expect(route.screen).toBe(screen);
  expect(Object.entries(route.state)).toEqual(Object.entries(state));
});

test('a route survives its fragment, whatever is in its values', () => {
  const state = { topic: 'a b/#?&=+%/é\n\t', open: '' };
  const again = parseRoute(formatRoute({ screen: 'topics', state }));
  expect({ ...again.state }).toEqual({ topic: state.topic });
});
