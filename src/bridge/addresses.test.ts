import { expect, test } from 'vitest';
import { Addresses } from './addresses.ts';

const all = ['one', 'two', 'three'].map((host) => ({ host, port: 1883 }));

test('each in turn; without round robin the first is where it belongs', () => {
  const addresses = new Addresses(all, false);
  expect(addresses.current.host).toBe('one');
  expect(addresses.primary).toBeNull();
  const hosts = [1, 2, 3].map(() => {
    addresses.next();
    return [addresses.current.host, addresses.primary?.host ?? null];
  });
  expect(hosts).toEqual([
    ['two', 'one'],
    ['three', 'one'],
    ['one', null],
  ]);
  addresses.next();
  addresses.goBack();
  expect(addresses.current.host).toBe('one');
});

test('with round robin all are alike', () => {
  const addresses = new Addresses(all, true);
  addresses.next();
  expect(addresses.current.host).toBe('two');
  expect(addresses.primary).toBeNull();
});
