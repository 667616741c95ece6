import { expect, test, vi } from 'vitest';
import { formatRoute, parseRoute, setState, stateOf } from './router.ts';

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

test('two changes before the browser tells of the first are both kept', () => {
  vi.stubGlobal('location', { hash: '' });
  setState({ tab: 'plot' });
  setState({ range: '30d' });
  expect([stateOf('tab'), stateOf('range')]).toEqual(['plot', '30d']);
  expect(location.hash).toBe('#/overview?range=30d&tab=plot');
  vi.unstubAllGlobals();
});
