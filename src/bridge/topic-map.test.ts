import { describe, expect, test } from 'vitest';
import { type TopicLine, TopicMap } from './topic-map.ts';

function line(
  pattern: string,
  direction: TopicLine['direction'],
  qos: 0 | 1 | 2 = 0,
  localPrefix = '',
  remotePrefix = '',
): TopicLine {
  return { pattern, direction, qos, localPrefix, remotePrefix };
}

const localOf = (map: TopicMap) => map.local.map(({ topicFilter, qos }) => [topicFilter.text, qos]);
const remoteOf = (map: TopicMap) => map.remote.map(({ filter, qos, isWanted }) => [filter, qos, isWanted]);

describe('what is subscribed to', () => {
  test('out goes to the local side, in to the remote one, both to both; prefixes stand in front as they are', () => {
    const map = new TopicMap([
      line('a/#', 'out', 1, 'here/', 'there/'),
      line('b/#', 'in', 2, 'here/', 'there/'),
      line('c', 'both', 0, 'x', 'y'),
    ]);
    expect(localOf(map)).toEqual([
      ['here/a/#', 1],
      ['xc', 0],
    ]);
    expect(remoteOf(map)).toEqual([
      ['there/a/#', 1, false],
      ['there/b/#', 2, true],
      ['yc', 0, true],
    ]);
  });

  test('a local filter of two lines is there once, with the higher QoS', () => {
    const map = new TopicMap([line('a', 'out', 2, '', 'x/'), line('a', 'out', 0, '', 'y/')]);
    expect(localOf(map)).toEqual([['a', 2]]);
  });

  test('what one line takes in is not unsubscribed from because of another', () => {
    const map = new TopicMap([line('a', 'out'), line('a', 'in', 1)]);
    expect(remoteOf(map)).toEqual([['a', 1, true]]);
  });
});

describe('names', () => {
  const map = new TopicMap([
    line('a/+', 'out', 0, 'here/', 'there/'),
    line('#', 'both', 0, 'local/', ''),
    line('', 'in', 0, 'one/topic', 'another'),
    line('#', 'out', 0, '', 'rest/'),
  ]);

  test.each([
    ['here/a/b', 'there/a/b', 'the first line that matches'],
    ['local/x/y', 'x/y', 'the prefix is taken off'],
    ['other', 'rest/other', 'a prefix alone is put in front'],
    ['$SYS/x', '$SYS/x', 'no line matches: the name stays'],
  ])('%s goes out as %s: %s', (local, remote) => {
    expect(map.toRemote(local)).toBe(remote);
  });

  test.each([
    ['x/y', 'local/x/y'],
    ['another', 'local/another'],
    ['$SYS/x', null],
  ])('%s comes in as %s', (remote, local) => {
    expect(map.toLocal(remote)).toBe(local);
  });

  test('an empty pattern maps one topic to one topic', () => {
    const single = new TopicMap([line('', 'both', 0, 'one/topic', 'another')]);
    expect(single.toRemote('one/topic')).toBe('another');
    expect(single.toLocal('another')).toBe('one/topic');
    expect(single.toLocal('another/one')).toBeNull();
  });

  test('the parent level that # includes has not the whole prefix', () => {
    const parent = new TopicMap([line('#', 'both', 0, 'a/', 'b/')]);
    expect(parent.toLocal('b/c')).toBe('a/c');
    expect(parent.toLocal('b')).toBe('a/');
  });

  test('a message of a shared subscription comes without the name of the group', () => {
    const shared = new TopicMap([line('x/#', 'in', 1, 'in/', '$share/group/')]);
    expect(remoteOf(shared)).toEqual([['$share/group/x/#', 1, true]]);
    expect(shared.toLocal('x/y')).toBe('in/x/y');
  });

  test('a name that would be too long or too deep is none', () => {
    const long = new TopicMap([line('#', 'both', 0, 'l/', '')]);
    expect(long.toLocal('x'.repeat(65_534))).toBeNull();
    expect(long.toLocal('x'.repeat(65_533))).toHaveLength(65_535);
    expect(long.toLocal('/'.repeat(200))).toBeNull();
    expect(new TopicMap([line('#', 'out', 0, '', 'r/')]).toRemote('x'.repeat(65_534))).toBeNull();
  });
});
