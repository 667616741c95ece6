import { expect, test } from 'vitest';
import {
  checkProperties,
  newPropertyCollectors,
  PropertyCollector,
  propertyRow,
  readPropertyOption,
} from './property-option.ts';

test('names are found whatever their case', () => {
  const into = newPropertyCollectors();
  expect(readPropertyOption(['PUBLISH', 'Message-Expiry-Interval', '60', 'rest'], into)).toBe(3);
  expect(into.publish.collection.values).toEqual({ messageExpiryInterval: 60 });
});

test('values get the type of their property', () => {
  const into = newPropertyCollectors();
  readPropertyOption(['connect', 'request-problem-information', '0'], into);
  readPropertyOption(['connect', 'authentication-data', 'é'], into);
  readPropertyOption(['subscribe', 'subscription-identifier', '268435455'], into);
  expect(into.connect.collection.values).toEqual({
    requestProblemInformation: false,
    authenticationData: Buffer.from([0xc3, 0xa9]),
  });
  expect(into.subscribe.collection.values).toEqual({ subscriptionIdentifiers: [268_435_455] });
});

test.each([
  ['connect', 'receive-maximum', '65536'],
  ['connect', 'receive-maximum', '-1'],
  ['connect', 'session-expiry-interval', '4294967296'],
  ['publish', 'payload-format-indicator', '256'],
  ['subscribe', 'subscription-identifier', '268435456'],
])('%s %s %s is out of range', (...words) => {
  expect(() => readPropertyOption(words, newPropertyCollectors())).toThrow(
    `Error: Property value (${words[2]}) out of range for property ${words[1]}.`,
  );
});

test('a set is checked as a whole', () => {
  const collect = (name: string, ...values: readonly unknown[]) => {
    const collector = new PropertyCollector();
    for (const value of values) collector.add(propertyRow(name), value);
    return collector.collection;
  };
  expect(checkProperties('publish', collect('content-type', 'a'))).toBeUndefined();
  expect(checkProperties('publish', collect('content-type', 'a', 'b'))).toBe('duplicate');
  expect(checkProperties('publish', collect('user-property', ['a', 'b'], ['a', 'c']))).toBeUndefined();
  expect(checkProperties('connect', collect('receive-maximum', 0))).toBe('protocol');
  expect(checkProperties('publish', collect('topic-alias', 0))).toBe('protocol');
  expect(checkProperties('publish', collect('payload-format-indicator', 2))).toBe('protocol');
  expect(checkProperties('subscribe', collect('subscription-identifier', 0))).toBe('protocol');
  expect(checkProperties('publish', collect('response-topic', 'a/+'))).toBe('protocol');
  expect(checkProperties('connect', collect('authentication-data', Buffer.from('x')))).toBe('protocol');
});
