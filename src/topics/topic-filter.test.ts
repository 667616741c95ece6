import { describe, expect, test } from 'vitest';
import { matchCases } from '../../test/topics/match-cases.ts';
import { filterFault, filterMatches, hasWildcard, isTopicName, parseTopicFilter } from './topic-filter.ts';

describe('a Topic Filter', () => {
  test.each(['a', '/', 'a/b', '#', '+', 'a/#', '/#', '+/+', '+/#', 'a/+/b', '/+', 'a//b', ' ', '$SYS/#', 'é/ü'])(
    'v5 [MQTT-4.7.1-1] [MQTT-4.7.1-2] takes %j',
    (filter) => {
      expect(filterFault(filter)).toBeNull();
    },
  );

  test.each(['a#', '#a', 'a/#/b', '#/', 'a/b#', '##', 'a+', '+a', 'a/b+/c', '++', 'a/+b'])(
    'v5 [MQTT-4.7.1-1] [MQTT-4.7.1-2] refuses %j: a wildcard fills its level and # is last',
    (filter) => {
      expect(filterFault(filter)).toBe('wildcard');
    },
  );

  test('v5 [MQTT-4.7.3-1] refuses the empty one', () => {
    expect(filterFault('')).toBe('empty');
  });

  test('takes 200 slashes and refuses 201', () => {
    expect(filterFault('/'.repeat(200))).toBeNull();
    expect(filterFault('/'.repeat(201))).toBe('levels');
  });

  test('is parsed into itself when it is not shared', () => {
    expect(parseTopicFilter('a/b')).toEqual({ text: 'a/b', filter: 'a/b', shareName: null });
    expect(parseTopicFilter('a/#/b')).toBe('wildcard');
  });

  test('v5 [MQTT-4.8.2-1] [MQTT-4.8.2-2] with $share/NAME/ in front is taken apart', () => {
    expect(parseTopicFilter('$share/g/a/+')).toEqual({ text: '$share/g/a/+', filter: 'a/+', shareName: 'g' });
    expect(parseTopicFilter('$share/g//x')).toEqual({ text: '$share/g//x', filter: '/x', shareName: 'g' });
    expect(parseTopicFilter('$share/g/a#')).toBe('wildcard');
  });

  test.each(['$share', '$share/', '$share//t', '$share/g', '$share/g/', '$share/g+/t', '$share/#/t'])(
    'v5 [MQTT-4.8.2-1] [MQTT-4.8.2-2] refuses %j as a shared one',
    (filter) => {
      expect(parseTopicFilter(filter)).toBe('share');
    },
  );

  test('v5 [MQTT-4.8.2-1] is an ordinary one when $share is written differently', () => {
    expect(parseTopicFilter('$SHARE/g/t')).toEqual({ text: '$SHARE/g/t', filter: '$SHARE/g/t', shareName: null });
    expect(parseTopicFilter('$shared/t')).toEqual({ text: '$shared/t', filter: '$shared/t', shareName: null });
  });

  test('has a wildcard when it can match more than one name', () => {
    expect(hasWildcard('a/+/b')).toBe(true);
    expect(hasWildcard('a/#')).toBe(true);
    expect(hasWildcard('a/b')).toBe(false);
  });
});

describe('a Topic Name', () => {
  test('is not empty, has no wildcard, no NUL and not too many levels', () => {
    expect(isTopicName('a/b')).toBe(true);
    expect(isTopicName('/'.repeat(200))).toBe(true);
    expect(isTopicName('')).toBe(false);
    expect(isTopicName('a/+')).toBe(false);
    expect(isTopicName('a/#')).toBe(false);
    expect(isTopicName('a\0b')).toBe(false);
    expect(isTopicName('/'.repeat(201))).toBe(false);
    expect(isTopicName('x'.repeat(65_536))).toBe(false);
  });
});

test.each(matchCases)('v5 [MQTT-4.7.2-1] [MQTT-4.7.3-4] filter %j and name %j match: %j', (filter, name, matches) => {
  expect(filterMatches(filter, name)).toBe(matches);
});
